#include "winograd.h"

#include "cpu.h"

namespace jc3d {
namespace {

// The four transformed lines of four lines of n numbers.
template <typename T>
JC3D_ALWAYS_INLINE void transform_loop(const T* const* d, T* const* m, int64_t n) {
  const T* d0 = d[0];
  const T* d1 = d[1];
  const T* d2 = d[2];
  const T* d3 = d[3];
  T* m0 = m[0];
  T* m1 = m[1];
  T* m2 = m[2];
  T* m3 = m[3];
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) {
    m0[j] = d0[j] - d2[j];
    m1[j] = d1[j] + d2[j];
    m2[j] = d2[j] - d1[j];
    m3[j] = d1[j] - d3[j];
  }
}

// One of them: a - b, or a + b.
template <typename T>
JC3D_ALWAYS_INLINE void combine_loop(const T* a, const T* b, bool add, T* m, int64_t n) {
  const T sign = add ? T(1) : T(-1);
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) m[j] = a[j] + sign * b[j];
}

#define JC3D_TRANSFORMS(level, target)                                             \
  template <typename T>                                                            \
  target void transform_##level(const T* const* d, T* const* m, int64_t n) {       \
    transform_loop(d, m, n);                                                       \
  }                                                                                \
  template <typename T>                                                            \
  target void combine_##level(const T* a, const T* b, bool add, T* m, int64_t n) { \
    combine_loop(a, b, add, m, n);                                                 \
  }                                                                                \
  template <typename T>                                                            \
  constexpr WinogradTransforms<T> kTransforms_##level = {transform_##level<T>, combine_##level<T>};

#define JC3D_NO_TARGET
JC3D_TRANSFORMS(scalar, JC3D_NO_TARGET)
#ifdef JC3D_X86
JC3D_TRANSFORMS(avx2, JC3D_TARGET_AVX2)
JC3D_TRANSFORMS(avx512, JC3D_TARGET_AVX512)
#endif
#undef JC3D_TRANSFORMS
#undef JC3D_NO_TARGET

}  // namespace

template <typename T>
const WinogradTransforms<T>& winograd_transforms() {
  switch (cpu_level()) {
#ifdef JC3D_X86
    case CpuLevel::avx512:
      return kTransforms_avx512<T>;
    case CpuLevel::avx2:
      return kTransforms_avx2<T>;
#endif
    default:
      return kTransforms_scalar<T>;
  }
}

template const WinogradTransforms<float>& winograd_transforms<float>();
template const WinogradTransforms<double>& winograd_transforms<double>();

}  // namespace jc3d
