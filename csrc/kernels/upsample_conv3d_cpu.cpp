#include "upsample_conv3d.h"

#include <algorithm>
#include <array>
#include <vector>

#include "panel_product.h"

namespace jc3d {
namespace {

constexpr int64_t kCells = 64;  // of a piece, about: its differences and sums stay in the second-level cache
constexpr int64_t kWhole = 8;   // pieces from which on each has all panels

// Axes along which differences are taken: a bit each.
enum Axis : unsigned { kX = 1, kY = 2, kZ = 4 };

// Adds corner i, times its sign, to each of the numbers of a row; the first corner sets them.
template <typename T>
void sum_corners(const T* const* corners, const bool* subtract, int count, T* row, int64_t channels) {
  const T* first = corners[0];
  const T sign = subtract[0] ? T(-1) : T(1);
  for (int64_t c = 0; c < channels; ++c) row[c] = sign * first[c];
  for (int i = 1; i < count; ++i) {
    const T* corner = corners[i];
    if (subtract[i]) {
      for (int64_t c = 0; c < channels; ++c) row[c] -= corner[c];
    } else {
      for (int64_t c = 0; c < channels; ++c) row[c] += corner[c];
    }
  }
}

// The differences of one object's x along the axes of a pattern, for the cells of a piece and one more along each of
// those axes; outside the grid x is zero.
template <typename T>
class Differences {
 public:
  Differences(const T* x, UpsampleShape shape) : x_(x), shape_(shape), zeros_(shape.in_channels, T(0)) {}

  void take(unsigned axes, const UpsamplePieces::Piece& piece) {
    rows_ = piece.y_end - piece.y_begin + ((axes & kY) != 0);
    columns_ = shape_.width + ((axes & kX) != 0);
    const int64_t planes = piece.z_end - piece.z_begin + ((axes & kZ) != 0);
    values_.resize(planes * rows_ * columns_ * shape_.in_channels);
    T* value = values_.data();
    for (int64_t z = piece.z_begin; z < piece.z_begin + planes; ++z) {
      for (int64_t y = piece.y_begin; y < piece.y_begin + rows_; ++y) {
        for (int64_t x = 0; x < columns_; ++x, value += shape_.in_channels) take_one(axes, z, y, x, value);
      }
    }
  }

  // The row of cells that starts at plane z and row y of the piece, a cell further along x if shifted.
  const T* row(int64_t z, int64_t y, bool shifted) const {
    return values_.data() + ((z * rows_ + y) * columns_ + shifted) * shape_.in_channels;
  }

 private:
  void take_one(unsigned axes, int64_t z, int64_t y, int64_t x, T* value) const {
    const T* corners[8];
    bool subtract[8];
    int count = 0;
    // Every subset of the axes: along those in it the cell before, along the others the cell itself, subtracted.
    for (unsigned before = axes;; before = (before - 1) & axes) {
      corners[count] = cell(z - ((before & kZ) != 0), y - ((before & kY) != 0), x - ((before & kX) != 0));
      subtract[count] = __builtin_popcount(axes & ~before) % 2 != 0;
      ++count;
      if (before == 0) break;
    }
    sum_corners(corners, subtract, count, value, shape_.in_channels);
  }

  const T* cell(int64_t z, int64_t y, int64_t x) const {
    const bool inside = z >= 0 && z < shape_.depth && y >= 0 && y < shape_.height && x >= 0 && x < shape_.width;
    return inside ? x_ + ((z * shape_.height + y) * shape_.width + x) * shape_.in_channels : zeros_.data();
  }

  const T* x_;
  UpsampleShape shape_;
  std::vector<T> zeros_;
  std::vector<T> values_;
  int64_t rows_ = 0;
  int64_t columns_ = 0;
};

// The eight phases of the doubled grid, (z, y, x) bits.
bool serves(unsigned phase, unsigned axes, unsigned shifts) {
  return (phase & axes) == shifts;  // along the other axes a product serves both
}

// 0: of x; 1: of e[a], which serves even cells; 2: of e[a + 1], odd ones.
int choice(unsigned axes, unsigned shifts, Axis axis) {
  return (axes & axis) == 0 ? 0 : 1 + ((shifts & axis) != 0);
}

template <typename T>
class PieceWork {
 public:
  PieceWork(const T* x, const T* packed, T* out, UpsampleShape shape, const UpsamplePieces::Piece& piece)
      : packed_(packed),
        out_(out),
        shape_(shape),
        piece_(piece),
        multiply_(panel_product<T>()),
        differences_(x, shape) {}

  void run(const T* bias, T negative_slope) {
    const int64_t first = piece_.panel_begin * kPanel<T>;
    const int64_t columns = std::min(piece_.panel_end * kPanel<T>, shape_.out_channels) - first;
    for_each_out_row([&](T* row) {
      fill_rows(row + first, shape_.out_channels, 2 * shape_.width, columns, bias == nullptr ? bias : bias + first);
    });
    for (unsigned axes = 0; axes < 8; ++axes) {
      differences_.take(axes, piece_);
      for (unsigned shifts = axes;; shifts = (shifts - 1) & axes) {
        for (int64_t panel = piece_.panel_begin; panel < piece_.panel_end; ++panel) multiply(axes, shifts, panel);
        if (shifts == 0) break;
      }
    }
    for_each_out_row(
        [&](T* row) { leaky_relu_rows(row + first, shape_.out_channels, 2 * shape_.width, columns, negative_slope); });
  }

 private:
  template <typename F>
  void for_each_out_row(F&& f) const {
    for (int64_t z = 2 * piece_.z_begin; z < 2 * piece_.z_end; ++z) {
      for (int64_t y = 2 * piece_.y_begin; y < 2 * piece_.y_end; ++y) f(out_row(z, y));
    }
  }

