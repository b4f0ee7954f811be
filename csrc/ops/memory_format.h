// The memory orders that the kernels read without a copy.
#pragma once

#include "checks.h"

namespace jc3d {

using torch::headeronly::MemoryFormat;

// [N, C, H, W] or [N, C, D, H, W] with the channels innermost in memory, and not contiguous. Tensors without elements
// are contiguous, so channels-last ones have no zero size.
inline bool is_channels_last(const Tensor& x) {
  if (x.is_contiguous() || (x.dim() != 4 && x.dim() != 5)) return false;
  int64_t expected = 1;
  const auto matches = [&](int64_t i) {
    const bool match = x.size(i) == 1 || x.stride(i) == expected;
    expected *= x.size(i);
    return match;
  };
  if (!matches(1)) return false;
  for (int64_t i = x.dim() - 1; i >= 2; --i) {
    if (!matches(i)) return false;
  }
  return matches(0);
}

// What a tensor's like are brought into: channels-last where it is, else contiguous.
inline MemoryFormat memory_format_of(const Tensor& x) {
  if (!is_channels_last(x)) return MemoryFormat::Contiguous;
  return x.dim() == 4 ? MemoryFormat::ChannelsLast : MemoryFormat::ChannelsLast3d;
}

inline Tensor in_format(const Tensor& x, MemoryFormat format) {
  const bool ready = format == MemoryFormat::Contiguous ? x.is_contiguous() : is_channels_last(x);
  return ready ? x : torch::stable::contiguous(x, format);
}

// Uninitialised, of the dtype and device of `like`.
inline Tensor empty_in_format(const Tensor& like, const std::vector<int64_t>& sizes, MemoryFormat format) {
  return torch::stable::empty(sizes, like.scalar_type(), std::nullopt, like.device(), std::nullopt, format);
}

}  // namespace jc3d
