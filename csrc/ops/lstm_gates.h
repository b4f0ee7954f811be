// conv_lstm_gates and conv3d_lstm_gates: argument checks and the way to the kernels, which they share. `output_gate`
// tells them apart.
#pragma once

#include <tuple>
#include <vector>

#include "../kernels/lstm_gates.h"
#include "checks.h"
#include "memory_format.h"
#ifdef JC3D_WITH_CUDA
#include "cuda.h"
#endif

namespace jc3d {

// The sizes of gates [N, gates * C, *S] and of states [N, C, *S].
template <bool output_gate>
struct GateSizes {
  std::vector<int64_t> gates;
  std::vector<int64_t> states;

  // Of the gates.
  explicit GateSizes(const char* argument, const Tensor& tensor) {
    STD_TORCH_CHECK(tensor.dim() >= 2, argument, ": expected at least 2 dimensions, (N, ", kGates<output_gate>,
                    "C, ...), got ", tensor.dim());
    STD_TORCH_CHECK(tensor.size(1) % kGates<output_gate> == 0, argument, ": expected a multiple of ",
                    kGates<output_gate>, " channels, got ", tensor.size(1));
    gates = sizes_of(tensor);
    states = gates;
    states[1] /= kGates<output_gate>;
  }

  GateLayout layout(MemoryFormat format) const {
    int64_t inner = 1;
    for (size_t i = 2; i < states.size(); ++i) inner *= states[i];
    return format == MemoryFormat::Contiguous ? GateLayout{states[0], states[1], inner}
                                              : GateLayout{states[0] * inner, states[1], 1};
  }
};

// An argument checked against the first one, and laid out like it.
inline OptionalTensor prepare(const char* argument, const OptionalTensor& tensor, const std::vector<int64_t>& sizes,
                              const char* first_name, const Tensor& first, MemoryFormat format) {
  if (!tensor) return std::nullopt;
  check_dtype(argument, *tensor, first.scalar_type());
  check_same_device(argument, *tensor, first_name, first);
  check_sizes(argument, *tensor, sizes);
  return in_format(*tensor, format);
}

// Runs the kernels on the device of a tensor.
struct OnCpu {
  template <typename T, bool output_gate>
  static void forward(const Tensor&, const GatesForward<T>& data, GateLayout layout) {
    torch::stable::parallel_for(0, layout.num_states(), kGrain / 8, [=](int64_t begin, int64_t end) {
      lstm_gates_cpu<T, output_gate>(data, layout, begin, end);
    });
  }

  // Fills grad_bias where it is defined.
  template <typename T, bool output_gate>
  static void backward(const Tensor& like, GatesBackward<T> data, T* grad_bias, GateLayout layout) {
    const GatePieces pieces(layout);
    const int64_t channels = kGates<output_gate> * layout.channels;
    OptionalTensor partials;
    if (grad_bias != nullptr) {
      constexpr ScalarType dtype = std::is_same_v<T, double> ? ScalarType::Double : ScalarType::Float;
      partials = torch::stable::new_zeros(like, {pieces.bias_partials, channels}, dtype);
      data.bias_partials = data_pointer<compute_t<T>>(*partials);
    }
    const int64_t grain = std::max<int64_t>(1, kGrain / 8 / std::max<int64_t>(1, pieces.size));
    torch::stable::parallel_for(0, pieces.count, grain, [=](int64_t begin, int64_t end) {
      lstm_gates_backward_cpu<T, output_gate>(data, layout, begin, end);
    });
    if (grad_bias != nullptr) sum_partials_cpu<T>(data.bias_partials, grad_bias, pieces.bias_partials, channels);
  }
};

#ifdef JC3D_WITH_CUDA

struct OnCuda {
  template <typename T, bool output_gate>
  static void forward(const Tensor& like, const GatesForward<T>& data, GateLayout layout) {
    launch_on(like, "lstm_gates", [&](void* stream) { return lstm_gates_cuda<T, output_gate>(data, layout, stream); });
  }

