// A 3³ convolution with padding 1 in 64 products for every eight cells, by Winograd's F(2, 3) along each axis
// (winograd.h), where the plain sum takes 216.
#pragma once

#include <cstdint>

namespace jc3d {

constexpr int kWinogradProducts = 64;  // (z, y, x) of 4

struct WinogradShape {
  int64_t objects;
  int64_t depth, height, width;
  int64_t in_channels, out_channels;
};

// weight [out, in, 3, 3, 3] -> packed [64, num_panels(out), in, kPanel].
template <typename T>
void pack_winograd_weight(const T* weight, T* packed, int64_t out_channels, int64_t in_channels);

// A piece of the work: two planes of cells of an object, some pairs of rows and columns in them, and some panels.
// Pieces are cut by the shape alone.
class WinogradPieces {
 public:
  WinogradPieces(WinogradShape shape, int64_t panels);

  int64_t count() const { return shape_.objects * slabs_ * strips_ * spans_ * groups_; }

  struct Piece {
    int64_t object;
    int64_t z, y, x;         // first cell
    int64_t lines, columns;  // tiles of 2³ cells along y and x
    int64_t panel, panels;   // first, and how many
  };
  Piece operator[](int64_t index) const;

 private:
  WinogradShape shape_;
  int64_t panels_;
  int64_t group_;         // panels of a piece
  int64_t strip_, span_;  // tiles along y and x of a piece
  int64_t slabs_, strips_, spans_, groups_;
};

// x [N, D, H, W, in] -> out [N, D, H, W, out], both channels-last; bias [out] or nullptr; then LeakyReLU.
template <typename T>
void winograd_conv3d_cpu(const T* x, const T* packed, const T* bias, T* out, WinogradShape shape, T negative_slope,
                         int64_t begin_piece, int64_t end_piece);

}  // namespace jc3d
