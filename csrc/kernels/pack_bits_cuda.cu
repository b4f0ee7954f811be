#include "cuda_launch.cuh"
#include "pack_bits.h"

namespace jc3d {
namespace {

// One thread a byte. `vectors`: every group of eight elements starts on a 16-byte boundary.
template <typename T, bool vectors>
__global__ void pack_bits_kernel(const T* __restrict__ x, uint8_t* __restrict__ packed, PackedRows shape) {
  const int64_t row_bytes = shape.row_bytes();
  const int64_t num_bytes = shape.num_bytes();
  for (int64_t byte = first_item(); byte < num_bytes; byte += item_stride()) {
    const int64_t row = shape.rows == 1 ? 0 : byte / row_bytes;
    const int64_t first = 8 * (byte - row * row_bytes);
    const T* group = x + row * shape.n + first;
    const int64_t remaining = shape.n - first;
    if (vectors && remaining >= 8) {
      T values[8];
      load_16(values, group);
      packed[byte] = pack_group(values, 8);
    } else {
      packed[byte] = pack_group(group, remaining < 8 ? static_cast<int>(remaining) : 8);
    }
  }
}

}  // namespace

template <typename T>
const char* pack_bits_cuda(const T* x, uint8_t* packed, int64_t rows, int64_t n, void* stream) {
  const PackedRows shape(rows, n);
  if (shape.num_bytes() == 0) return nullptr;
  const bool vectors = is_aligned_16(x) && (shape.rows == 1 || shape.n * sizeof(T) % 16 == 0);
  const auto kernel = vectors ? pack_bits_kernel<T, true> : pack_bits_kernel<T, false>;
  kernel<<<grid_size(shape.num_bytes()), kBlockSize, 0, static_cast<cudaStream_t>(stream)>>>(x, packed, shape);
  return launch_error();
}

#define INSTANTIATE(T) template const char* pack_bits_cuda<T>(const T*, uint8_t*, int64_t, int64_t, void*)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
