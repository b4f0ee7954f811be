// sigmoid and tanh without branches: one loop of them becomes vector code on a CPU, and a GPU runs the same arithmetic.
#pragma once

#include <cmath>

#include "scalar.h"

namespace jc3d {

// exp(x) = scale + fraction * scale, |fraction| < 0.42 (2^0.5 - 1); kept apart so that exp(x) - 1 loses nothing near 0.
struct SplitExp {
  float scale;
  float fraction;
};

// For x in [-87, 88]. Within 3e-7 of exp(x), relatively, where |x| < 2; the error grows with |x|, as that of x *
// log2(e) does, but what is made of it here is flat there: nothing comes of it.
JC3D_INLINE SplitExp split_exp(float x) {
  constexpr float log2_e = 1.44269504f;
  // Added to a number below 2^21 this rounds it to an integer, which then stands in the lowest bits of the sum.
  constexpr float shifter = 12582912.0f;  // 1.5 * 2^23
  const float shifted = x * log2_e + shifter;
  const float f = x * log2_e - (shifted - shifter);
  // (2^f - 1) / f for |f| <= 1/2: the polynomial of least relative error, 2e-8 with these rounded coefficients.
  float p = 1.54035122e-4f;
  p = p * f + 1.33907353e-3f;
  p = p * f + 9.61823761e-3f;
  p = p * f + 5.55035733e-2f;
  p = p * f + 2.40226492e-1f;
  p = p * f + 6.93147182e-1f;
  return {float_of_bits((bits_of_float(shifted) << 23) + (127u << 23)), p * f};
}

// A quotient that is not divided yet: products of quotients need one division.
template <typename Number>
struct Ratio {
  Number over;
  Number under;
};

// 1 + exp(-x), what sigmoid is 1 over; NaN gives NaN. The comparisons are such that NaN passes.
JC3D_INLINE float sigmoid_under(float x) {
  x = x < -88.0f ? -88.0f : x;
  x = x > 87.0f ? 87.0f : x;
  const SplitExp e = split_exp(-x);
  return 1.0f + (e.scale + e.fraction * e.scale);
}

JC3D_INLINE double sigmoid_under(double x) {
  return 1.0 + exp(-x);
}

template <typename Number>
JC3D_INLINE Number sigmoid(Number x) {
  return Number(1) / sigmoid_under(x);
}

// NaN gives NaN, -0.0 gives -0.0.
JC3D_INLINE Ratio<float> tanh_ratio(float x) {
  const uint32_t sign = bits_of_float(x) & 0x80000000;
  float magnitude = float_of_bits(bits_of_float(x) & 0x7FFFFFFF);
  magnitude = magnitude > 10.0f ? 10.0f : magnitude;  // tanh(10) is 1 in float32
  const SplitExp e = split_exp(2.0f * magnitude);
  const float exp_minus_1 = e.fraction * e.scale + (e.scale - 1.0f);
  return {float_of_bits(bits_of_float(exp_minus_1) | sign), exp_minus_1 + 2.0f};
}

JC3D_INLINE Ratio<double> tanh_ratio(double x) {
  return {tanh(x), 1.0};
}

template <typename Number>
JC3D_INLINE Number tanh_of(Number x) {
  const Ratio<Number> ratio = tanh_ratio(x);
  return ratio.over / ratio.under;
}

}  // namespace jc3d
