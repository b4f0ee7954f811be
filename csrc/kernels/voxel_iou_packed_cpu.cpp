#include <algorithm>
#include <cstring>

#include "cpu.h"
#include "voxel_iou_packed.h"

namespace jc3d {
namespace {

struct Counts {
  int64_t intersection = 0;
  int64_t union_ = 0;
};

// Every level above scalar has an instruction that counts bits.
JC3D_ALWAYS_INLINE Counts count_loop(const uint8_t* a, const uint8_t* b, int64_t n) {
  Counts counts;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t ours;
    uint64_t theirs;
    memcpy(&ours, a + i, 8);
    memcpy(&theirs, b + i, 8);
    counts.intersection += __builtin_popcountll(ours & theirs);
    counts.union_ += __builtin_popcountll(ours | theirs);
  }
  for (; i < n; ++i) {
    counts.intersection += __builtin_popcount(a[i] & b[i]);
    counts.union_ += __builtin_popcount(a[i] | b[i]);
  }
  return counts;
}

}  // namespace

void voxel_iou_packed_cpu(const uint8_t* a, const uint8_t* b, int64_t* intersection, int64_t* union_, int64_t num_bytes,
                          int64_t begin, int64_t end) {
  const auto count = for_this_cpu<&count_loop>();
  while (begin < end) {
    const int64_t object = begin / num_bytes;
    const int64_t n = std::min(end, (object + 1) * num_bytes) - begin;
    const Counts counts = count(a + begin, b + begin, n);
    __atomic_fetch_add(intersection + object, counts.intersection, __ATOMIC_RELAXED);
    __atomic_fetch_add(union_ + object, counts.union_, __ATOMIC_RELAXED);
    begin += n;
  }
}

}  // namespace jc3d
