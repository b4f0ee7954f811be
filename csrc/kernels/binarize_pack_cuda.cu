#include "binarize_pack.h"
#include "cuda_launch.cuh"

namespace jc3d {
namespace {

// One thread a byte.
template <typename T>
__global__ void __launch_bounds__(kBlockSize)
    binarize_pack_kernel(const T* __restrict__ x, uint8_t* packed, ChannelsLastRows shape) {
  for (int64_t byte = first_item(); byte < shape.num_bytes(); byte += item_stride()) {
    packed[byte] = gather_byte(x, shape, byte);
  }
}

}  // namespace

template <typename T>
const char* binarize_pack_cuda(const T* x, uint8_t* packed, ChannelsLastRows shape, void* stream) {
  if (shape.num_bytes() == 0) return nullptr;
  binarize_pack_kernel<<<grid_size(shape.num_bytes()), kBlockSize, 0, static_cast<cudaStream_t>(stream)>>>(x, packed,
                                                                                                           shape);
  return launch_error();
}

#define INSTANTIATE(T) template const char* binarize_pack_cuda<T>(const T*, uint8_t*, ChannelsLastRows, void*)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
