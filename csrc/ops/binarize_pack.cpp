#include "../kernels/binarize_pack.h"

#include <algorithm>

#include "../kernels/pack_bits.h"
#include "checks.h"
#include "memory_format.h"
#ifdef JC3D_WITH_CUDA
#include "cuda.h"
#endif

namespace jc3d {
namespace {

// x [N, *] floating point -> packed [N, ceil(n / 8)] uint8 with n elements a sample; run_rows for contiguous tensors,
// run_maps for channels-last ones.
template <typename RunRows, typename RunMaps>
Tensor binarize_pack(const Tensor& x, RunRows&& run_rows, RunMaps&& run_maps) {
  STD_TORCH_CHECK(x.dim() >= 2, "x: expected at least 2 dimensions, (N, ...), got ", x.dim());
  int64_t n = 1;
  for (int64_t i = 1; i < x.dim(); ++i) n *= x.size(i);
  const MemoryFormat format = memory_format_of(x);
  const Tensor input = in_format(x, format);
  const Tensor packed = torch::stable::new_empty(x, {x.size(0), (n + 7) / 8}, ScalarType::Byte);
  auto* bytes = static_cast<uint8_t*>(packed.mutable_data_ptr());
  dispatch_float("x", x.scalar_type(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto* data = static_cast<const T*>(input.const_data_ptr());
    if (format == MemoryFormat::Contiguous) {
      run_rows(data, bytes, x.size(0), n);
    } else {
      run_maps(data, bytes, ChannelsLastRows{x.size(0), x.size(1), n / x.size(1)});
    }
  });
  return packed;
}

Tensor binarize_pack_cpu(const Tensor& x) {
  return binarize_pack(
      x,
      [](const auto* input, uint8_t* packed, int64_t rows, int64_t n) {
        torch::stable::parallel_for(0, PackedRows(rows, n).num_bytes(), kGrain / 8, [=](int64_t begin, int64_t end) {
          pack_bits_cpu(input, packed, rows, n, begin, end);
        });
      },
      [](const auto* input, uint8_t* packed, ChannelsLastRows shape) {
        const int64_t items = shape.num_items();
        const int64_t grain = kGrain / std::max<int64_t>(1, shape.rows * shape.bits() / std::max<int64_t>(1, items));
        torch::stable::parallel_for(0, items, std::max<int64_t>(1, grain), [=](int64_t begin, int64_t end) {
          jc3d::binarize_pack_cpu(input, packed, shape, begin, end);
        });
      });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("binarize_pack", TORCH_BOX(&binarize_pack_cpu));
}

#ifdef JC3D_WITH_CUDA

Tensor binarize_pack_cuda(const Tensor& x) {
  return binarize_pack(
      x,
      [&](const auto* input, uint8_t* packed, int64_t rows, int64_t n) {
        launch_on(x, "binarize_pack", [=](void* stream) { return pack_bits_cuda(input, packed, rows, n, stream); });
      },
      [&](const auto* input, uint8_t* packed, ChannelsLastRows shape) {
        launch_on(x, "binarize_pack",
                  [=](void* stream) { return jc3d::binarize_pack_cuda(input, packed, shape, stream); });
      });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CUDA, library) {
  library.impl("binarize_pack", TORCH_BOX(&binarize_pack_cuda));
}

#endif  // JC3D_WITH_CUDA

}  // namespace
}  // namespace jc3d
