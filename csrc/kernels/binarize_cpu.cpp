#include "binarize.h"

#include "cpu.h"

namespace jc3d {
namespace {

template <typename T>
JC3D_ALWAYS_INLINE void binarize_loop(const T* x, T* signs, const int64_t* seed, MemoryOrder order, int64_t begin,
                                      int64_t end) {
  if (seed == nullptr) {
    for (int64_t i = begin; i < end; ++i) signs[i] = sign_value<T>(is_nonnegative(x[i]));
    return;
  }
  const uint64_t key = hash_key(*seed);
  if (order.channels == 1) {
    for (int64_t i = begin; i < end; ++i) signs[i] = sign_value<T>(binarize_draw(x[i], key, i));
  } else {
    for (int64_t i = begin; i < end; ++i) signs[i] = sign_value<T>(binarize_draw(x[i], key, order.index(i)));
  }
}

}  // namespace

template <typename T>
void binarize_cpu(const T* x, T* signs, const int64_t* seed, MemoryOrder order, int64_t begin, int64_t end) {
  for_this_cpu<&binarize_loop<T>>()(x, signs, seed, order, begin, end);
}

#define INSTANTIATE(T) template void binarize_cpu<T>(const T*, T*, const int64_t*, MemoryOrder, int64_t, int64_t)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
