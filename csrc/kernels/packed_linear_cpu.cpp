#include "packed_linear.h"

#include <algorithm>
#include <utility>

#include "cpu.h"

namespace jc3d {
namespace {

// Codes that a row of weights is read from memory for: expanded, they stay in the second-level cache.
constexpr int64_t kMaxCodes = 64;
// Output rows of a block: a cache line of results.
constexpr int64_t kBlock = 16;
constexpr int64_t kLineBytes = 64;

template <typename W>
constexpr int64_t kLine = kLineBytes / sizeof(W);  // weights of a cache line

// Weights side by side in as many bytes as a code's element takes, the first in the lower ones: shifts tell them apart,
// which cost less than to widen a vector. A cache line's codes lie in that order, element 2 i + 1 after all of 2 i.
template <typename W>
constexpr int64_t kPacked = sizeof(typename LinearCodes<W>::Element) / sizeof(W);

// Weights of a row that are summed in the type of a code's elements: of int8, a 32nd of them in 16 bits.
template <typename W>
constexpr int64_t kChunk = std::is_same_v<W, int8_t> ? 4096 : INT64_MAX / 2;

// Some output rows for some codes.
template <typename W>
struct Block {
  const typename LinearCodes<W>::Element* codes;  // [num_codes, code_stride]
  int64_t code_stride;
  int64_t num_codes;  // at most kMaxCodes
  const W* weight;    // [width, n]
  int64_t n;
  int64_t width;          // at most kBlock
  const W* ahead;         // the weights of the next block, or these
  linear_sum_t<W>* sums;  // [num_codes, kBlock], zeros at first
};

template <typename T, int count>
struct Vector {
  typedef T type __attribute__((vector_size(count * sizeof(T)), aligned(1), may_alias));
};

// Not memcpy, which GCC would split before it knows the instruction set.
template <typename V, typename T>
JC3D_ALWAYS_INLINE const V& vector_at(const T* source) {
  return *reinterpret_cast<const V*>(source);
}

// Weights number `which` of those that lie side by side.
template <int which, typename V, typename W>
JC3D_ALWAYS_INLINE void load(V& w, const W* weight) {
  if constexpr (std::is_same_v<W, BFloat16>) {
    using Bits = typename Vector<uint32_t, sizeof(V) / 4>::type;
    const Bits bits = vector_at<Bits>(weight);
    w = which == 0 ? (V)(bits << 16) : (V)(bits & 0xFFFF0000);
  } else if constexpr (std::is_same_v<W, int8_t>) {
    const V both = vector_at<V>(weight);
    w = (which == 0 ? both << 8 : both) >> 8;
  } else {
    w = vector_at<V>(weight);
  }
}

// Result lane i is lane index[i] of a, b in turn.
template <typename V, typename Index, int... index>
JC3D_ALWAYS_INLINE void shuffle(V& result, const V& a, const V& b) {
#ifdef __clang__
  result = __builtin_shufflevector(a, b, index...);
#else
  result = __builtin_shuffle(a, b, typename Vector<Index, sizeof...(index)>::type{index...});
#endif
}

// a and b hold groups of partial sums, `size` lanes each. Adds the second half of every group to the first; the result
// holds those of a, then those of b.
template <typename V, typename Index, int size, int... lane>
JC3D_ALWAYS_INLINE void fold(V& result, const V& a, const V& b, std::integer_sequence<int, lane...>) {
  V first, second;
  shuffle<V, Index, (lane / (size / 2) * size + lane % (size / 2))...>(first, a, b);
  shuffle<V, Index, (lane / (size / 2) * size + lane % (size / 2) + size / 2)...>(second, a, b);
  result = first + second;
}

// The sums of `count` vectors, a power of two, in the first lanes of the first.
template <typename T, int lanes, int count, int size = lanes>
JC3D_ALWAYS_INLINE void fold_all(typename Vector<T, lanes>::type* v) {
  using V = typename Vector<T, lanes>::type;
  using Index = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
  if constexpr (size > 1) {
    constexpr int half = (count + 1) / 2;
#pragma GCC unroll 4
    for (int i = 0; i < half; ++i) {
      fold<V, Index, size>(v[i], v[2 * i % count], v[(2 * i + 1) % count], std::make_integer_sequence<int, lanes>());
    }
    fold_all<T, lanes, half, size / 2>(v);
  }
}

// Sums of at most kChunk products.
template <typename V>
JC3D_ALWAYS_INLINE void widen(V& sums, const V& partial) {
  sums = partial;
}

template <typename V, typename P>
JC3D_ALWAYS_INLINE void widen(V& sums, const P& partial) {
  using Half = typename Vector<int16_t, sizeof(V) / 4>::type;
  const auto* halves = reinterpret_cast<const int16_t*>(&partial);
  const Half low = vector_at<Half>(halves);
  const Half high = vector_at<Half>(halves + sizeof(V) / 4);
  sums = __builtin_convertvector(low, V) + __builtin_convertvector(high, V);
}

// height codes times width rows of weights from k to `end`, summed in registers. On every instruction set a sum is kept
// as 64 bytes of partial sums, the products with ±1 are exact and the partial sums are added up in one order, so all of
// them give the same bits.
template <typename W, int bytes, int height, int width>
JC3D_ALWAYS_INLINE void tile(const Block<W>& b, int64_t code, int64_t o, int64_t k, int64_t end) {
  using T = linear_sum_t<W>;
  using Element = typename LinearCodes<W>::Element;
  constexpr int lanes = bytes / sizeof(Element);
  constexpr int parts = kLineBytes / bytes;
  using V = typename Vector<Element, lanes>::type;
  V partial[height][width][parts] = {};
  const Element* codes = b.codes + code * b.code_stride;
  const auto add = [&](auto which, const W* weight, int64_t stride) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int part = 0; part < parts; ++part) {
      V w[width];
#pragma GCC unroll 4
      for (int x = 0; x < width; ++x) load<which>(w[x], weight + x * stride + part * lanes * kPacked<W>);
#pragma GCC unroll 8
      for (int y = 0; y < height; ++y) {
        const V c = vector_at<V>(codes + y * b.code_stride + k + (which * parts + part) * lanes);
#pragma GCC unroll 4
        for (int x = 0; x < width; ++x) {
          if constexpr (std::is_same_v<W, int8_t>) {
            partial[y][x][part] += c ^ w[x];
          } else {
            partial[y][x][part] += c * w[x];
          }
        }
      }
    }
  };
  const auto add_line = [&](const W* weight, int64_t stride) __attribute__((always_inline)) {
    add(std::integral_constant<int, 0>(), weight, stride);
    if constexpr (kPacked<W> == 2) add(std::integral_constant<int, 1>(), weight, stride);
  };
  const W* weight = b.weight + o * b.n;
  const W* ahead = b.ahead + o * b.n;
  for (; k + kLine<W> <= end; k += kLine<W>) {
    if (code == 0) {
#pragma GCC unroll 4
      for (int x = 0; x < width; ++x) __builtin_prefetch(ahead + x * b.n + k, 0, 2);
    }
    add_line(weight + k, b.n);
  }
  if (k < end) {
    W last[width][kLine<W>] = {};
    for (int x = 0; x < width; ++x) std::copy_n(weight + x * b.n + k, end - k, last[x]);
    add_line(last[0], kLine<W>);
  }
  constexpr int sum_lanes = bytes / sizeof(T);
#pragma GCC unroll 8
  for (int y = 0; y < height; ++y) {
    typename Vector<T, sum_lanes>::type v[width];
#pragma GCC unroll 4
    for (int x = 0; x < width; ++x) {
      typename Vector<T, sum_lanes>::type wide[parts];
#pragma GCC unroll 4
      for (int part = 0; part < parts; ++part) widen(wide[part], partial[y][x][part]);
#pragma GCC unroll 2
      for (int half = parts / 2; half > 0; half /= 2) {
#pragma GCC unroll 2
        for (int part = 0; part < half; ++part) wide[part] += wide[part + half];
      }
      v[x] = wide[0];
    }
    fold_all<T, sum_lanes, width>(v);
    T* sums = b.sums + (code + y) * kBlock + o;
#pragma GCC unroll 4
    for (int x = 0; x < width; ++x) sums[x] += v[0][x];
  }
}

