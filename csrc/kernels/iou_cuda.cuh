// What the IoU kernels share on the GPU: a block's counts are summed in the block and added to the total once.
#pragma once

#include "cuda_launch.cuh"
#include "voxel_iou.h"

namespace jc3d {

// The sum of a whole warp's values, in every thread or at least in the first.
__device__ inline int warp_sum(int value) {
#if __CUDA_ARCH__ >= 800
  return __reduce_add_sync(0xFFFFFFFF, value);
#else
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_down_sync(0xFFFFFFFF, value, distance);
  return value;
#endif
}

// Adds every thread's value to total; all threads of the block must call it.
__device__ inline void add_block_sum(int value, int64_t* total) {
  __shared__ int block_sum;
  if (threadIdx.x == 0) block_sum = 0;
  __syncthreads();
  const int sum = warp_sum(value);
  if (threadIdx.x % 32 == 0) atomicAdd(&block_sum, sum);
  __syncthreads();
  if (threadIdx.x == 0)
    atomicAdd(reinterpret_cast<unsigned long long*>(total), static_cast<unsigned long long>(block_sum));
  __syncthreads();  // before the next call clears the sum
}

// One piece of one object is a block's work; blocks stride over the pieces of all objects.
struct Pieces {
  int64_t objects;
  int64_t size;        // elements of an object
  int64_t piece_size;  // elements of a piece, the last one perhaps fewer

  __host__ __device__ int64_t per_object() const { return (size + piece_size - 1) / piece_size; }
  __host__ __device__ int64_t count() const { return objects * per_object(); }
};

static __global__ void finish_iou_kernel(const int64_t* intersection, const int64_t* union_, float* iou, int64_t n) {
  for (int64_t i = first_item(); i < n; i += item_stride()) iou[i] = iou_of(intersection[i], union_[i]);
}

// iou [n] of counts [n].
inline const char* finish_iou(const int64_t* intersection, const int64_t* union_, float* iou, int64_t n,
                              cudaStream_t stream) {
  finish_iou_kernel<<<grid_size(n), kBlockSize, 0, stream>>>(intersection, union_, iou, n);
  return launch_error();
}

}  // namespace jc3d
