#include "../kernels/pack_bits.h"

#include "checks.h"
#ifdef JC3D_WITH_CUDA
#include "cuda.h"
#endif

namespace jc3d {
namespace {

// x [*, n] floating point -> packed [*, ceil(n / 8)] uint8.
template <typename Run>
Tensor pack_bits(const Tensor& x, Run&& run) {
  check_has_last_dimension("x", x);
  const int64_t n = x.size(x.dim() - 1);
  const Tensor input = torch::stable::contiguous(x);
  const Tensor packed = torch::stable::new_empty(x, with_last_size(x, (n + 7) / 8), ScalarType::Byte);
  dispatch_float("x", x.scalar_type(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    run(static_cast<const T*>(input.const_data_ptr()), static_cast<uint8_t*>(packed.mutable_data_ptr()), row_count(x),
        n);
  });
  return packed;
}

Tensor pack_bits_cpu(const Tensor& x) {
  return pack_bits(x, [](const auto* input, uint8_t* packed, int64_t rows, int64_t n) {
    torch::stable::parallel_for(0, PackedRows(rows, n).num_bytes(), kGrain / 8, [=](int64_t begin, int64_t end) {
      jc3d::pack_bits_cpu(input, packed, rows, n, begin, end);
    });
  });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("pack_bits", TORCH_BOX(&pack_bits_cpu));
}

#ifdef JC3D_WITH_CUDA

Tensor pack_bits_cuda(const Tensor& x) {
  return pack_bits(x, [&](const auto* input, uint8_t* packed, int64_t rows, int64_t n) {
    launch_on(x, "pack_bits", [=](void* stream) { return jc3d::pack_bits_cuda(input, packed, rows, n, stream); });
  });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CUDA, library) {
  library.impl("pack_bits", TORCH_BOX(&pack_bits_cuda));
}

#endif  // JC3D_WITH_CUDA

}  // namespace
}  // namespace jc3d
