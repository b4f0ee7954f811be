#include "cuda_launch.cuh"
#include "unpack_bits.h"

namespace jc3d {
namespace {

// One thread a byte. `vectors`: every group of eight elements starts on a 16-byte boundary.
template <typename T, bool vectors>
__global__ void unpack_bits_kernel(const uint8_t* __restrict__ packed, T* __restrict__ signs, PackedRows shape) {
  const int64_t row_bytes = shape.row_bytes();
  const int64_t num_bytes = shape.num_bytes();
  for (int64_t byte = first_item(); byte < num_bytes; byte += item_stride()) {
    const int64_t row = shape.rows == 1 ? 0 : byte / row_bytes;
    const int64_t first = 8 * (byte - row * row_bytes);
    T* group = signs + row * shape.n + first;
    const int64_t remaining = shape.n - first;
    const unsigned bits = packed[byte];
    if (vectors && remaining >= 8) {
      T values[8];
#pragma unroll
      for (int i = 0; i < 8; ++i) values[i] = unpack_element<T>(bits, i);
      store_16(group, values);
    } else {
      const int count = remaining < 8 ? static_cast<int>(remaining) : 8;
      for (int i = 0; i < count; ++i) group[i] = unpack_element<T>(bits, i);
    }
  }
}

}  // namespace

template <typename T>
const char* unpack_bits_cuda(const uint8_t* packed, T* signs, int64_t rows, int64_t n, void* stream) {
  const PackedRows shape(rows, n);
  if (shape.num_bytes() == 0) return nullptr;
  const bool vectors = is_aligned_16(signs) && (shape.rows == 1 || shape.n * sizeof(T) % 16 == 0);
  const auto kernel = vectors ? unpack_bits_kernel<T, true> : unpack_bits_kernel<T, false>;
  kernel<<<grid_size(shape.num_bytes()), kBlockSize, 0, static_cast<cudaStream_t>(stream)>>>(packed, signs, shape);
  return launch_error();
}

#define INSTANTIATE(T) template const char* unpack_bits_cuda<T>(const uint8_t*, T*, int64_t, int64_t, void*)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
