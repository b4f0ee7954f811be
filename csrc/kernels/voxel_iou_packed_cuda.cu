#include "iou_cuda.cuh"
#include "voxel_iou_packed.h"

namespace jc3d {
namespace {

constexpr int kRounds = 8;

__device__ inline int count_bits(const uint4& words) {
  return __popc(words.x) + __popc(words.y) + __popc(words.z) + __popc(words.w);
}

// width: 16 bytes at once, or 1.
template <int width>
__global__ void __launch_bounds__(kBlockSize)
    count_kernel(const uint8_t* a, const uint8_t* b, int64_t* intersection, int64_t* union_, Pieces pieces) {
  const int64_t per_object = pieces.per_object();
  for (int64_t piece = blockIdx.x; piece < pieces.count(); piece += gridDim.x) {
    const int64_t object = piece / per_object;
    const int64_t first = (piece - object * per_object) * pieces.piece_size;
    const int64_t last = first + pieces.piece_size < pieces.size ? first + pieces.piece_size : pieces.size;
    int both = 0;
    int either = 0;
    for (int64_t i = first + threadIdx.x * width; i < last; i += kBlockSize * width) {
      const int64_t offset = object * pieces.size + i;
      if constexpr (width == 16) {
        const uint4 ours = *reinterpret_cast<const uint4*>(a + offset);
        const uint4 theirs = *reinterpret_cast<const uint4*>(b + offset);
        both += count_bits({ours.x & theirs.x, ours.y & theirs.y, ours.z & theirs.z, ours.w & theirs.w});
        either += count_bits({ours.x | theirs.x, ours.y | theirs.y, ours.z | theirs.z, ours.w | theirs.w});
      } else {
        both += __popc(a[offset] & b[offset]);
        either += __popc(a[offset] | b[offset]);
      }
    }
    add_block_sum(both, intersection + object);
    add_block_sum(either, union_ + object);
  }
}

}  // namespace

const char* voxel_iou_packed_cuda(const uint8_t* a, const uint8_t* b, int64_t* intersection, int64_t* union_,
                                  float* iou, int64_t objects, int64_t num_bytes, void* stream) {
  if (objects == 0) return nullptr;
  const auto cuda_stream = static_cast<cudaStream_t>(stream);
  if (num_bytes > 0) {
    const bool vectors = num_bytes % 16 == 0 && is_aligned_16(a) && is_aligned_16(b);
    const Pieces pieces{objects, num_bytes, kBlockSize * kRounds * (vectors ? 16 : 1)};
    const auto grid = static_cast<unsigned>(std::min(pieces.count(), kMaxBlocks));
    const auto kernel = vectors ? count_kernel<16> : count_kernel<1>;
    kernel<<<grid, kBlockSize, 0, cuda_stream>>>(a, b, intersection, union_, pieces);
    if (const char* error = launch_error()) return error;
  }
  return finish_iou(intersection, union_, iou, objects, cuda_stream);
}

}  // namespace jc3d
