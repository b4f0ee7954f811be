// Rows of numbers times a packed matrix, added to several places: what every convolution and matrix product on the CPU
// comes down to. Each sum runs over the depth in order, whatever the number of rows and threads, so a result depends on
// nothing but its own inputs.
#pragma once

#include <cstdint>

namespace jc3d {

// Columns of a packed matrix that lie together: 128 bytes, two vectors of the widest instruction set.
template <typename T>
constexpr int64_t kPanel = 128 / sizeof(T);

constexpr int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

template <typename T>
constexpr int64_t num_panels(int64_t columns) {
  return ceil_div(columns, kPanel<T>);
}

// Where a number of a matrix [depth, columns] stands once it is packed, [num_panels(columns), depth, kPanel].
template <typename T>
constexpr int64_t packed_index(int64_t depth, int64_t row, int64_t column) {
  return (column / kPanel<T> * depth + row) * kPanel<T> + column % kPanel<T>;
}

constexpr int kMaxPlaces = 8;

// Somewhere a product is added to, or taken from.
template <typename T>
struct Place {
  T* rows;
  bool subtract;
};

// a [rows, segments · depth] times panel [segments · depth, kPanel].
template <typename T>
struct PanelProduct {
  const T* a;
  int64_t a_stride;  // between rows
  int64_t rows;
  int64_t depth;         // numbers of a row that lie together
  int64_t segments = 1;  // such parts of a row: of a convolution's window, its lines
  int64_t segment_stride = 0;
  const T* panel;
  int64_t columns;  // of the panel that count, at most kPanel; the others are zero
  Place<T> places[kMaxPlaces];
  int num_places;
  int64_t place_stride;  // between rows
};

template <typename T>
using PanelProductFunction = void (*)(const PanelProduct<T>&);

// The product for the instruction set at hand; asked once for many products.
template <typename T>
PanelProductFunction<T> panel_product();

// The product with panels that follow each other in memory; the results of each lie beside those of the one before.
template <typename T>
void multiply_panels(PanelProductFunction<T> multiply, PanelProduct<T> product, const T* panels, int64_t count) {
  product.columns = kPanel<T>;
  product.panel = panels;
  for (int64_t panel = 0; panel < count; ++panel) {
    multiply(product);
    product.panel += product.segments * product.depth * kPanel<T>;
    for (int i = 0; i < product.num_places; ++i) product.places[i].rows += kPanel<T>;
  }
}

// rows [rows, columns], `stride` apart: each is set to the bias, or to zero where that is nullptr.
template <typename T>
void fill_rows(T* rows, int64_t stride, int64_t count, int64_t columns, const T* bias);

// rows [rows, columns], `stride` apart: LeakyReLU in place; a slope of 1 does nothing.
template <typename T>
void leaky_relu_rows(T* rows, int64_t stride, int64_t count, int64_t columns, T negative_slope);

}  // namespace jc3d
