// What the launchers share. Every launcher takes the stream as a void*, returns nullptr or CUDA's error message, never
// synchronises, and launches nothing for an empty tensor; the caller has set the device.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace jc3d {

constexpr int kBlockSize = 256;
// Enough blocks to fill the largest GPU several times over; the kernels stride over the rest.
constexpr int64_t kMaxBlocks = 1 << 13;

inline int grid_size(int64_t work_items) {
  return static_cast<int>(std::min((work_items + kBlockSize - 1) / kBlockSize, kMaxBlocks));
}

inline const char* launch_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

inline bool is_aligned_16(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer) % 16 == 0;
}

__device__ inline int64_t first_item() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

__device__ inline int64_t item_stride() {
  return static_cast<int64_t>(gridDim.x) * blockDim.x;
}

// `count` elements in 16-byte loads and stores; both pointers 16-byte aligned, count * sizeof(T) a multiple of 16.
template <int count, typename T>
__device__ inline void load_16(T (&values)[count], const T* source) {
  static_assert(count * sizeof(T) % 16 == 0, "whole 16-byte vectors");
#pragma unroll
  for (int i = 0; i < static_cast<int>(count * sizeof(T) / 16); ++i) {
    const uint4 vector = reinterpret_cast<const uint4*>(source)[i];
    memcpy(reinterpret_cast<char*>(values) + 16 * i, &vector, 16);
  }
}

template <int count, typename T>
__device__ inline void store_16(T* destination, const T (&values)[count]) {
  static_assert(count * sizeof(T) % 16 == 0, "whole 16-byte vectors");
#pragma unroll
  for (int i = 0; i < static_cast<int>(count * sizeof(T) / 16); ++i) {
    uint4 vector;
    memcpy(&vector, reinterpret_cast<const char*>(values) + 16 * i, 16);
    reinterpret_cast<uint4*>(destination)[i] = vector;
  }
}

// `width` elements at once where they are whole 16-byte vectors, or one by itself.
template <int width, typename T>
__device__ inline void load(T (&values)[width], const T* source) {
  if constexpr (width == 1) {
    values[0] = *source;
  } else {
    load_16(values, source);
  }
}

template <int width, typename T>
__device__ inline void store(T* destination, const T (&values)[width]) {
  if constexpr (width == 1) {
    *destination = values[0];
  } else {
    store_16(destination, values);
  }
}

}  // namespace jc3d
