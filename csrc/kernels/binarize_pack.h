// The bits of channels-last maps in the order of contiguous ones. (For contiguous maps that is pack_bits.)
#pragma once

#include <cstdint>

#include "scalar.h"

namespace jc3d {

// Maps [rows, spatial, channels] in memory; bit i of a row is element (i / spatial, i % spatial) of [channels,
// spatial].
struct ChannelsLastRows {
  int64_t rows;
  int64_t channels;
  int64_t spatial;

  JC3D_HOST_DEVICE int64_t bits() const { return channels * spatial; }
  JC3D_HOST_DEVICE int64_t row_bytes() const { return (bits() + 7) / 8; }
  JC3D_HOST_DEVICE int64_t num_bytes() const { return rows * row_bytes(); }

  // Whether no byte holds a part of a channel's pixels beside a part of another's: whole groups of eight pixels, or
  // whole channels.
  bool has_whole_groups() const {
    return spatial % 8 == 0 || (spatial > 0 && 8 % spatial == 0 && channels % (8 / spatial) == 0);
  }
  // Pixels that a byte holds of each of its channels.
  int64_t group_pixels() const { return spatial < 8 ? spatial : 8; }
  // What a thread does at once: a group of pixels of all channels, or one byte.
  int64_t num_items() const { return has_whole_groups() ? rows * (spatial / group_pixels()) : num_bytes(); }
};

// Byte number `byte` of the result: bit 1 for x >= 0, most significant bit first, zero padding at the end of a row.
template <typename T>
JC3D_HOST_DEVICE inline uint8_t gather_byte(const T* x, ChannelsLastRows shape, int64_t byte) {
  const int64_t row = byte / shape.row_bytes();
  const int64_t first = (byte - row * shape.row_bytes()) * 8;
  const T* map = x + row * shape.bits();
  int64_t channel = first / shape.spatial;
  int64_t pixel = first - channel * shape.spatial;
  unsigned bits = 0;
  for (int i = 0; i < 8 && first + i < shape.bits(); ++i) {
    bits |= static_cast<unsigned>(is_nonnegative(map[pixel * shape.channels + channel])) << (7 - i);
    if (++pixel == shape.spatial) {
      pixel = 0;
      ++channel;
    }
  }
  return static_cast<uint8_t>(bits);
}

// x -> packed [rows, row_bytes]; does items begin to end.
template <typename T>
void binarize_pack_cpu(const T* x, uint8_t* packed, ChannelsLastRows shape, int64_t begin, int64_t end);

// The whole result, on the GPU: x and packed are device pointers. Returns nullptr or an error message.
template <typename T>
const char* binarize_pack_cuda(const T* x, uint8_t* packed, ChannelsLastRows shape, void* stream);

}  // namespace jc3d
