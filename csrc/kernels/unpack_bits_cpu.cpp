#include "unpack_bits.h"

#include <algorithm>

namespace jc3d {
namespace {

// The eight elements of every byte. Copying a line of it is one or two vector stores on any CPU, and 16 KiB at most
// stay in the first-level cache: the stores to memory set the pace, so there is nothing to gain from wider
// instructions.
template <typename T>
struct Table {
  T groups[256][8];

  constexpr Table() : groups() {
    for (int byte = 0; byte < 256; ++byte) {
      for (int i = 0; i < 8; ++i) groups[byte][i] = unpack_element<T>(byte, i);
    }
  }
};

template <typename T>
constexpr Table<T> table;

}  // namespace

template <typename T>
void unpack_bits_cpu(const uint8_t* packed, T* signs, int64_t rows, int64_t n, int64_t begin, int64_t end) {
  const PackedRows shape(rows, n);
  const int64_t row_bytes = shape.row_bytes();
  while (begin < end) {
    const int64_t row = begin / row_bytes;
    const int64_t first = begin % row_bytes;
    const int64_t last = std::min(row_bytes, first + end - begin);
    const int64_t last_whole = std::min(last, shape.n / 8);
    T* group = signs + row * shape.n + 8 * first;
    for (int64_t i = first; i < last_whole; ++i, ++begin, group += 8) {
      memcpy(group, table<T>.groups[packed[begin]], sizeof(table<T>.groups[0]));
    }
    if (last_whole < last) {
      memcpy(group, table<T>.groups[packed[begin]], (shape.n % 8) * sizeof(T));
      ++begin;
    }
  }
}

#define INSTANTIATE(T) template void unpack_bits_cpu<T>(const uint8_t*, T*, int64_t, int64_t, int64_t, int64_t)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
