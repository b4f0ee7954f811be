#include <algorithm>
#include <cstring>

#include "cpu.h"
#include "panel_product.h"

namespace jc3d {
namespace {

template <typename T, int bytes>
struct Vector {
  typedef T type __attribute__((vector_size(bytes), aligned(sizeof(T)), may_alias));
  static constexpr int lanes = bytes / static_cast<int>(sizeof(T));
};

// Vectors that a tile is wide: two, so that a number of `a` is read once for both.
constexpr int kWidth = 2;

// height rows and kWidth vectors of a panel's columns, summed in registers.
template <typename T, int bytes, int height>
JC3D_ALWAYS_INLINE void tile(const PanelProduct<T>& p, int64_t row, int64_t column) {
  using V = typename Vector<T, bytes>::type;
  constexpr int lanes = Vector<T, bytes>::lanes;
  V sum[height][kWidth] = {};
  const T* a = p.a + row * p.a_stride;
  const T* panel = p.panel + column;
  for (int64_t segment = 0; segment < p.segments; ++segment, a += p.segment_stride) {
    for (int64_t k = 0; k < p.depth; ++k, panel += kPanel<T>) {
      V b[kWidth];
#pragma GCC unroll 2
      for (int v = 0; v < kWidth; ++v) b[v] = *reinterpret_cast<const V*>(panel + v * lanes);
#pragma GCC unroll 8
      for (int m = 0; m < height; ++m) {
        const T value = a[m * p.a_stride + k];
#pragma GCC unroll 2
        for (int v = 0; v < kWidth; ++v) sum[m][v] += value * b[v];
      }
    }
  }
  const int64_t columns = p.columns - column;
  for (int i = 0; i < p.num_places; ++i) {
    T* place = p.places[i].rows + row * p.place_stride + column;
    const bool subtract = p.places[i].subtract;
    if (columns >= kWidth * lanes) {
#pragma GCC unroll 8
      for (int m = 0; m < height; ++m) {
#pragma GCC unroll 2
        for (int v = 0; v < kWidth; ++v) {
          V& old = *reinterpret_cast<V*>(place + m * p.place_stride + v * lanes);
          old = subtract ? old - sum[m][v] : old + sum[m][v];
        }
      }
    } else {
      for (int m = 0; m < height; ++m) {
        T values[kWidth * lanes];
        memcpy(values, sum[m], sizeof(values));
        for (int64_t j = 0; j < columns; ++j) place[m * p.place_stride + j] += subtract ? -values[j] : values[j];
      }
    }
  }
}

// What is left of the rows, fewer than a tile is high.
template <typename T, int bytes, int height>
JC3D_ALWAYS_INLINE void last_tile(const PanelProduct<T>& p, int64_t row, int64_t column) {
  if constexpr (height > 0) {
    if (p.rows - row == height) {
      tile<T, bytes, height>(p, row, column);
    } else {
      last_tile<T, bytes, height - 1>(p, row, column);
    }
  }
}

template <typename T, int bytes, int height>
JC3D_ALWAYS_INLINE void product_loop(const PanelProduct<T>& p) {
  for (int64_t column = 0; column < p.columns; column += kWidth * Vector<T, bytes>::lanes) {
    int64_t row = 0;
    for (; row + height <= p.rows; row += height) tile<T, bytes, height>(p, row, column);
    last_tile<T, bytes, height - 1>(p, row, column);
  }
}

}  // namespace

template <typename T>
PanelProductFunction<T> panel_product() {
  // Registers decide how high a tile may be: height · kWidth sums, kWidth columns and a number of `a`.
  return for_this_cpu<&product_loop<T, 16, 4>, &product_loop<T, 32, 4>, &product_loop<T, 64, 8>>();
}

template <typename T>
void fill_rows(T* rows, int64_t stride, int64_t count, int64_t columns, const T* bias) {
  for (int64_t row = 0; row < count; ++row, rows += stride) {
    if (bias == nullptr) {
      std::fill_n(rows, columns, T(0));
    } else {
      std::copy_n(bias, columns, rows);
    }
  }
}

template <typename T>
void leaky_relu_rows(T* rows, int64_t stride, int64_t count, int64_t columns, T negative_slope) {
  if (negative_slope == T(1)) return;
  for (int64_t row = 0; row < count; ++row, rows += stride) {
    for (int64_t j = 0; j < columns; ++j) rows[j] = rows[j] > T(0) ? rows[j] : rows[j] * negative_slope;
  }
}

#define INSTANTIATE(T)                                                 \
  template PanelProductFunction<T> panel_product<T>();                 \
  template void fill_rows<T>(T*, int64_t, int64_t, int64_t, const T*); \
  template void leaky_relu_rows<T>(T*, int64_t, int64_t, int64_t, T)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace jc3d