// All codes, the last ones fewer than a tile is high.
template <typename W, int bytes, int height, int width>
JC3D_ALWAYS_INLINE void tiles_of_codes(const Block<W>& b, int64_t code, int64_t o, int64_t k, int64_t end) {
  if constexpr (height > 0) {
    for (; code + height <= b.num_codes; code += height) tile<W, bytes, height, width>(b, code, o, k, end);
    tiles_of_codes<W, bytes, height - 1, width>(b, code, o, k, end);
  }
}

template <typename W, int bytes, int height, int width>
JC3D_ALWAYS_INLINE void block_loop(const Block<W>& b) {
  for (int64_t k = 0; k < b.n; k += kChunk<W>) {
    const int64_t end = std::min(b.n, k + kChunk<W>);
    int64_t o = 0;
    for (; o + width <= b.width; o += width) tiles_of_codes<W, bytes, height, width>(b, 0, o, k, end);
    for (; o < b.width; ++o) tiles_of_codes<W, bytes, height, 1>(b, 0, o, k, end);
  }
}

}  // namespace

template <typename W>
LinearCodes<W>::LinearCodes(const uint8_t* packed, PackedLinearShape shape)
    // An odd number of cache lines of weights, so that rows of codes do not all fall into the same sets of a cache.
    : stride_(((shape.n + kLine<W> - 1) / kLine<W> | 1) * kLine<W>),
      elements_(shape.rows * stride_, Element(0)),
      corrections_(shape.rows) {
  for (int64_t row = 0; row < shape.rows; ++row, packed += shape.row_bytes()) {
    Element* elements = elements_.data() + row * stride_;
    for (int64_t k = 0; k < shape.n; ++k) {
      const auto sign = unpack_element<Element>(packed[k / 8], static_cast<int>(k % 8));
      const int64_t in_line = k % kLine<W>;
      Element& element = elements[k - in_line + in_line % kPacked<W> * (kLine<W> / kPacked<W>)+in_line / kPacked<W>];
      if constexpr (std::is_same_v<W, int8_t>) {
        element = sign < 0 ? -1 : 0;
        corrections_[row] += sign < 0;
      } else {
        element = sign;
      }
    }
  }
}

