// Winograd's F(2, 3), two outputs of a convolution with three taps in four products (Lavin and Gray 2016). Along an
// axis, from the inputs d0 to d3 to the outputs y0 and y1:
//   (d0 - d2)·w0 = m0, (d1 + d2)·(w0 + w1 + w2)/2 = m1, (d2 - d1)·(w0 - w1 + w2)/2 = m2, (d1 - d3)·w2 = m3
//   y0 = m0 + m1 + m2, y1 = m1 - m2 - m3
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace jc3d {

// The four factors on the side of the taps.
template <typename T>
std::array<T, 4> winograd_taps(T w0, T w1, T w2) {
  return {w0, (w0 + w1 + w2) / 2, (w0 - w1 + w2) / 2, w2};
}

// Which of the four inputs product m takes, first and second, and whether it adds the second or takes it away.
constexpr int kWinogradFirst[4] = {0, 1, 2, 1};
constexpr int kWinogradSecond[4] = {2, 2, 1, 3};
constexpr bool kWinogradAdds[4] = {false, true, false, false};

// How product m enters output y: +1, -1 or not at all.
constexpr int winograd_sign(int m, int y) {
  constexpr int signs[4][2] = {{1, 0}, {1, 1}, {1, -1}, {0, -1}};
  return signs[m][y];
}

// The factors on the side of the inputs, for the instruction set at hand.
template <typename T>
struct WinogradTransforms {
  // m[0] to m[3] from d[0] to d[3], n numbers each.
  void (*transform)(const T* const* d, T* const* m, int64_t n);
  // One of them: a + b or a - b.
  void (*combine)(const T* a, const T* b, bool add, T* m, int64_t n);
};

template <typename T>
WinogradTransforms<T> winograd_transforms();

// Along x and then y: the 16 transforms of lines · columns overlapping 4² squares of cells. cell(y, x) is where the
// channels of a cell are, y to 2 · lines + 1 and x to 2 · columns + 1; product(m), m = 4 · (along y) + (along x), where
// the squares' transforms [lines, columns, channels] go. `scratch` is overwritten.
template <typename T, typename Cell, typename Product>
void winograd_squares(const WinogradTransforms<T>& transforms, int64_t lines, int64_t columns, int64_t channels,
                      std::vector<T>& scratch, Cell&& cell, Product&& product) {
  const int64_t row_size = columns * channels;
  const int64_t rows = 2 * lines + 2;
  scratch.resize(rows * 4 * row_size);  // [row, product along x, square, channel]
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      const T* d[4];
      T* m[4];
      for (int i = 0; i < 4; ++i) {
        d[i] = cell(row, 2 * column + i);
        m[i] = scratch.data() + (row * 4 + i) * row_size + column * channels;
      }
      transforms.transform(d, m, channels);
    }
  }
  for (int64_t line = 0; line < lines; ++line) {
    for (int mx = 0; mx < 4; ++mx) {
      const T* d[4];
      T* m[4];
      for (int i = 0; i < 4; ++i) {
        d[i] = scratch.data() + ((2 * line + i) * 4 + mx) * row_size;
        m[i] = product(i * 4 + mx) + line * row_size;
      }
      transforms.transform(d, m, row_size);
    }
  }
}

}  // namespace jc3d
