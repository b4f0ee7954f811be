// sigmoid and tanh without branches: one loop of them becomes vector code on a CPU, and a GPU runs the same arithmetic.
#pragma once

#include <cmath>

#include "scalar.h"

namespace jc3d {

// exp(x) = scale + fraction * scale, |fraction| < 0.42; kept apart so that exp(x) - 1 loses nothing near 0.
struct SplitExp {
  float scale;
  float fraction;
};

// For x in [-87, 88]. Within 1.5e-7 of exp(x), relatively.
JC3D_INLINE SplitExp split_exp(float x) {
  // Added to a number below 2^21 this rounds it to an integer, which then stands in the lowest bits of the sum.
  constexpr float shifter = 12582912.0f;  // 1.5 * 2^23
  const float shifted = x * 1.44269504f + shifter;
  const float n = shifted - shifter;
  // x - n * log(2), with log(2) in two parts, the first of few bits (Cody and Waite).
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.0f / 5040.0f;  // exp(r) - 1 as its Taylor series: the next term is below 1e-8
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  return {float_of_bits((bits_of_float(shifted) << 23) + (127u << 23)), p * r};
}

// 1 / (1 + exp(-x)); NaN gives NaN. The comparisons are such that NaN passes.
JC3D_INLINE float sigmoid(float x) {
  x = x < -88.0f ? -88.0f : x;
  x = x > 87.0f ? 87.0f : x;
  const SplitExp e = split_exp(-x);
  return 1.0f / (1.0f + (e.scale + e.fraction * e.scale));
}

JC3D_INLINE double sigmoid(double x) {
  return 1.0 / (1.0 + exp(-x));
}

// NaN gives NaN, -0.0 gives -0.0.
JC3D_INLINE float tanh_of(float x) {
  const uint32_t sign = bits_of_float(x) & 0x80000000;
  float magnitude = float_of_bits(bits_of_float(x) & 0x7FFFFFFF);
  magnitude = magnitude > 10.0f ? 10.0f : magnitude;  // tanh(10) is 1 in float32
  const SplitExp e = split_exp(2.0f * magnitude);
  const float exp_minus_1 = e.fraction * e.scale + (e.scale - 1.0f);
  const float result = exp_minus_1 / (exp_minus_1 + 2.0f);
  return float_of_bits(bits_of_float(result) | sign);
}

JC3D_INLINE double tanh_of(double x) {
  return tanh(x);
}

}  // namespace jc3d
