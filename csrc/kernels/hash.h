// The counter-based random numbers of the ops: a hash of (seed, index), the same on every device. jc3d/ops/binarize.py
// holds the same arithmetic in PyTorch.
#pragma once

#include <cstdint>

#include "scalar.h"

namespace jc3d {

// SplitMix64 (Steele, Lea & Flood 2014): the increment and the output function, a bijection of 64-bit integers.
constexpr uint64_t kHashIncrement = 0x9E3779B97F4A7C15;

JC3D_HOST_DEVICE inline uint64_t hash_mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// Where the sequence of a seed starts; neighbouring seeds start far apart.
JC3D_HOST_DEVICE inline uint64_t hash_key(int64_t seed) {
  return hash_mix(static_cast<uint64_t>(seed) + kHashIncrement);
}

// Uniform in [0, 1): element number `index` of the sequence, a multiple of 2^-24 and so exact in float.
JC3D_HOST_DEVICE inline float hash_uniform(uint64_t key, int64_t index) {
  const uint64_t bits = hash_mix(key + (static_cast<uint64_t>(index) + 1) * kHashIncrement);
  return static_cast<float>(static_cast<uint32_t>(bits >> 40)) * (1.0f / (1 << 24));
}

}  // namespace jc3d
