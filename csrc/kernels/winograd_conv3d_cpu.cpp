#include "winograd_conv3d.h"

#include <algorithm>
#include <vector>

#include "panel_product.h"
#include "winograd.h"

namespace jc3d {
namespace {

// Tiles of a piece along an axis, at most: what is transformed of them stays in the second-level cache.
constexpr int64_t kLines = 2;
constexpr int64_t kColumns = 16;
// Where pieces are fewer than these, as of a small grid with many channels, they are cut into groups of panels, too, so
// that several cores have something to do; each then transforms the cells anew.
constexpr int64_t kFewPieces = 16;
constexpr int64_t kPanels = 6;

template <typename T>
class PieceWork {
 public:
  PieceWork(const T* x, const T* packed, WinogradShape shape)
      : x_(x),
        packed_(packed),
        shape_(shape),
        all_panels_(num_panels<T>(shape.out_channels)),
        transforms_(winograd_transforms<T>()),
        multiply_(panel_product<T>()),
        zeros_(shape.in_channels, T(0)) {}

  void run(const WinogradPieces::Piece& piece, const T* bias, T* out, T negative_slope) {
    piece_ = piece;
    tiles_ = piece.lines * piece.columns;
    planes_.resize(4 * 16 * tiles_ * shape_.in_channels);
    for (int64_t z = 0; z < 4; ++z) transform_plane(z);
    width_ = piece.panels * kPanel<T>;
    sums_.assign(8 * tiles_ * width_, T(0));
    values_.resize(tiles_ * shape_.in_channels);
    for (int mz = 0; mz < 4; ++mz) {
      for (int m = 0; m < 16; ++m) {
        transforms_.combine(plane(kWinogradFirst[mz], m), plane(kWinogradSecond[mz], m), kWinogradAdds[mz],
                            values_.data(), tiles_ * shape_.in_channels);
        multiply(mz, m / 4, m % 4);
      }
    }
    write(bias, out, negative_slope);
  }

 private:
  // Cells of a plane, transformed along x and y: [tiles, in] for each of the 16.
  T* plane(int64_t z, int m) { return planes_.data() + (z * 16 + m) * tiles_ * shape_.in_channels; }

  const T* cell(int64_t z, int64_t y, int64_t x) const {
    const bool inside = z >= 0 && z < shape_.depth && y >= 0 && y < shape_.height && x >= 0 && x < shape_.width;
    return inside ? x_ + ((z * shape_.height + y) * shape_.width + x) * shape_.in_channels : zeros_.data();
  }

  void transform_plane(int64_t z) {
    winograd_squares(
        transforms_, piece_.lines, piece_.columns, shape_.in_channels, lines_,
        [&](int64_t y, int64_t x) { return cell(piece_.z + z - 1, piece_.y + y - 1, piece_.x + x - 1); },
        [&](int m) { return plane(z, m); });
  }

  // Sums are [phase, tiles, width].
  void multiply(int mz, int my, int mx) {
    PanelProduct<T> product{};
    product.a = values_.data();
    product.a_stride = product.depth = shape_.in_channels;
    product.rows = tiles_;
    product.place_stride = width_;
    for (int phase = 0; phase < 8; ++phase) {
      const int sign = winograd_sign(mz, phase >> 2) * winograd_sign(my, phase >> 1 & 1) * winograd_sign(mx, phase & 1);
      if (sign != 0) product.places[product.num_places++] = {sums_.data() + phase * tiles_ * width_, sign < 0};
    }
    const int64_t index = (mz * 4 + my) * 4 + mx;
    const T* panels = packed_ + (index * all_panels_ + piece_.panel) * shape_.in_channels * kPanel<T>;
    multiply_panels(multiply_, product, panels, piece_.panels);
  }

  void write(const T* bias, T* out, T negative_slope) const {
    const int64_t channel = piece_.panel * kPanel<T>;
    const int64_t channels = std::min(width_, shape_.out_channels - channel);
    for (int64_t line = 0; line < piece_.lines; ++line) {
      for (int64_t column = 0; column < piece_.columns; ++column) {
        for (int phase = 0; phase < 8; ++phase) {
          const int64_t z = piece_.z + (phase >> 2);
          const int64_t y = piece_.y + 2 * line + (phase >> 1 & 1);
          const int64_t x = piece_.x + 2 * column + (phase & 1);
          if (z >= shape_.depth || y >= shape_.height || x >= shape_.width) continue;
          const T* sums = sums_.data() + (phase * tiles_ + line * piece_.columns + column) * width_;
          T* row = out + ((z * shape_.height + y) * shape_.width + x) * shape_.out_channels + channel;
          for (int64_t c = 0; c < channels; ++c) {
            const T sum = bias == nullptr ? sums[c] : sums[c] + bias[channel + c];
            row[c] = sum > T(0) ? sum : sum * negative_slope;
          }
        }
      }
    }
  }

