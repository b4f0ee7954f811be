#include "cuda_launch.cuh"
#include "packed_linear.h"

namespace jc3d {
namespace {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xFFFFFFFF;
// Codes whose sums a warp holds in registers, at most.
constexpr int kMaxCodes = 16;

// Elements k to k + width of a code, element k in bit 0; k is a multiple of width.
template <int width>
__device__ inline unsigned code_bits(const uint8_t* __restrict__ code, int64_t k) {
  const auto reversed = [&](int64_t byte) { return __brev(code[byte]) >> 24; };
  if constexpr (width == 16) {
    return reversed(k / 8) | reversed(k / 8 + 1) << 8;
  } else {
    return reversed(k / 8) >> (k % 8);
  }
}

template <typename W, int width>
__device__ inline void add_weights(linear_sum_t<W>& sum, const W (&weights)[width], unsigned bits) {
#pragma unroll
  for (int i = 0; i < width; ++i) {
    const linear_sum_t<W> w = to_compute(weights[i]);
    sum += (bits >> i & 1) != 0 ? w : -w;
  }
}

template <int width>
__device__ inline void add_weights(int32_t& sum, const int8_t (&weights)[width], unsigned bits) {
  if constexpr (width % 4 == 0) {
#pragma unroll
    for (int i = 0; i < width; i += 4) {
      int four;
      memcpy(&four, weights + i, sizeof(four));
      // Bit i to byte i, then 0 to -1 and 1 to 1.
      const unsigned bytes = (bits >> i & 0xF) * 0x00204081u & 0x01010101u;
      sum = __dp4a(four, static_cast<int>(~(bytes * 0xFE)), sum);
    }
  } else {
    for (int i = 0; i < width; ++i) sum += (bits >> i & 1) != 0 ? weights[i] : -weights[i];
  }
}

// A warp an output row; `width` weights at a time and `num_codes` codes, until all codes are done. The order of a sum
// depends on neither: a lane adds up its weights from the first to the last, then the lanes are added up.
template <typename W, int width, int num_codes>
__global__ void __launch_bounds__(kBlockSize)
    packed_linear_kernel(const uint8_t* __restrict__ packed, const W* __restrict__ weight,
                         const float* __restrict__ scale, const linear_result_t<W>* __restrict__ bias,
                         linear_result_t<W>* __restrict__ y, PackedLinearShape shape) {
  using Sum = linear_sum_t<W>;
  const int lane = threadIdx.x % kWarp;
  const int64_t row_bytes = shape.row_bytes();
  for (int64_t o = first_item() / kWarp; o < shape.out; o += item_stride() / kWarp) {
    const W* row = weight + o * shape.n;
    for (int64_t first = 0; first < shape.rows; first += num_codes) {
      const int64_t last = shape.rows - 1 - first;  // codes after it are computed as it is, and not written
      const uint8_t* codes = packed + first * row_bytes;
      Sum sums[num_codes] = {};
      for (int64_t k = lane * width; k < shape.n; k += kWarp * width) {
        W weights[width];
        load<width>(weights, row + k);
#pragma unroll
        for (int i = 0; i < num_codes; ++i) {
          const int64_t code = i < last ? i : last;
          add_weights(sums[i], weights, code_bits<width>(codes + code * row_bytes, k));
        }
      }
      Sum mine = 0;  // of the code whose number is the lane's
#pragma unroll
      for (int i = 0; i < num_codes; ++i) {
        for (int other = kWarp / 2; other > 0; other /= 2) sums[i] += __shfl_xor_sync(kAllLanes, sums[i], other);
        if (lane == i) mine = sums[i];
      }
      if (lane < num_codes && lane <= last) {
        y[(first + lane) * shape.out + o] = linear_result<W>(mine, scale, bias, o);
      }
    }
  }
}

template <typename W, int width>
auto kernel_for(int64_t rows) {
  if (rows == 1) return packed_linear_kernel<W, width, 1>;
  return rows <= 8 ? packed_linear_kernel<W, width, 8> : packed_linear_kernel<W, width, kMaxCodes>;
}

}  // namespace

template <typename W>
const char* packed_linear_cuda(const uint8_t* packed, const W* weight, const float* scale,
                               const linear_result_t<W>* bias, linear_result_t<W>* y, PackedLinearShape shape,
                               void* stream) {
  if (shape.rows == 0 || shape.out == 0) return nullptr;
  constexpr int width = 16 / sizeof(W);
  const bool vectors = is_aligned_16(weight) && shape.n % width == 0;
  const auto kernel = vectors ? kernel_for<W, width>(shape.rows) : kernel_for<W, 1>(shape.rows);
  kernel<<<grid_size(shape.out * kWarp), kBlockSize, 0, static_cast<cudaStream_t>(stream)>>>(packed, weight, scale,
                                                                                             bias, y, shape);
  return launch_error();
}

#define INSTANTIATE(W)                                                                                          \
  template const char* packed_linear_cuda<W>(const uint8_t*, const W*, const float*, const linear_result_t<W>*, \
                                             linear_result_t<W>*, PackedLinearShape, void*)
JC3D_FOR_EACH_LINEAR_WEIGHT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
