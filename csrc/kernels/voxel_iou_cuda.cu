#include "iou_cuda.cuh"
#include "voxel_iou.h"

namespace jc3d {
namespace {

// Thresholds that one pass over the memory counts.
constexpr int kThresholds = 4;
// Voxels that a thread reads at once, 16 bytes or a multiple of every type.
constexpr int kWidth = 16;
// Times that a thread does so in a piece.
constexpr int kRounds = 2;

template <typename Number>
struct Thresholds {
  Number values[kThresholds];
};

template <typename T, typename Target, int width, int num_thresholds>
__global__ void __launch_bounds__(kBlockSize)
    count_kernel(const T* prob, const Target* target, Thresholds<compute_t<T>> thresholds, int wanted,
                 int64_t* intersection, int64_t* union_, Pieces pieces) {
  const int64_t per_object = pieces.per_object();
  for (int64_t piece = blockIdx.x; piece < pieces.count(); piece += gridDim.x) {
    const int64_t object = piece / per_object;
    const int64_t first = (piece - object * per_object) * pieces.piece_size;
    const int64_t last = first + pieces.piece_size < pieces.size ? first + pieces.piece_size : pieces.size;
    const T* object_prob = prob + object * pieces.size;
    const Target* object_target = target + object * pieces.size;
    int both[num_thresholds] = {};
    int either[num_thresholds] = {};
    for (int64_t i = first + threadIdx.x * width; i < last; i += kBlockSize * width) {
      T p[width];
      Target t[width];
      load(p, object_prob + i);
      load(t, object_target + i);
#pragma unroll
      for (int e = 0; e < width; ++e) {
        const int theirs = is_occupied(t[e]);
#pragma unroll
        for (int k = 0; k < num_thresholds; ++k) {
          const int ours = to_compute(p[e]) > thresholds.values[k];
          both[k] += ours & theirs;
          either[k] += ours | theirs;
        }
      }
    }
#pragma unroll
    for (int k = 0; k < num_thresholds; ++k) {
      if (k >= wanted) break;  // the same for all threads
      add_block_sum(both[k], intersection + k * pieces.objects + object);
      add_block_sum(either[k], union_ + k * pieces.objects + object);
    }
  }
}

template <typename T, typename Target, int width>
const char* launch(const T* prob, const Target* target, const double* thresholds, int64_t num_thresholds,
                   int64_t* intersection, int64_t* union_, int64_t objects, int64_t voxels, cudaStream_t stream) {
  const Pieces pieces{objects, voxels, kBlockSize * width * kRounds};
  const auto grid = static_cast<unsigned>(std::min(pieces.count(), kMaxBlocks));
  for (int64_t first = 0; first < num_thresholds;) {
    Thresholds<compute_t<T>> some{};  // those that nobody wants are counted and dropped: cheaper than another pass
    const int64_t taken = std::min<int64_t>(num_thresholds - first, kThresholds);
    for (int64_t k = 0; k < taken; ++k) some.values[k] = static_cast<compute_t<T>>(thresholds[first + k]);
    const auto kernel = taken == 1 ? count_kernel<T, Target, width, 1> : count_kernel<T, Target, width, kThresholds>;
    kernel<<<grid, kBlockSize, 0, stream>>>(prob, target, some, static_cast<int>(taken), intersection + first * objects,
                                            union_ + first * objects, pieces);
    if (const char* error = launch_error()) return error;
    first += taken;
  }
  return nullptr;
}

}  // namespace

template <typename T, typename Target>
const char* voxel_iou_cuda(const T* prob, const Target* target, const double* thresholds, int64_t num_thresholds,
                           int64_t* intersection, int64_t* union_, float* iou, int64_t objects, int64_t voxels,
                           void* stream) {
  const int64_t results = num_thresholds * objects;
  if (results == 0) return nullptr;
  const auto cuda_stream = static_cast<cudaStream_t>(stream);
  if (voxels > 0) {
    const bool vectors = voxels % kWidth == 0 && is_aligned_16(prob) && is_aligned_16(target);
    const auto run = vectors ? launch<T, Target, kWidth> : launch<T, Target, 1>;
    const char* error =
        run(prob, target, thresholds, num_thresholds, intersection, union_, objects, voxels, cuda_stream);
    if (error != nullptr) return error;
  }
  return finish_iou(intersection, union_, iou, results, cuda_stream);
}

#define INSTANTIATE(T, Target)                                                                                        \
  template const char* voxel_iou_cuda<T, Target>(const T*, const Target*, const double*, int64_t, int64_t*, int64_t*, \
                                                 float*, int64_t, int64_t, void*)
JC3D_FOR_EACH_PAIR(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
