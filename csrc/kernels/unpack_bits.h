// Bits to +1 (bit 1) and -1 (bit 0), most significant bit first; the padding at the end of a row is dropped.
#pragma once

#include <cstdint>

#include "pack_bits.h"
#include "scalar.h"

namespace jc3d {

// Element i (0 to 7) of a byte.
template <typename T>
JC3D_HOST_DEVICE constexpr T unpack_element(unsigned byte, int i) {
  return sign_value<T>((byte >> (7 - i) & 1) != 0);
}

// packed [rows, ceil(n / 8)] -> signs [rows, n], both contiguous; reads bytes begin to end of the packed rows.
template <typename T>
void unpack_bits_cpu(const uint8_t* packed, T* signs, int64_t rows, int64_t n, int64_t begin, int64_t end);

// All of it, on the GPU: packed and signs are device pointers. Returns nullptr or an error message.
template <typename T>
const char* unpack_bits_cuda(const uint8_t* packed, T* signs, int64_t rows, int64_t n, void* stream);

}  // namespace jc3d
