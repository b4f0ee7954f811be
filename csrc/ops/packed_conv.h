// Convolutions whose weight is packed for a CPU kernel: argument checks and the way to the kernels, which they share. A
// Kernel tells them apart:
//   Shape, and format: channels-last of as many dimensions
//   weight_shape(weight), input_shape(x, packed, out_channels): what can be told of either, checked
//   products(shape), depth(shape): the packed weight is [products, num_panels(out), depth, kPanel]
//   out_sizes(shape), piece_count(shape, panels), pack and run
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

template <typename Kernel, typename T>
std::vector<int64_t> packed_sizes(typename Kernel::Shape shape) {
  return {Kernel::products(shape), num_panels<T>(shape.out_channels), Kernel::depth(shape), kPanel<T>};
}

// A weight -> packed, float32 or float64.
template <typename Kernel>
Tensor packed_conv_pack(const Tensor& weight) {
  const ScalarType dtype = compute_dtype("weight", weight);
  const auto shape = Kernel::weight_shape(weight);
  const Tensor input = in_format(in_dtype(weight, dtype), MemoryFormat::Contiguous);
  OptionalTensor packed;
  dispatch_compute(dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    packed = torch::stable::new_empty(input, packed_sizes<Kernel, T>(shape), dtype);
    Kernel::pack(static_cast<const T*>(input.const_data_ptr()), data_pointer<T>(*packed), shape);
  });
  return *packed;
}

// x [N, in, ...] -> [N, out, ...] of x's dtype and memory format.
template <typename Kernel>
Tensor packed_conv_run(const Tensor& x, const Tensor& packed, const OptionalTensor& bias, int64_t out_channels,
                       double negative_slope) {
  const ScalarType dtype = compute_dtype("x", x);
  const auto shape = Kernel::input_shape(x, packed, out_channels);
  check_dtype("packed", packed, dtype);
  const MemoryFormat format = memory_format_of(x);
  const Tensor input = in_format(in_dtype(x, dtype), Kernel::format);
  const Tensor weights = in_format(packed, MemoryFormat::Contiguous);
  const Tensor out = empty_in_format(input, Kernel::out_sizes(shape), Kernel::format);
  OptionalTensor biases;
  if (bias) {
    check_sizes("bias", *bias, {out_channels});
    biases = in_format(in_dtype(*bias, dtype), MemoryFormat::Contiguous);
  }
  dispatch_compute(dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    check_sizes("packed", weights, packed_sizes<Kernel, T>(shape));
    if (out.numel() == 0) return;
    const auto* data = static_cast<const T*>(input.const_data_ptr());
    const auto* panel_data = static_cast<const T*>(weights.const_data_ptr());
    const auto* bias_data = pointer_or_null<T>(biases);
    auto* out_data = data_pointer<T>(out);
    const auto slope = static_cast<T>(negative_slope);
    const int64_t pieces = Kernel::piece_count(shape, num_panels<T>(out_channels));
    torch::stable::parallel_for(0, pieces, 1, [=](int64_t begin, int64_t end) {
      Kernel::run(data, panel_data, bias_data, out_data, shape, slope, begin, end);
    });
  });
  return in_format(in_dtype(out, x.scalar_type()), format);
}

template <typename Kernel>
Tensor packed_conv(const Tensor& x, const Tensor& weight, const OptionalTensor& bias, double negative_slope) {
  check_dtype("weight", weight, x.scalar_type());
  return packed_conv_run<Kernel>(x, packed_conv_pack<Kernel>(weight), bias, weight.size(0), negative_slope);
}

// What 3³ convolutions of grids share.
template <typename GridShape, int64_t num_products, int64_t scale>
struct GridKernel {
  using Shape = GridShape;
  static constexpr MemoryFormat format = MemoryFormat::ChannelsLast3d;

  static Shape weight_shape(const Tensor& weight) {
    STD_TORCH_CHECK(weight.dim() == 5, "weight: expected (out, in, 3, 3, 3), got ", weight.dim(), " dimensions");
    check_sizes("weight", weight, {weight.size(0), weight.size(1), 3, 3, 3});
    return {0, 0, 0, 0, weight.size(1), weight.size(0)};
  }

  static Shape input_shape(const Tensor& x, const Tensor&, int64_t out_channels) {
    STD_TORCH_CHECK(x.dim() == 5, "x: expected (N, in, D, H, W), got ", x.dim(), " dimensions");
    return {x.size(0), x.size(2), x.size(3), x.size(4), x.size(1), out_channels};
  }

  static int64_t products(Shape) { return num_products; }
  static int64_t depth(Shape shape) { return shape.in_channels; }

  static std::vector<int64_t> out_sizes(Shape shape) {
    return {shape.objects, shape.out_channels, scale * shape.depth, scale * shape.height, scale * shape.width};
  }
};

}  // namespace jc3d
