#include "../kernels/unpack_bits.h"

#include "checks.h"
#ifdef JC3D_WITH_CUDA
#include "cuda.h"
#endif

namespace jc3d {
namespace {

// packed [*, ceil(n / 8)] uint8 -> signs [*, n] of dtype.
template <typename Run>
Tensor unpack_bits(const Tensor& packed, int64_t n, ScalarType dtype, Run&& run) {
  check_dtype("packed", packed, ScalarType::Byte);
  check_has_last_dimension("packed", packed);
  STD_TORCH_CHECK(n >= 0, "n: expected 0 or more, got ", n);
  const int64_t row_bytes = packed.size(packed.dim() - 1);
  STD_TORCH_CHECK(row_bytes == (n + 7) / 8, "packed: expected ", (n + 7) / 8,
                  " bytes in the last dimension for n = ", n, ", got ", row_bytes);
  const Tensor input = torch::stable::contiguous(packed);
  const Tensor signs = torch::stable::new_empty(packed, with_last_size(packed, n), dtype);
  dispatch_float("dtype", dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    run(static_cast<const uint8_t*>(input.const_data_ptr()), static_cast<T*>(signs.mutable_data_ptr()),
        row_count(packed));
  });
  return signs;
}

Tensor unpack_bits_cpu(const Tensor& packed, int64_t n, ScalarType dtype) {
  return unpack_bits(packed, n, dtype, [=](const uint8_t* input, auto* signs, int64_t rows) {
    torch::stable::parallel_for(0, PackedRows(rows, n).num_bytes(), kGrain / 8, [=](int64_t begin, int64_t end) {
      jc3d::unpack_bits_cpu(input, signs, rows, n, begin, end);
    });
  });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("unpack_bits", TORCH_BOX(&unpack_bits_cpu));
}

#ifdef JC3D_WITH_CUDA

Tensor unpack_bits_cuda(const Tensor& packed, int64_t n, ScalarType dtype) {
  return unpack_bits(packed, n, dtype, [&](const uint8_t* input, auto* signs, int64_t rows) {
    launch_on(packed, "unpack_bits",
              [=](void* stream) { return jc3d::unpack_bits_cuda(input, signs, rows, n, stream); });
  });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CUDA, library) {
  library.impl("unpack_bits", TORCH_BOX(&unpack_bits_cuda));
}

#endif  // JC3D_WITH_CUDA

}  // namespace
}  // namespace jc3d
