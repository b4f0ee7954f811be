// ±1 codes, still packed, times a matrix. The weights are what must come from memory, so every kernel reads a row of
// them once for many codes. Each sum runs in an order of its own, whatever the number of codes and threads.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "scalar.h"
#include "unpack_bits.h"

namespace jc3d {

// What the sums of a type of weights are held in. Those of int8 are exact.
template <typename W>
struct PackedLinear {
  using Sum = float;
  using Result = float;
};

template <>
struct PackedLinear<double> {
  using Sum = double;
  using Result = double;
};

template <>
struct PackedLinear<int8_t> {
  using Sum = int32_t;
  using Result = float;
};

template <typename W>
using linear_sum_t = typename PackedLinear<W>::Sum;
template <typename W>
using linear_result_t = typename PackedLinear<W>::Result;

// Weights of a row at most, for sums of int8 to stay below 2^31.
constexpr int64_t kMaxInt8Weights = int64_t{1} << 22;

// The dimensions of a product.
struct PackedLinearShape {
  int64_t rows;  // codes
  int64_t n;     // elements of a code
  int64_t out;

  JC3D_HOST_DEVICE int64_t row_bytes() const { return (n + 7) / 8; }
};

// A result from its sum; scale and bias [out] may be nullptr.
template <typename W>
JC3D_INLINE linear_result_t<W> linear_result(linear_sum_t<W> sum, const float* scale, const linear_result_t<W>* bias,
                                             int64_t o) {
  auto result = static_cast<linear_result_t<W>>(sum);
  if (scale != nullptr) result *= scale[o];
  return bias != nullptr ? result + bias[o] : result;
}

// Codes as the CPU kernels read them: ±1, and zeros after the n-th. For int8 weights a bit 0 is -1 and a bit 1 is 0,
// since w ^ -1 = -w - 1 takes no multiplication; how often 1 is to be added for that is counted here.
template <typename W>
class LinearCodes {
 public:
  using Element = std::conditional_t<std::is_same_v<W, int8_t>, int16_t, linear_sum_t<W>>;

  // packed [rows, ceil(n / 8)]
  LinearCodes(const uint8_t* packed, PackedLinearShape shape);

  const Element* row(int64_t index) const { return elements_.data() + index * stride_; }
  int64_t stride() const { return stride_; }
  // What is to be added to a sum.
  int32_t correction(int64_t index) const { return corrections_[index]; }

 private:
  int64_t stride_;
  std::vector<Element> elements_;     // [rows, stride]
  std::vector<int32_t> corrections_;  // [rows]
};

// codes [rows, n], weight [out, n], scale and bias [out] -> y [rows, out], its columns begin to end; contiguous.
template <typename W>
void packed_linear_cpu(const LinearCodes<W>& codes, const W* weight, const float* scale, const linear_result_t<W>* bias,
                       linear_result_t<W>* y, PackedLinearShape shape, int64_t begin, int64_t end);

// packed [rows, ceil(n / 8)], weight [out, n], scale and bias [out] -> y [rows, out], contiguous, on the GPU. Returns
// nullptr or an error message.
template <typename W>
const char* packed_linear_cuda(const uint8_t* packed, const W* weight, const float* scale,
                               const linear_result_t<W>* bias, linear_result_t<W>* y, PackedLinearShape shape,
                               void* stream);

// Instantiates a macro for every type of weights.
#define JC3D_FOR_EACH_LINEAR_WEIGHT(instantiate) \
  instantiate(float);                            \
  instantiate(double);                           \
  instantiate(BFloat16);                         \
  instantiate(int8_t)

}  // namespace jc3d
