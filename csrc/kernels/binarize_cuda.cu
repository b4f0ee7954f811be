#include "binarize.h"
#include "cuda_launch.cuh"

namespace jc3d {
namespace {

// One thread `width` elements: 16 bytes where both pointers are aligned, else one element.
template <typename T, bool stochastic, int width>
__global__ void binarize_kernel(const T* x, T* signs, const int64_t* __restrict__ seed, MemoryOrder order, int64_t n) {
  const uint64_t key = stochastic ? hash_key(*seed) : 0;
  const int64_t groups = (n + width - 1) / width;
  for (int64_t group = first_item(); group < groups; group += item_stride()) {
    const int64_t first = group * width;
    const bool whole = width > 1 && first + width <= n;
    T values[width];
    if constexpr (width > 1) {
      if (whole) load_16(values, x + first);
    }
#pragma unroll
    for (int i = 0; i < width; ++i) {
      if (first + i >= n) break;
      const T value = whole ? values[i] : x[first + i];
      const bool positive = stochastic ? binarize_draw(value, key, order.index(first + i)) : is_nonnegative(value);
      values[i] = sign_value<T>(positive);
      if (!whole) signs[first + i] = values[i];
    }
    if constexpr (width > 1) {
      if (whole) store_16(signs + first, values);
    }
  }
}

template <typename T, int width>
const char* launch(const T* x, T* signs, const int64_t* seed, MemoryOrder order, int64_t n, void* stream) {
  const auto kernel = seed == nullptr ? binarize_kernel<T, false, width> : binarize_kernel<T, true, width>;
  const int grid = grid_size((n + width - 1) / width);
  kernel<<<grid, kBlockSize, 0, static_cast<cudaStream_t>(stream)>>>(x, signs, seed, order, n);
  return launch_error();
}

}  // namespace

template <typename T>
const char* binarize_cuda(const T* x, T* signs, const int64_t* seed, MemoryOrder order, int64_t n, void* stream) {
  if (n == 0) return nullptr;
  const bool vectors = is_aligned_16(x) && is_aligned_16(signs);
  return vectors ? launch<T, 16 / sizeof(T)>(x, signs, seed, order, n, stream)
                 : launch<T, 1>(x, signs, seed, order, n, stream);
}

#define INSTANTIATE(T) template const char* binarize_cuda<T>(const T*, T*, const int64_t*, MemoryOrder, int64_t, void*)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
