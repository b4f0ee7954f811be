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

}  // namespace

template <typename T>
WinogradTransforms<T> winograd_transforms() {
  return {for_this_cpu<&transform_loop<T>>(), for_this_cpu<&combine_loop<T>>()};
}

template WinogradTransforms<float> winograd_transforms<float>();
template WinogradTransforms<double> winograd_transforms<double>();

}  // namespace jc3d
