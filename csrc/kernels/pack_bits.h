// Signs to bits: eight elements a byte, bit 1 for x >= 0, most significant bit first, zero padding at the end of a row.
#pragma once

#include <algorithm>
#include <cstdint>

#include "scalar.h"

namespace jc3d {

// The byte of `count` (1 to 8) elements of a row.
template <typename T>
JC3D_HOST_DEVICE inline uint8_t pack_group(const T* x, int count) {
  unsigned byte = 0;
  for (int i = 0; i < count; ++i) byte |= static_cast<unsigned>(is_nonnegative(x[i])) << (7 - i);
  return static_cast<uint8_t>(byte);
}

// Rows whose length is a whole number of bytes follow each other without padding: they are one long row.
struct PackedRows {
  int64_t rows;
  int64_t n;

  JC3D_HOST_DEVICE PackedRows(int64_t row_count, int64_t row_length)
      : rows(row_length % 8 == 0 ? 1 : row_count), n(row_length % 8 == 0 ? row_count * row_length : row_length) {}
  JC3D_HOST_DEVICE int64_t row_bytes() const { return (n + 7) / 8; }
  JC3D_HOST_DEVICE int64_t num_bytes() const { return rows * row_bytes(); }

  // Bytes begin to end, a row after the other: run(first element, first byte, elements).
  template <typename Run>
  void for_each_run(int64_t begin, int64_t end, Run&& run) const {
    while (begin < end) {
      const int64_t row = begin / row_bytes();
      const int64_t first = begin % row_bytes();
      const int64_t last = std::min(row_bytes(), first + end - begin);
      run(row * n + 8 * first, begin, std::min(n, 8 * last) - 8 * first);
      begin += last - first;
    }
  }
};

// x [rows, n] -> packed [rows, ceil(n / 8)], both contiguous; writes bytes begin to end of the result.
template <typename T>
void pack_bits_cpu(const T* x, uint8_t* packed, int64_t rows, int64_t n, int64_t begin, int64_t end);

// The whole result, on the GPU: x and packed are device pointers. Returns nullptr or an error message.
template <typename T>
const char* pack_bits_cuda(const T* x, uint8_t* packed, int64_t rows, int64_t n, void* stream);

}  // namespace jc3d
