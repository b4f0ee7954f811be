// Numbers to +1 and -1: the sign, or a draw whose mean is the number ([J] eq. 13).
#pragma once

#include <cstdint>

#include "hash.h"
#include "scalar.h"

namespace jc3d {

// The draw: u < (1 + x) / 2. Half of x is exact, so the sum rounds once and a fused multiply-add changes nothing; NaN
// compares false.
template <typename T>
JC3D_HOST_DEVICE inline bool binarize_draw(T x, uint64_t key, int64_t index) {
  using Number = compute_t<T>;
  return static_cast<Number>(hash_uniform(key, index)) < to_compute(x) * Number(0.5) + Number(0.5);
}

// The order of the elements in memory: [N, spatial, channels], where they count as [N, channels, spatial]. Contiguous
// tensors have one channel.
struct MemoryOrder {
  int64_t channels;
  int64_t spatial;

  // Row-major number of the element at `offset`.
  JC3D_HOST_DEVICE int64_t index(int64_t offset) const {
    if (channels == 1) return offset;
    const int64_t pixel = offset / channels;
    const int64_t sample = pixel / spatial;
    return (sample * channels + offset % channels) * spatial + pixel % spatial;
  }
};

// x [n] -> signs [n], elements begin to end. seed: one number, or nullptr for the sign. signs may be x.
template <typename T>
void binarize_cpu(const T* x, T* signs, const int64_t* seed, MemoryOrder order, int64_t begin, int64_t end);

// All n elements, on the GPU: x, signs and seed are device pointers. Returns nullptr or an error message.
template <typename T>
const char* binarize_cuda(const T* x, T* signs, const int64_t* seed, MemoryOrder order, int64_t n, void* stream);

}  // namespace jc3d
