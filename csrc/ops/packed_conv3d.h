// upsample_conv3d and winograd_conv3d: argument checks and the way to the kernels, which they share. A Kernel tells
// them apart: products, scale (of the grid), pack, piece_count and run.
#pragma once

#include "../kernels/panel_product.h"
#include "checks.h"
#include "memory_format.h"

namespace jc3d {

// What the kernels compute a dtype in: double for float64, else float32.
inline ScalarType compute_dtype(const char* argument, const Tensor& tensor) {
  ScalarType dtype = ScalarType::Float;
  dispatch_float(argument, tensor.scalar_type(), [&](auto* type) {
    if constexpr (std::is_same_v<decltype(type), double*>) dtype = ScalarType::Double;
  });
  return dtype;
}

inline Tensor in_dtype(const Tensor& tensor, ScalarType dtype) {
  return tensor.scalar_type() == dtype ? tensor : torch::stable::to(tensor, dtype);
}

template <typename F>
void dispatch_compute(ScalarType dtype, F&& f) {
  if (dtype == ScalarType::Double) return f(static_cast<double*>(nullptr));
  f(static_cast<float*>(nullptr));
}

// weight [out, in, 3, 3, 3] -> packed [products, num_panels(out), in, kPanel], float32 or float64.
template <typename Kernel>
Tensor packed_conv3d_pack(const Tensor& weight) {
  const ScalarType dtype = compute_dtype("weight", weight);
  STD_TORCH_CHECK(weight.dim() == 5, "weight: expected (out, in, 3, 3, 3), got ", weight.dim(), " dimensions");
  const int64_t out = weight.size(0);
  const int64_t in = weight.size(1);
  check_sizes("weight", weight, {out, in, 3, 3, 3});
  const Tensor input = in_format(in_dtype(weight, dtype), MemoryFormat::Contiguous);
  OptionalTensor packed;
  dispatch_compute(dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    packed = torch::stable::new_empty(input, {Kernel::products, num_panels<T>(out), in, kPanel<T>}, dtype);
    Kernel::pack(static_cast<const T*>(input.const_data_ptr()), data_pointer<T>(*packed), out, in);
  });
  return *packed;
}

// x [N, in, D, H, W] -> [N, out, scale·D, scale·H, scale·W] of x's dtype and memory format.
template <typename Kernel>
Tensor packed_conv3d_run(const Tensor& x, const Tensor& packed, const OptionalTensor& bias, int64_t out_channels,
                         double negative_slope) {
  const ScalarType dtype = compute_dtype("x", x);
  STD_TORCH_CHECK(x.dim() == 5, "x: expected (N, in, D, H, W), got ", x.dim(), " dimensions");
  const typename Kernel::Shape shape{x.size(0), x.size(2), x.size(3), x.size(4), x.size(1), out_channels};
  check_dtype("packed", packed, dtype);
  const MemoryFormat format = memory_format_of(x);
  const Tensor input = in_format(in_dtype(x, dtype), MemoryFormat::ChannelsLast3d);
  const Tensor weights = in_format(packed, MemoryFormat::Contiguous);
  constexpr int64_t scale = Kernel::scale;
  const std::vector<int64_t> sizes{shape.objects, out_channels, scale * shape.depth, scale * shape.height,
                                   scale * shape.width};
  const Tensor out = empty_in_format(input, sizes, MemoryFormat::ChannelsLast3d);
  OptionalTensor biases;
  if (bias) {
    check_sizes("bias", *bias, {out_channels});
    biases = in_format(in_dtype(*bias, dtype), MemoryFormat::Contiguous);
  }
  dispatch_compute(dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const int64_t panels = num_panels<T>(out_channels);
    check_sizes("packed", weights, {Kernel::products, panels, shape.in_channels, kPanel<T>});
    if (out.numel() == 0) return;
    const auto* data = static_cast<const T*>(input.const_data_ptr());
    const auto* panel_data = static_cast<const T*>(weights.const_data_ptr());
    const auto* bias_data = pointer_or_null<T>(biases);
    auto* out_data = data_pointer<T>(out);
    const auto slope = static_cast<T>(negative_slope);
    torch::stable::parallel_for(0, Kernel::piece_count(shape, panels), 1, [=](int64_t begin, int64_t end) {
      Kernel::run(data, panel_data, bias_data, out_data, shape, slope, begin, end);
    });
  });
  return in_format(in_dtype(out, x.scalar_type()), format);
}

template <typename Kernel>
Tensor packed_conv3d(const Tensor& x, const Tensor& weight, const OptionalTensor& bias, double negative_slope) {
  check_dtype("weight", weight, x.scalar_type());
  return packed_conv3d_run<Kernel>(x, packed_conv3d_pack<Kernel>(weight), bias, weight.size(0), negative_slope);
}

}  // namespace jc3d
