#include "conv2d_max_pool.h"

#include <algorithm>
#include <vector>

#include "cpu.h"
#include "panel_product.h"
#include "winograd.h"

namespace jc3d {
namespace {

// Windows of a piece and along its rows, and panels of it, at most: what is transformed and summed of them stays in the
// second-level cache, and a map of 8² windows still gives two cores something to do each.
constexpr int64_t kWindows = 64;
constexpr int64_t kColumns = 64;
constexpr int64_t kPanels = 4;

// The largest of four numbers, a NaN if there is one, plus bias, through LeakyReLU.
template <typename T>
JC3D_ALWAYS_INLINE T larger(T a, T b) {
  const T m = a >= b ? a : b;
  return a != a ? a : m;
}

template <typename T>
JC3D_ALWAYS_INLINE void pool_loop(const T* const* phases, const T* bias, T* out, int64_t n, T slope) {
  const T* a = phases[0];
  const T* b = phases[1];
  const T* c = phases[2];
  const T* d = phases[3];
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) {
    const T sum = larger(larger(a[j], b[j]), larger(c[j], d[j])) + bias[j];
    out[j] = sum > T(0) ? sum : sum * slope;
  }
}

// What a thread needs for one piece after another.
template <typename T>
class PieceWork {
 public:
  PieceWork(const T* x, const T* packed, const T* bias, T* out, ConvPoolShape shape, T negative_slope)
      : x_(x),
        packed_(packed),
        out_(out),
        shape_(shape),
        slope_(negative_slope),
        all_panels_(num_panels<T>(shape.out_channels)),
        pool_(for_this_cpu<&pool_loop<T>>()),
        transforms_(winograd_transforms<T>()),
        multiply_(panel_product<T>()),
        bias_(shape.out_channels, T(0)) {
    if (bias != nullptr) std::copy_n(bias, shape.out_channels, bias_.begin());
  }

  void run(const ConvPoolPieces::Piece& piece) {
    piece_ = piece;
    windows_ = piece.lines * piece.columns;
    width_ = piece.panels * kPanel<T>;
    sums_.assign(4 * windows_ * width_, T(0));
    gather();
    if (shape_.winograd()) {
      transform();
      for (int m = 0; m < 16; ++m) multiply_winograd(m);
    } else {
      for (int64_t row = 0; row < 2 * piece.lines; ++row) multiply_plain(row);
    }
    pool();
  }

 private:
  int64_t border() const { return shape_.kernel / 2; }
  int64_t gathered_columns() const { return 2 * piece_.columns + 2 * border(); }

  // The inputs of the piece, [rows, columns, in], zero outside of the image.
  void gather() {
    const int64_t channels = shape_.in_channels;
    const int64_t rows = 2 * piece_.lines + 2 * border();
    const int64_t columns = gathered_columns();
    const int64_t first = 2 * piece_.column - border();
    const int64_t begin = std::max<int64_t>(first, 0);
    const int64_t end = std::min(first + columns, shape_.width);
    inputs_.assign(rows * columns * channels, T(0));
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t y = 2 * piece_.row - border() + row;
      if (y < 0 || y >= shape_.height) continue;
      const T* line = x_ + ((piece_.image * shape_.height + y) * shape_.width + begin) * channels;
      std::copy_n(line, (end - begin) * channels, inputs_.data() + (row * columns + begin - first) * channels);
    }
  }

  // Inputs to [16, windows, in].
  void transform() {
    const int64_t channels = shape_.in_channels;
    values_.resize(16 * windows_ * channels);
    winograd_squares(
        transforms_, piece_.lines, piece_.columns, channels, lines_,
        [&](int64_t y, int64_t x) { return inputs_.data() + (y * gathered_columns() + x) * channels; },
        [&](int m) { return values_.data() + m * windows_ * channels; });
  }

  // Sums are [phase, windows, width].
  void multiply_winograd(int m) {
    PanelProduct<T> product{};
    product.a = values_.data() + m * windows_ * shape_.in_channels;
    product.a_stride = product.depth = shape_.in_channels;
    product.rows = windows_;
    for (int phase = 0; phase < 4; ++phase) {
      const int sign = winograd_sign(m / 4, phase / 2) * winograd_sign(m % 4, phase % 2);
      if (sign != 0) product.places[product.num_places++] = {sums_.data() + phase * windows_ * width_, sign < 0};
    }
    multiply(product, m);
  }

  // Sums are [rows, columns of the convolution, width].
  void multiply_plain(int64_t row) {
    PanelProduct<T> product{};
    product.a_stride = shape_.in_channels;
    product.segment_stride = gathered_columns() * shape_.in_channels;
    product.a = inputs_.data() + row * product.segment_stride;
    product.segments = shape_.kernel;
    product.depth = shape_.kernel * shape_.in_channels;
    product.rows = 2 * piece_.columns;
    product.places[product.num_places++] = {sums_.data() + row * product.rows * width_, false};
    multiply(product, 0);
  }

