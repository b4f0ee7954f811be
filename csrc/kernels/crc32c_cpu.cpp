#include <array>
#include <cstring>

#include "cpu.h"
#include "crc32c.h"

#ifdef JC3D_X86
#include <nmmintrin.h>
#endif

namespace jc3d {
namespace {

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82F63B78 : 0);
    table[byte] = value;
  }
  return table;
}

constexpr std::array<uint32_t, 256> table = make_table();

// `remainder` is the register: the checksum with its bits inverted.
uint32_t update_scalar(const unsigned char* data, size_t size, uint32_t remainder) {
  for (size_t i = 0; i < size; ++i) remainder = remainder >> 8 ^ table[(remainder ^ data[i]) & 0xFF];
  return remainder;
}

#ifdef JC3D_X86

__attribute__((target("sse4.2"))) uint32_t update_sse42(const unsigned char* data, size_t size, uint32_t remainder) {
  uint64_t wide = remainder;
  for (; size >= 8; data += 8, size -= 8) {
    uint64_t word;
    memcpy(&word, data, sizeof(word));
    wide = _mm_crc32_u64(wide, word);
  }
  remainder = static_cast<uint32_t>(wide);
  for (; size > 0; ++data, --size) remainder = _mm_crc32_u8(remainder, *data);
  return remainder;
}

#endif  // JC3D_X86

}  // namespace

uint32_t crc32c(const void* data, size_t size, uint32_t crc) {
  const auto* bytes = static_cast<const unsigned char*>(data);
#ifdef JC3D_X86
  const auto update = for_this_cpu<&update_scalar, &update_sse42>();  // every CPU with AVX2 has SSE4.2
#else
  const auto update = update_scalar;
#endif
  return ~update(bytes, size, ~crc);
}

}  // namespace jc3d
