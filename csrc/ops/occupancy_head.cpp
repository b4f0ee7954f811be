#include "../kernels/occupancy_head.h"

#include "packed_conv.h"

namespace jc3d {
namespace {

// x [N, in, D, H, W], weight [2, in, 3, 3, 3], bias [2] -> [N, D, H, W], or twice that size along each axis if doubled.
Tensor occupancy_head(const Tensor& x, const Tensor& weight, const Tensor& bias, bool doubled) {
  const ScalarType dtype = compute_dtype("x", x);
  STD_TORCH_CHECK(x.dim() == 5, "x: expected (N, in, D, H, W), got ", x.dim(), " dimensions");
  check_dtype("weight", weight, x.scalar_type());
  check_dtype("bias", bias, x.scalar_type());
  check_sizes("weight", weight, {2, x.size(1), 3, 3, 3});
  check_sizes("bias", bias, {2});
  const HeadShape shape{x.size(0), x.size(2), x.size(3), x.size(4), x.size(1), doubled};
  const int64_t scale = shape.scale();
  const Tensor input = in_format(in_dtype(x, dtype), MemoryFormat::ChannelsLast3d);
  const Tensor weights = in_format(in_dtype(weight, dtype), MemoryFormat::Contiguous);
  const Tensor biases = in_format(in_dtype(bias, dtype), MemoryFormat::Contiguous);
  const std::vector<int64_t> sizes{shape.objects, scale * shape.depth, scale * shape.height, scale * shape.width};
  const Tensor out = torch::stable::new_empty(input, sizes, dtype);
  dispatch_compute(dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if (out.numel() == 0) return;
    std::vector<T> packed(num_panels<T>(shape.columns()) * shape.in_channels * kPanel<T>);
    pack_head_weight(static_cast<const T*>(weights.const_data_ptr()), packed.data(), shape);
    const auto* data = static_cast<const T*>(input.const_data_ptr());
    const auto* bias_data = static_cast<const T*>(biases.const_data_ptr());
    auto* out_data = data_pointer<T>(out);
    const T* panels = packed.data();
    torch::stable::parallel_for(0, shape.piece_count(), 1, [=](int64_t begin, int64_t end) {
      occupancy_head_cpu(data, panels, bias_data, out_data, shape, begin, end);
    });
  });
  return in_dtype(out, x.scalar_type());
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("occupancy_head", TORCH_BOX(&occupancy_head));
}

}  // namespace
}  // namespace jc3d
