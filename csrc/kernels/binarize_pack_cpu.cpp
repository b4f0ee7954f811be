#include "binarize_pack.h"

#include <algorithm>
#include <type_traits>

#include "cpu.h"

namespace jc3d {
namespace {

constexpr int64_t kChannels = 16;  // handled at once: a vector of float32

// An unsigned number of the size of T: comparisons of T fill vectors of it.
template <typename T>
using Lane = std::conditional_t<sizeof(T) == 8, uint64_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint16_t>>;

// The bits of `pixels` pixels of up to kChannels channels: x [pixels, stride] -> bits [channels], the last pixel in the
// lowest bit. A vector holds neighbouring channels, so this is the transposition.
template <typename T>
JC3D_ALWAYS_INLINE void some_bits_loop(const T* x, int64_t stride, int pixels, uint8_t* bits, int64_t channels) {
  Lane<T> lanes[kChannels] = {};
  for (int pixel = 0; pixel < pixels; ++pixel, x += stride) {
    for (int64_t c = 0; c < channels; ++c)
      lanes[c] = static_cast<Lane<T>>(lanes[c] << 1 | (is_nonnegative(x[c]) ? 1 : 0));
  }
  for (int64_t c = 0; c < channels; ++c) bits[c] = static_cast<uint8_t>(lanes[c]);
}

// The same, vectorized where all channels are there.
template <typename T>
JC3D_ALWAYS_INLINE void bits_loop(const T* x, int64_t stride, int pixels, uint8_t* bits, int64_t channels) {
  if (channels == kChannels) {
    some_bits_loop(x, stride, pixels, bits, kChannels);
  } else {
    some_bits_loop(x, stride, pixels, bits, channels);
  }
}

// One group of pixels of all channels; `packed` is where the bytes of the row begin.
template <typename T, typename Bits>
void pack_group(const T* x, uint8_t* packed, ChannelsLastRows shape, int64_t group, Bits bits_of) {
  const int pixels = static_cast<int>(shape.group_pixels());
  const int64_t groups = shape.spatial / pixels;
  const int64_t together = 8 / pixels;  // channels in a byte
  for (int64_t first = 0; first < shape.channels; first += kChannels) {
    const int64_t channels = std::min(kChannels, shape.channels - first);
    alignas(64) uint8_t bits[kChannels];
    bits_of(x + group * pixels * shape.channels + first, shape.channels, pixels, bits, channels);
    for (int64_t c = 0; c < channels; c += together) {
      unsigned byte = 0;
      for (int64_t i = 0; i < together; ++i) byte = byte << pixels | bits[c + i];
      packed[(first + c) / together * groups + group] = static_cast<uint8_t>(byte);
    }
  }
}

}  // namespace

template <typename T>
void binarize_pack_cpu(const T* x, uint8_t* packed, ChannelsLastRows shape, int64_t begin, int64_t end) {
  if (!shape.has_whole_groups()) {
    for (int64_t byte = begin; byte < end; ++byte) packed[byte] = gather_byte(x, shape, byte);
    return;
  }
  const auto bits_of = for_this_cpu<&bits_loop<T>>();
  const int64_t groups = shape.spatial / shape.group_pixels();
  for (int64_t item = begin; item < end; ++item) {
    const int64_t row = item / groups;
    pack_group(x + row * shape.bits(), packed + row * shape.row_bytes(), shape, item % groups, bits_of);
  }
}

#define INSTANTIATE(T) template void binarize_pack_cpu<T>(const T*, uint8_t*, ChannelsLastRows, int64_t, int64_t)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