  template <typename T, bool output_gate>
  static void backward(const Tensor& like, GatesBackward<T> data, T* grad_bias, GateLayout layout) {
    OptionalTensor partials;
    if (grad_bias != nullptr) {
      constexpr ScalarType dtype = std::is_same_v<T, double> ? ScalarType::Double : ScalarType::Float;
      partials = torch::stable::new_empty(like, {bias_partials_size_cuda<T, output_gate>(layout)}, dtype);
      data.bias_partials = data_pointer<compute_t<T>>(*partials);
    }
    launch_on(like, "lstm_gates_backward",
              [&](void* stream) { return lstm_gates_backward_cuda<T, output_gate>(data, grad_bias, layout, stream); });
  }
};

#endif  // JC3D_WITH_CUDA

// x_gates, h_gates [N, gates * C, *S], bias [gates * C], c_prev [N, C, *S] -> h, c, and activated gates or an empty
// tensor.
template <typename Device, bool output_gate>
std::tuple<Tensor, Tensor, Tensor> lstm_gates(const Tensor& x_gates, const OptionalTensor& h_gates,
                                              const OptionalTensor& bias, const OptionalTensor& c_prev,
                                              bool save_gates) {
  const GateSizes<output_gate> sizes("x_gates", x_gates);
  const MemoryFormat format = memory_format_of(x_gates);
  const Tensor x = in_format(x_gates, format);
  const OptionalTensor h_in = prepare("h_gates", h_gates, sizes.gates, "x_gates", x_gates, format);
  const OptionalTensor b_in = prepare("bias", bias, {sizes.gates[1]}, "x_gates", x_gates, MemoryFormat::Contiguous);
  const OptionalTensor c_in = prepare("c_prev", c_prev, sizes.states, "x_gates", x_gates, format);
  const Tensor h = empty_in_format(x, sizes.states, format);
  const Tensor c = empty_in_format(x, sizes.states, format);
  const Tensor gates =
      save_gates ? empty_in_format(x, sizes.gates, format) : torch::stable::new_empty(x, {0}, x.scalar_type());
  dispatch_float("x_gates", x.scalar_type(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const GatesForward<T> data{static_cast<const T*>(x.const_data_ptr()),
                               pointer_or_null<T>(h_in),
                               pointer_or_null<T>(b_in),
                               pointer_or_null<T>(c_in),
                               data_pointer<T>(h),
                               data_pointer<T>(c),
                               save_gates ? data_pointer<T>(gates) : nullptr};
    Device::template forward<T, output_gate>(x, data, sizes.layout(format));
  });
  return {h, c, gates};
}

// The same with c [N, C, *S] overwritten by the new cell state; h is all that is allocated.
template <typename Device, bool output_gate>
Tensor lstm_gates_inplace(const Tensor& x_gates, const OptionalTensor& h_gates, const OptionalTensor& bias, Tensor c) {
  const GateSizes<output_gate> sizes("x_gates", x_gates);
  const MemoryFormat format = memory_format_of(x_gates);
  const Tensor x = in_format(x_gates, format);
  const OptionalTensor h_in = prepare("h_gates", h_gates, sizes.gates, "x_gates", x_gates, format);
  const OptionalTensor b_in = prepare("bias", bias, {sizes.gates[1]}, "x_gates", x_gates, MemoryFormat::Contiguous);
  check_dtype("c", c, x.scalar_type());
  check_same_device("c", c, "x_gates", x_gates);
  check_sizes("c", c, sizes.states);
  STD_TORCH_CHECK(format == MemoryFormat::Contiguous ? c.is_contiguous() : is_channels_last(c),
                  "c: expected the memory format of x_gates, got other strides");
  const Tensor h = empty_in_format(x, sizes.states, format);
  dispatch_float("x_gates", x.scalar_type(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    T* cell = data_pointer<T>(c);
    const GatesForward<T> data{static_cast<const T*>(x.const_data_ptr()),
                               pointer_or_null<T>(h_in),
                               pointer_or_null<T>(b_in),
                               cell,
                               data_pointer<T>(h),
                               cell,
                               nullptr};
    Device::template forward<T, output_gate>(x, data, sizes.layout(format));
  });
  return h;
}

// grad_h, grad_c, c_prev, c [N, C, *S], activated gates [N, gates * C, *S] -> grad_gates, grad_c_prev and grad_bias
// [gates * C]; the last two empty where there is no c_prev or no bias is wanted.
template <typename Device, bool output_gate>
std::tuple<Tensor, Tensor, Tensor> lstm_gates_backward(const OptionalTensor& grad_h, const OptionalTensor& grad_c,
                                                       const Tensor& gates, const OptionalTensor& c_prev,
                                                       const Tensor& c, bool want_bias) {
  const GateSizes<output_gate> sizes("gates", gates);
  const MemoryFormat format = memory_format_of(gates);
  const Tensor activated = in_format(gates, format);
  const OptionalTensor grad_h_in = prepare("grad_h", grad_h, sizes.states, "gates", gates, format);
  const OptionalTensor grad_c_in = prepare("grad_c", grad_c, sizes.states, "gates", gates, format);
  const OptionalTensor c_prev_in = prepare("c_prev", c_prev, sizes.states, "gates", gates, format);
  const OptionalTensor c_in = prepare("c", c, sizes.states, "gates", gates, format);
  const Tensor grad_gates = empty_in_format(activated, sizes.gates, format);
  const auto none = [&] { return torch::stable::new_empty(activated, {0}, activated.scalar_type()); };
  const Tensor grad_c_prev = c_prev ? empty_in_format(activated, sizes.states, format) : none();
  const Tensor grad_bias =
      want_bias ? torch::stable::new_zeros(activated, {sizes.gates[1]}, activated.scalar_type()) : none();
  dispatch_float("gates", gates.scalar_type(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const GatesBackward<T> data{pointer_or_null<T>(grad_h_in),
                                pointer_or_null<T>(grad_c_in),
                                static_cast<const T*>(activated.const_data_ptr()),
                                pointer_or_null<T>(c_prev_in),
                                static_cast<const T*>(c_in->const_data_ptr()),
                                data_pointer<T>(grad_gates),
                                c_prev ? data_pointer<T>(grad_c_prev) : nullptr,
                                nullptr};
    Device::template backward<T, output_gate>(activated, data, want_bias ? data_pointer<T>(grad_bias) : nullptr,
                                              sizes.layout(format));
  });
  return {grad_gates, grad_c_prev, grad_bias};
}

}  // namespace jc3d
