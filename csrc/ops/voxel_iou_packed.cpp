#include "../kernels/voxel_iou_packed.h"

#include "voxel_iou.h"

namespace jc3d {
namespace {

// a, b [*B, X, Y, bytes] uint8 -> iou, intersection, union [*B].
template <typename Run>
std::tuple<Tensor, Tensor, Tensor> voxel_iou_packed(const Tensor& a, const Tensor& b, Run&& run) {
  check_dtype("a", a, ScalarType::Byte);
  check_dtype("b", b, ScalarType::Byte);
  const GridSizes sizes("a", a);
  check_sizes("b", b, sizes_of(a));
  check_same_device("b", b, "a", a);
  const IouResult result(a, sizes.batch);
  const Tensor ours = torch::stable::contiguous(a);
  const Tensor theirs = torch::stable::contiguous(b);
  run(static_cast<const uint8_t*>(ours.const_data_ptr()), static_cast<const uint8_t*>(theirs.const_data_ptr()), sizes,
      result);
  return result.tensors();
}

std::tuple<Tensor, Tensor, Tensor> voxel_iou_packed_cpu(const Tensor& a, const Tensor& b) {
  return voxel_iou_packed(
      a, b, [](const uint8_t* ours, const uint8_t* theirs, const GridSizes& sizes, const IouResult& result) {
        torch::stable::parallel_for(0, sizes.objects * sizes.elements, kGrain, [&](int64_t begin, int64_t end) {
          jc3d::voxel_iou_packed_cpu(ours, theirs, result.intersection_data(), result.union_data(), sizes.elements,
                                     begin, end);
        });
        result.finish_cpu();
      });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("voxel_iou_packed", TORCH_BOX(&voxel_iou_packed_cpu));
}

#ifdef JC3D_WITH_CUDA

std::tuple<Tensor, Tensor, Tensor> voxel_iou_packed_cuda(const Tensor& a, const Tensor& b) {
  return voxel_iou_packed(
      a, b, [&](const uint8_t* ours, const uint8_t* theirs, const GridSizes& sizes, const IouResult& result) {
        launch_on(a, "voxel_iou_packed", [&](void* stream) {
          return jc3d::voxel_iou_packed_cuda(ours, theirs, result.intersection_data(), result.union_data(),
                                             result.iou_data(), sizes.objects, sizes.elements, stream);
        });
      });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CUDA, library) {
  library.impl("voxel_iou_packed", TORCH_BOX(&voxel_iou_packed_cuda));
}

#endif  // JC3D_WITH_CUDA

}  // namespace
}  // namespace jc3d
