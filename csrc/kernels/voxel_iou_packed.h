// Intersection and union of packed occupancy grids, eight voxels a byte.
#pragma once

#include <cstdint>

namespace jc3d {

// a, b [objects, num_bytes]. Adds bytes begin to end, counted over all objects, to intersection and union_ [objects];
// several threads may do so at once.
void voxel_iou_packed_cpu(const uint8_t* a, const uint8_t* b, int64_t* intersection, int64_t* union_, int64_t num_bytes,
                          int64_t begin, int64_t end);

// All of it, on the GPU: device pointers; the counts are zero at first. Returns nullptr or an error message.
const char* voxel_iou_packed_cuda(const uint8_t* a, const uint8_t* b, int64_t* intersection, int64_t* union_,
                                  float* iou, int64_t objects, int64_t num_bytes, void* stream);

}  // namespace jc3d