  void multiply(PanelProduct<T>& product, int64_t index) {
    product.place_stride = width_;
    const T* panels = packed_ + (index * all_panels_ + piece_.panel) * shape_.depth() * kPanel<T>;
    multiply_panels(multiply_, product, panels, piece_.panels);
  }

  const T* phase(int which, int64_t line, int64_t column) const {
    const int64_t index = shape_.winograd() ? which * windows_ + line * piece_.columns + column
                                            : (2 * line + which / 2) * 2 * piece_.columns + 2 * column + which % 2;
    return sums_.data() + index * width_;
  }

  void pool() {
    const int64_t channel = piece_.panel * kPanel<T>;
    const int64_t channels = std::min(width_, shape_.out_channels - channel);
    for (int64_t line = 0; line < piece_.lines; ++line) {
      for (int64_t column = 0; column < piece_.columns; ++column) {
        const T* phases[4];
        for (int which = 0; which < 4; ++which) phases[which] = phase(which, line, column);
        const int64_t row = piece_.image * (shape_.height / 2) + piece_.row + line;
        T* out = out_ + (row * (shape_.width / 2) + piece_.column + column) * shape_.out_channels + channel;
        pool_(phases, bias_.data() + channel, out, channels, slope_);
      }
    }
  }

  const T* x_;
  const T* packed_;
  T* out_;
  ConvPoolShape shape_;
  T slope_;
  int64_t all_panels_;
  decltype(&pool_loop<T>) pool_;
  WinogradTransforms<T> transforms_;
  PanelProductFunction<T> multiply_;
  std::vector<T> bias_, inputs_, lines_, values_, sums_;
  ConvPoolPieces::Piece piece_{};
  int64_t windows_ = 0;
  int64_t width_ = 0;
};

}  // namespace

ConvPoolPieces::ConvPoolPieces(ConvPoolShape shape, int64_t panels) : shape_(shape), panels_(panels) {
  const int64_t columns = std::max<int64_t>(shape.width / 2, 1);
  span_ = std::min(columns, kColumns);
  strip_ = std::max<int64_t>(kWindows / span_, 1);
  strips_ = ceil_div(shape.height / 2, strip_);
  spans_ = ceil_div(shape.width / 2, span_);
  groups_ = ceil_div(panels, kPanels);
}

ConvPoolPieces::Piece ConvPoolPieces::operator[](int64_t index) const {
  Piece piece{};
  piece.panel = index % groups_ * kPanels;
  index /= groups_;
  piece.column = index % spans_ * span_;
  index /= spans_;
  piece.row = index % strips_ * strip_;
  piece.image = index / strips_;
  piece.lines = std::min(strip_, shape_.height / 2 - piece.row);
  piece.columns = std::min(span_, shape_.width / 2 - piece.column);
  piece.panels = std::min(kPanels, panels_ - piece.panel);
  return piece;
}

template <typename T>
void pack_conv_pool_weight(const T* weight, T* packed, ConvPoolShape shape) {
  const int64_t taps = shape.kernel * shape.kernel;
  const int64_t matrix_size = num_panels<T>(shape.out_channels) * shape.depth() * kPanel<T>;
  std::fill_n(packed, shape.products() * matrix_size, T(0));
  for (int64_t o = 0; o < shape.out_channels; ++o) {
    for (int64_t i = 0; i < shape.in_channels; ++i) {
      const T* w = weight + (o * shape.in_channels + i) * taps;
      const auto set = [&](int64_t product, int64_t k, T value) {
        packed[product * matrix_size + packed_index<T>(shape.depth(), k, o)] = value;
      };
      if (!shape.winograd()) {
        for (int64_t tap = 0; tap < taps; ++tap) set(0, tap * shape.in_channels + i, w[tap]);
        continue;
      }
      T along_x[3][4];
      for (int y = 0; y < 3; ++y) {
        const auto factors = winograd_taps(w[y * 3], w[y * 3 + 1], w[y * 3 + 2]);
        std::copy(factors.begin(), factors.end(), along_x[y]);
      }
      for (int x = 0; x < 4; ++x) {
        const auto factors = winograd_taps(along_x[0][x], along_x[1][x], along_x[2][x]);
        for (int y = 0; y < 4; ++y) set(y * 4 + x, i, factors[y]);
      }
    }
  }
}

template <typename T>
void conv2d_max_pool_cpu(const T* x, const T* packed, const T* bias, T* out, ConvPoolShape shape, T negative_slope,
                         int64_t begin_piece, int64_t end_piece) {
  const ConvPoolPieces pieces(shape, num_panels<T>(shape.out_channels));
  PieceWork<T> work(x, packed, bias, out, shape, negative_slope);
  for (int64_t index = begin_piece; index < end_piece; ++index) work.run(pieces[index]);
}

#define INSTANTIATE(T)                                                 \
  template void pack_conv_pool_weight<T>(const T*, T*, ConvPoolShape); \
  template void conv2d_max_pool_cpu<T>(const T*, const T*, const T*, T*, ConvPoolShape, T, int64_t, int64_t)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace jc3d
