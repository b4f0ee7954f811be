// Intersection and union of occupancy grids, exact counts of voxels ([J] eq. 17).
#pragma once

#include <cstdint>

#include "scalar.h"

namespace jc3d {

// Instantiates a macro for every pair of a number type and a target type.
#define JC3D_FOR_EACH_TARGET(instantiate, Target) \
  instantiate(float, Target);                     \
  instantiate(double, Target);                    \
  instantiate(BFloat16, Target);                  \
  instantiate(Half, Target)
#define JC3D_FOR_EACH_PAIR(instantiate)        \
  JC3D_FOR_EACH_TARGET(instantiate, uint8_t);  \
  JC3D_FOR_EACH_TARGET(instantiate, float);    \
  JC3D_FOR_EACH_TARGET(instantiate, double);   \
  JC3D_FOR_EACH_TARGET(instantiate, BFloat16); \
  JC3D_FOR_EACH_TARGET(instantiate, Half)

// What a target says of a voxel: not zero, or of floating-point targets above a half. NaN is empty.
JC3D_HOST_DEVICE inline bool is_occupied(uint8_t target) {
  return target != 0;
}

template <typename T>
JC3D_HOST_DEVICE inline bool is_occupied(T target) {
  return to_compute(target) > compute_t<T>(0.5);
}

// Of exact counts; empty over empty is 1.
JC3D_HOST_DEVICE inline float iou_of(int64_t intersection, int64_t union_) {
  return union_ == 0 ? 1.0f : static_cast<float>(static_cast<double>(intersection) / static_cast<double>(union_));
}

// prob, target [objects, voxels]; a voxel of prob is occupied above the threshold, strictly. Adds voxels begin to end,
// counted over all objects, to intersection and union_ [thresholds, objects]; several threads may do so at once.
template <typename T, typename Target>
void voxel_iou_cpu(const T* prob, const Target* target, const double* thresholds, int64_t num_thresholds,
                   int64_t* intersection, int64_t* union_, int64_t objects, int64_t voxels, int64_t begin, int64_t end);

// iou [n] of counts [n], on the CPU.
void finish_iou_cpu(const int64_t* intersection, const int64_t* union_, float* iou, int64_t n);

// All of it, on the GPU: device pointers, thresholds on the host; the counts are zero at first. Returns nullptr or an
// error message.
template <typename T, typename Target>
const char* voxel_iou_cuda(const T* prob, const Target* target, const double* thresholds, int64_t num_thresholds,
                           int64_t* intersection, int64_t* union_, float* iou, int64_t objects, int64_t voxels,
                           void* stream);

}  // namespace jc3d