  T* out_row(int64_t z, int64_t y) const {
    return out_ + (z * 2 * shape_.height + y) * 2 * shape_.width * shape_.out_channels;
  }

  void multiply(unsigned axes, unsigned shifts, int64_t panel) const {
    const int64_t index = (choice(axes, shifts, kZ) * 3 + choice(axes, shifts, kY)) * 3 + choice(axes, shifts, kX);
    PanelProduct<T> product{};
    product.a_stride = shape_.in_channels;
    product.rows = shape_.width;
    product.depth = shape_.in_channels;
    product.panel = packed_ + (index * num_panels<T>(shape_.out_channels) + panel) * shape_.in_channels * kPanel<T>;
    product.columns = std::min(kPanel<T>, shape_.out_channels - panel * kPanel<T>);
    product.place_stride = 2 * shape_.out_channels;
    for (int64_t z = piece_.z_begin; z < piece_.z_end; ++z) {
      for (int64_t y = piece_.y_begin; y < piece_.y_end; ++y) {
        product.a = differences_.row(z - piece_.z_begin + ((shifts & kZ) != 0),
                                     y - piece_.y_begin + ((shifts & kY) != 0), (shifts & kX) != 0);
        product.num_places = 0;
        for (unsigned phase = 0; phase < 8; ++phase) {
          if (!serves(phase, axes, shifts)) continue;
          T* row = out_row(2 * z + ((phase & kZ) != 0), 2 * y + ((phase & kY) != 0));
          product.places[product.num_places++] = {row + ((phase & kX) != 0) * shape_.out_channels + panel * kPanel<T>,
                                                  false};
        }
        multiply_(product);
      }
    }
  }

  const T* packed_;
  T* out_;
  UpsampleShape shape_;
  UpsamplePieces::Piece piece_;
  PanelProductFunction<T> multiply_;
  Differences<T> differences_;
};

}  // namespace

UpsamplePieces::UpsamplePieces(UpsampleShape shape, int64_t panel_count) : shape_(shape), panel_count_(panel_count) {
  const int64_t lines = std::max<int64_t>(1, kCells / std::max<int64_t>(1, shape.width));
  // As square as may be: differences reach one cell further along both axes.
  strip_ = std::max<int64_t>(1, std::min(shape.height, lines >= 16 ? int64_t{4} : (lines >= 4 ? int64_t{2} : lines)));
  slab_ = std::max<int64_t>(1, std::min(shape.depth, lines / strip_));
  slabs_ = ceil_div(shape.depth, slab_);
  strips_ = ceil_div(shape.height, strip_);
  groups_ = shape.objects * slabs_ * strips_ < kWhole ? panel_count : 1;
}

UpsamplePieces::Piece UpsamplePieces::operator[](int64_t index) const {
  Piece piece{};
  const int64_t group = index % groups_;
  index /= groups_;
  piece.panel_begin = groups_ == 1 ? 0 : group;
  piece.panel_end = groups_ == 1 ? panel_count_ : group + 1;
  piece.y_begin = index % strips_ * strip_;
  piece.y_end = std::min(piece.y_begin + strip_, shape_.height);
  index /= strips_;
  piece.z_begin = index % slabs_ * slab_;
  piece.z_end = std::min(piece.z_begin + slab_, shape_.depth);
  piece.object = index / slabs_;
  return piece;
}

template <typename T>
void pack_upsample_weight(const T* weight, T* packed, int64_t out_channels, int64_t in_channels) {
  const int64_t matrix_size = num_panels<T>(out_channels) * in_channels * kPanel<T>;
  std::fill_n(packed, kUpsampleProducts * matrix_size, T(0));
  // The three products along an axis, of taps that lie `step` apart.
  const auto along = [](std::array<T, 27>& taps, int step) {
    for (int i = 0; i < 27; ++i) {
      if (i / step % 3 != 0) continue;
      const T w0 = taps[i];
      const T w1 = taps[i + step];
      const T w2 = taps[i + 2 * step];
      taps[i] = w0 + w1 + w2;
      taps[i + step] = w0;
      taps[i + 2 * step] = -w2;
    }
  };
  for (int64_t o = 0; o < out_channels; ++o) {
    for (int64_t i = 0; i < in_channels; ++i) {
      std::array<T, 27> taps;
      std::copy_n(weight + (o * in_channels + i) * 27, 27, taps.begin());
      for (const int step : {9, 3, 1}) along(taps, step);
      for (int64_t product = 0; product < kUpsampleProducts; ++product) {
        packed[product * matrix_size + packed_index<T>(in_channels, i, o)] = taps[product];
      }
    }
  }
}

template <typename T>
void upsample_conv3d_cpu(const T* x, const T* packed, const T* bias, T* out, UpsampleShape shape, T negative_slope,
                         int64_t begin_piece, int64_t end_piece) {
  const UpsamplePieces pieces(shape, num_panels<T>(shape.out_channels));
  const int64_t cells = shape.depth * shape.height * shape.width;
  for (int64_t index = begin_piece; index < end_piece; ++index) {
    const UpsamplePieces::Piece piece = pieces[index];
    PieceWork<T>(x + piece.object * cells * shape.in_channels, packed,
                 out + piece.object * 8 * cells * shape.out_channels, shape, piece)
        .run(bias, negative_slope);
  }
}

#define INSTANTIATE(T)                                                   \
  template void pack_upsample_weight<T>(const T*, T*, int64_t, int64_t); \
  template void upsample_conv3d_cpu<T>(const T*, const T*, const T*, T*, UpsampleShape, T, int64_t, int64_t)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace jc3d
