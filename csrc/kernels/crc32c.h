// CRC-32C (Castagnoli), RFC 3720 appendix B.4: the checksum of the wire format.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jc3d {

// The checksum of the bytes that gave `crc`, followed by data [size]; crc 0 starts a new one.
uint32_t crc32c(const void* data, size_t size, uint32_t crc);

}  // namespace jc3d
