#include "unpack_bits.h"

#include <cstring>

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
  PackedRows(rows, n).for_each_run(begin, end, [=](int64_t element, int64_t byte, int64_t count) {
    const uint8_t* source = packed + byte;
    T* group = signs + element;
    T* const last_whole = group + count / 8 * 8;
    for (; group < last_whole; group += 8) memcpy(group, table<T>.groups[*source++], sizeof(table<T>.groups[0]));
    if (count % 8 != 0) memcpy(group, table<T>.groups[*source], (count % 8) * sizeof(T));
  });
}

#define INSTANTIATE(T) template void unpack_bits_cpu<T>(const uint8_t*, T*, int64_t, int64_t, int64_t, int64_t)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
