// What voxel_iou and voxel_iou_packed share.
#pragma once

#include <tuple>
#include <vector>

#include "../kernels/voxel_iou.h"
#include "checks.h"
#ifdef JC3D_WITH_CUDA
#include "cuda.h"
#endif

namespace jc3d {

// Grids [*B, X, Y, Z]: how many, and of how many elements.
struct GridSizes {
  std::vector<int64_t> batch;
  int64_t objects = 1;
  int64_t elements = 1;

  GridSizes(const char* argument, const Tensor& tensor) {
    STD_TORCH_CHECK(tensor.dim() >= 3, argument, ": expected at least 3 dimensions, (..., X, Y, Z), got ",
                    tensor.dim());
    for (int64_t i = 0; i < tensor.dim(); ++i) {
      if (i < tensor.dim() - 3) {
        batch.push_back(tensor.size(i));
        objects *= tensor.size(i);
      } else {
        elements *= tensor.size(i);
      }
    }
  }
};

// iou float32, intersection and union int64.
struct IouResult {
  Tensor iou;
  Tensor intersection;
  Tensor union_;

  IouResult(const Tensor& like, const std::vector<int64_t>& sizes)
      : iou(torch::stable::new_empty(like, sizes, ScalarType::Float)),
        intersection(torch::stable::new_zeros(like, sizes, ScalarType::Long)),
        union_(torch::stable::new_zeros(like, sizes, ScalarType::Long)) {}

  int64_t* intersection_data() const { return static_cast<int64_t*>(intersection.mutable_data_ptr()); }
  int64_t* union_data() const { return static_cast<int64_t*>(union_.mutable_data_ptr()); }
  float* iou_data() const { return static_cast<float*>(iou.mutable_data_ptr()); }
  void finish_cpu() const { finish_iou_cpu(intersection_data(), union_data(), iou_data(), iou.numel()); }
  std::tuple<Tensor, Tensor, Tensor> tensors() const { return {iou, intersection, union_}; }
};

}  // namespace jc3d
