// The number types of the kernels, and what C++17 lacks for them. No torch header: nvcc compiles this without PyTorch.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define JC3D_HOST_DEVICE __host__ __device__
#else
#define JC3D_HOST_DEVICE
#endif

// For arithmetic inside a vector loop: a call that is not inlined would keep the loop scalar.
#define JC3D_INLINE JC3D_HOST_DEVICE inline __attribute__((always_inline))

namespace jc3d {

// bfloat16 and float16 as their bits: C++17 has neither, and every later compiler its own.
struct BFloat16 {
  uint16_t bits;
};

struct Half {
  uint16_t bits;
};

// Instantiates a macro for every number type a kernel is built for.
#define JC3D_FOR_EACH_FLOAT(instantiate) \
  instantiate(float);                    \
  instantiate(double);                   \
  instantiate(BFloat16);                 \
  instantiate(Half)

// What a kernel computes a T in: float, and double for double.
template <typename T>
struct Compute {
  using type = float;
};

template <>
struct Compute<double> {
  using type = double;
};

template <typename T>
using compute_t = typename Compute<T>::type;

JC3D_INLINE float float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

JC3D_INLINE uint32_t bits_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

JC3D_INLINE float to_compute(float value) {
  return value;
}

JC3D_INLINE double to_compute(double value) {
  return value;
}

JC3D_INLINE float to_compute(BFloat16 value) {
  return float_of_bits(static_cast<uint32_t>(value.bits) << 16);
}

JC3D_INLINE float to_compute(Half value) {
#ifdef __CUDA_ARCH__
  float wide;
  asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(value.bits));
  return wide;
#else
  const uint32_t sign = static_cast<uint32_t>(value.bits & 0x8000) << 16;
  const uint32_t magnitude = value.bits & 0x7FFF;
  if (magnitude >= 0x7C00) return float_of_bits(sign | 0x7F800000 | (magnitude & 0x3FF) << 13);  // infinity, NaN
  // Exponent and mantissa moved into a float's places, then the bias made up for by an exact product, which also
  // normalises the subnormal numbers: 2^112 = 2^(127 - 15).
  const float scaled = float_of_bits(magnitude << 13) * float_of_bits((127 + 112) << 23);
  return sign ? -scaled : scaled;
#endif
}

// A number as a T, rounded to the nearest, ties to even; NaN stays NaN.
template <typename T>
JC3D_INLINE T from_compute(compute_t<T> value) {
  return value;
}

template <>
JC3D_INLINE BFloat16 from_compute<BFloat16>(float value) {
  const uint32_t bits = bits_of_float(value);
  const uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  return BFloat16{static_cast<uint16_t>(value != value ? 0x7FC0 : rounded)};
}

template <>
JC3D_INLINE Half from_compute<Half>(float value) {
#ifdef __CUDA_ARCH__
  Half narrow;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(narrow.bits) : "f"(value));
  return narrow;
#else
  const uint32_t bits = bits_of_float(value);
  const uint32_t sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  uint32_t half;
  if (magnitude > 0x7F800000) {
    half = 0x7E00;  // NaN
  } else if (magnitude >= 0x477FF000) {
    half = 0x7C00;  // from 65520 on: infinity
  } else if (magnitude < 0x38800000) {
    // Below 2^-14 the result is subnormal: half a unit is 2^-25, where the sum with 0.5 rounds by itself.
    half = bits_of_float(float_of_bits(magnitude) + 0.5f) - 0x3F000000;
  } else {
    half = (magnitude + (static_cast<uint32_t>(15 - 127) << 23) + 0xFFF + (magnitude >> 13 & 1)) >> 13;
  }
  return Half{static_cast<uint16_t>(sign | half)};
#endif
}

// value >= 0: true for -0.0, false for NaN.
JC3D_HOST_DEVICE inline bool is_nonnegative(float value) {
  return value >= 0.0f;
}

JC3D_HOST_DEVICE inline bool is_nonnegative(double value) {
  return value >= 0.0;
}

// The 16-bit types by their bits, which the compiler turns into vector instructions: from 0 to infinity, or -0.0.
template <uint16_t infinity>
JC3D_HOST_DEVICE inline bool is_nonnegative_16(uint16_t bits) {
  return bits <= infinity || bits == 0x8000;
}

JC3D_HOST_DEVICE inline bool is_nonnegative(BFloat16 value) {
  return is_nonnegative_16<0x7F80>(value.bits);
}

JC3D_HOST_DEVICE inline bool is_nonnegative(Half value) {
  return is_nonnegative_16<0x7C00>(value.bits);
}

// +1 or -1.
template <typename T>
JC3D_HOST_DEVICE constexpr T sign_value(bool positive) {
  return positive ? T(1) : T(-1);
}

template <>
JC3D_HOST_DEVICE constexpr BFloat16 sign_value<BFloat16>(bool positive) {
  return BFloat16{static_cast<uint16_t>(positive ? 0x3F80 : 0xBF80)};
}

template <>
JC3D_HOST_DEVICE constexpr Half sign_value<Half>(bool positive) {
  return Half{static_cast<uint16_t>(positive ? 0x3C00 : 0xBC00)};
}

}  // namespace jc3d
