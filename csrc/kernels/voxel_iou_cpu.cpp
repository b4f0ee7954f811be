#include "voxel_iou.h"

#include <algorithm>

#include "cpu.h"

namespace jc3d {
namespace {

// Voxels counted at once: they stay in the first-level cache for all thresholds.
constexpr int64_t kBlock = 4096;

struct Counts {
  int32_t intersection;
  int32_t union_;
};

template <typename T, typename Target>
JC3D_ALWAYS_INLINE Counts count_loop(const T* prob, const Target* target, compute_t<T> threshold, int64_t n) {
  int32_t intersection = 0;
  int32_t union_ = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t ours = to_compute(prob[i]) > threshold;
    const int32_t theirs = is_occupied(target[i]);
    intersection += ours & theirs;
    union_ += ours | theirs;
  }
  return {intersection, union_};
}

void add(int64_t* total, int64_t value) {
  __atomic_fetch_add(total, value, __ATOMIC_RELAXED);
}

}  // namespace

template <typename T, typename Target>
void voxel_iou_cpu(const T* prob, const Target* target, const double* thresholds, int64_t num_thresholds,
                   int64_t* intersection, int64_t* union_, int64_t objects, int64_t voxels, int64_t begin,
                   int64_t end) {
  const auto count = for_this_cpu<&count_loop<T, Target>>();
  while (begin < end) {
    const int64_t object = begin / voxels;
    const int64_t n = std::min({kBlock, end - begin, (object + 1) * voxels - begin});
    for (int64_t t = 0; t < num_thresholds; ++t) {
      const Counts counts = count(prob + begin, target + begin, static_cast<compute_t<T>>(thresholds[t]), n);
      add(intersection + t * objects + object, counts.intersection);
      add(union_ + t * objects + object, counts.union_);
    }
    begin += n;
  }
}

void finish_iou_cpu(const int64_t* intersection, const int64_t* union_, float* iou, int64_t n) {
  for (int64_t i = 0; i < n; ++i) iou[i] = iou_of(intersection[i], union_[i]);
}

#define INSTANTIATE(T, Target)                                                                                         \
  template void voxel_iou_cpu<T, Target>(const T*, const Target*, const double*, int64_t, int64_t*, int64_t*, int64_t, \
                                         int64_t, int64_t, int64_t)
JC3D_FOR_EACH_PAIR(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
