#include "voxel_iou.h"

namespace jc3d {
namespace {

// Calls f with a null pointer to the kernels' type for a target: bytes for bool and uint8, else a number.
template <typename F>
void dispatch_target(ScalarType dtype, F&& f) {
  if (dtype == ScalarType::Bool || dtype == ScalarType::Byte) return f(static_cast<uint8_t*>(nullptr));
  dispatch_float("target", dtype, f);
}

// prob, target [*B, X, Y, Z] -> iou, intersection, union [thresholds, *B].
template <typename Run>
std::tuple<Tensor, Tensor, Tensor> voxel_iou(const Tensor& prob, const Tensor& target,
                                             const std::vector<double>& thresholds, Run&& run) {
  const GridSizes sizes("prob", prob);
  check_sizes("target", target, sizes_of(prob));
  check_same_device("target", target, "prob", prob);
  std::vector<int64_t> result_sizes = {static_cast<int64_t>(thresholds.size())};
  result_sizes.insert(result_sizes.end(), sizes.batch.begin(), sizes.batch.end());
  const IouResult result(prob, result_sizes);
  const Tensor ours = torch::stable::contiguous(prob);
  const Tensor theirs = torch::stable::contiguous(target);
  dispatch_float("prob", prob.scalar_type(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    dispatch_target(target.scalar_type(), [&](auto* target_type) {
      using Target = std::remove_pointer_t<decltype(target_type)>;
      run(static_cast<const T*>(ours.const_data_ptr()), static_cast<const Target*>(theirs.const_data_ptr()), sizes,
          result);
    });
  });
  return result.tensors();
}

std::tuple<Tensor, Tensor, Tensor> voxel_iou_cpu(const Tensor& prob, const Tensor& target,
                                                 std::vector<double> thresholds) {
  return voxel_iou(prob, target, thresholds,
                   [&](const auto* ours, const auto* theirs, const GridSizes& sizes, const IouResult& result) {
                     const auto count = [&](int64_t begin, int64_t end) {
                       jc3d::voxel_iou_cpu(ours, theirs, thresholds.data(), static_cast<int64_t>(thresholds.size()),
                                           result.intersection_data(), result.union_data(), sizes.objects,
                                           sizes.elements, begin, end);
                     };
                     torch::stable::parallel_for(0, sizes.objects * sizes.elements, kGrain, count);
                     result.finish_cpu();
                   });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("voxel_iou", TORCH_BOX(&voxel_iou_cpu));
}

#ifdef JC3D_WITH_CUDA

std::tuple<Tensor, Tensor, Tensor> voxel_iou_cuda(const Tensor& prob, const Tensor& target,
                                                  std::vector<double> thresholds) {
  return voxel_iou(prob, target, thresholds,
                   [&](const auto* ours, const auto* theirs, const GridSizes& sizes, const IouResult& result) {
                     launch_on(prob, "voxel_iou", [&](void* stream) {
                       return jc3d::voxel_iou_cuda(ours, theirs, thresholds.data(),
                                                   static_cast<int64_t>(thresholds.size()), result.intersection_data(),
                                                   result.union_data(), result.iou_data(), sizes.objects,
                                                   sizes.elements, stream);
                     });
                   });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CUDA, library) {
  library.impl("voxel_iou", TORCH_BOX(&voxel_iou_cuda));
}

#endif  // JC3D_WITH_CUDA

}  // namespace
}  // namespace jc3d
