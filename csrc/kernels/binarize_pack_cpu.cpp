#include "binarize_pack.h"

namespace jc3d {

template <typename T>
void binarize_pack_cpu(const T* x, uint8_t* packed, ChannelsLastRows shape, int64_t begin, int64_t end) {
  for (int64_t byte = begin; byte < end; ++byte) packed[byte] = gather_byte(x, shape, byte);
}

#define INSTANTIATE(T) template void binarize_pack_cpu<T>(const T*, uint8_t*, ChannelsLastRows, int64_t, int64_t)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