  const T* x_;
  const T* packed_;
  WinogradShape shape_;
  int64_t all_panels_;
  WinogradTransforms<T> transforms_;
  PanelProductFunction<T> multiply_;
  std::vector<T> zeros_, lines_, planes_, values_, sums_;
  WinogradPieces::Piece piece_{};
  int64_t tiles_ = 0;
  int64_t width_ = 0;
};

}  // namespace

WinogradPieces::WinogradPieces(WinogradShape shape, int64_t panels) : shape_(shape), panels_(panels) {
  strip_ = kLines;
  span_ = kColumns;
  slabs_ = ceil_div(shape.depth, 2);
  strips_ = ceil_div(shape.height, 2 * strip_);
  spans_ = ceil_div(shape.width, 2 * span_);
  const bool few = shape.objects * slabs_ * strips_ * spans_ < kFewPieces;
  group_ = few ? kPanels : std::max<int64_t>(panels, 1);
  groups_ = ceil_div(panels, group_);
}

WinogradPieces::Piece WinogradPieces::operator[](int64_t index) const {
  Piece piece{};
  piece.panel = index % groups_ * group_;
  index /= groups_;
  piece.panels = std::min(group_, panels_ - piece.panel);
  piece.x = index % spans_ * 2 * span_;
  index /= spans_;
  piece.y = index % strips_ * 2 * strip_;
  index /= strips_;
  piece.z = index % slabs_ * 2;
  piece.object = index / slabs_;
  piece.lines = std::min(strip_, (shape_.height - piece.y + 1) / 2);
  piece.columns = std::min(span_, (shape_.width - piece.x + 1) / 2);
  return piece;
}

template <typename T>
void pack_winograd_weight(const T* weight, T* packed, int64_t out_channels, int64_t in_channels) {
  const int64_t matrix_size = num_panels<T>(out_channels) * in_channels * kPanel<T>;
  std::fill_n(packed, kWinogradProducts * matrix_size, T(0));
  // Along one axis of a cube whose sides grow from 3 to 4, axis after axis.
  for (int64_t o = 0; o < out_channels; ++o) {
    for (int64_t i = 0; i < in_channels; ++i) {
      const T* w = weight + (o * in_channels + i) * 27;
      T along_x[3][3][4];
      T along_yx[3][4][4];
      for (int z = 0; z < 3; ++z) {
        for (int y = 0; y < 3; ++y) {
          const T* row = w + (z * 3 + y) * 3;
          const auto taps = winograd_taps(row[0], row[1], row[2]);
          std::copy(taps.begin(), taps.end(), along_x[z][y]);
        }
        for (int x = 0; x < 4; ++x) {
          const auto taps = winograd_taps(along_x[z][0][x], along_x[z][1][x], along_x[z][2][x]);
          for (int y = 0; y < 4; ++y) along_yx[z][y][x] = taps[y];
        }
      }
      for (int yx = 0; yx < 16; ++yx) {
        const auto taps =
            winograd_taps(along_yx[0][yx / 4][yx % 4], along_yx[1][yx / 4][yx % 4], along_yx[2][yx / 4][yx % 4]);
        for (int z = 0; z < 4; ++z) {
          packed[(z * 16 + yx) * matrix_size + packed_index<T>(in_channels, i, o)] = taps[z];
        }
      }
    }
  }
}

template <typename T>
void winograd_conv3d_cpu(const T* x, const T* packed, const T* bias, T* out, WinogradShape shape, T negative_slope,
                         int64_t begin_piece, int64_t end_piece) {
  const WinogradPieces pieces(shape, num_panels<T>(shape.out_channels));
  const int64_t cells = shape.depth * shape.height * shape.width;
  for (int64_t index = begin_piece; index < end_piece; ++index) {
    const WinogradPieces::Piece piece = pieces[index];
    PieceWork<T>(x + piece.object * cells * shape.in_channels, packed, shape)
        .run(piece, bias, out + piece.object * cells * shape.out_channels, negative_slope);
  }
}

#define INSTANTIATE(T)                                                   \
  template void pack_winograd_weight<T>(const T*, T*, int64_t, int64_t); \
  template void winograd_conv3d_cpu<T>(const T*, const T*, const T*, T*, WinogradShape, T, int64_t, int64_t)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace jc3d