template <typename W>
void packed_linear_cpu(const LinearCodes<W>& codes, const W* weight, const float* scale, const linear_result_t<W>* bias,
                       linear_result_t<W>* y, PackedLinearShape shape, int64_t begin, int64_t end) {
  // Registers decide how large a tile may be.
  const auto run = for_this_cpu<&block_loop<W, 16, 2, 1>, &block_loop<W, 32, 3, 2>, &block_loop<W, 64, 5, 4>>();
  linear_sum_t<W> sums[kMaxCodes * kBlock];
  for (int64_t code = 0; code < shape.rows; code += kMaxCodes) {
    const int64_t num_codes = std::min(kMaxCodes, shape.rows - code);
    for (int64_t o = begin; o < end; o += kBlock) {
      const int64_t width = std::min(kBlock, end - o);
      const W* rows = weight + o * shape.n;
      const W* ahead = o + 2 * kBlock <= end ? rows + kBlock * shape.n : rows;
      std::fill_n(sums, num_codes * kBlock, 0);
      run({codes.row(code), codes.stride(), num_codes, rows, shape.n, width, ahead, sums});
      for (int64_t i = 0; i < num_codes; ++i) {
        const auto correction = static_cast<linear_sum_t<W>>(codes.correction(code + i));
        linear_result_t<W>* results = y + (code + i) * shape.out + o;
        for (int64_t x = 0; x < width; ++x) {
          results[x] = linear_result<W>(sums[i * kBlock + x] + correction, scale, bias, o + x);
        }
      }
    }
  }
}

#define INSTANTIATE(W)                                                                                         \
  template class LinearCodes<W>;                                                                               \
  template void packed_linear_cpu<W>(const LinearCodes<W>&, const W*, const float*, const linear_result_t<W>*, \
                                     linear_result_t<W>*, PackedLinearShape, int64_t, int64_t)
JC3D_FOR_EACH_LINEAR_WEIGHT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
