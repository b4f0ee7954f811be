#include "binarize.h"

#include "cpu.h"

namespace jc3d {
namespace {

// The loops, written once; the compiler makes vector code of them for each target.
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

#ifdef JC3D_X86

template <typename T>
JC3D_TARGET_AVX2 void binarize_avx2(const T* x, T* signs, const int64_t* seed, MemoryOrder order, int64_t begin,
                                    int64_t end) {
  binarize_loop(x, signs, seed, order, begin, end);
}

template <typename T>
JC3D_TARGET_AVX512 void binarize_avx512(const T* x, T* signs, const int64_t* seed, MemoryOrder order, int64_t begin,
                                        int64_t end) {
  binarize_loop(x, signs, seed, order, begin, end);
}

#endif  // JC3D_X86

}  // namespace

template <typename T>
void binarize_cpu(const T* x, T* signs, const int64_t* seed, MemoryOrder order, int64_t begin, int64_t end) {
  switch (cpu_level()) {
#ifdef JC3D_X86
    case CpuLevel::avx512:
      return binarize_avx512(x, signs, seed, order, begin, end);
    case CpuLevel::avx2:
      return binarize_avx2(x, signs, seed, order, begin, end);
#endif
    default:
      return binarize_loop(x, signs, seed, order, begin, end);
  }
}

#define INSTANTIATE(T) template void binarize_cpu<T>(const T*, T*, const int64_t*, MemoryOrder, int64_t, int64_t)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
