// Nearest ×2 followed by a 3³ convolution, in 27 products for every eight cells of the doubled grid.
//
// Along an axis, where the doubled signal repeats every x[a] twice:
//   y[2a]     = w0·x[a-1] + (w1 + w2)·x[a] = (w0 + w1 + w2)·x[a] + w0·(x[a-1] - x[a])
//   y[2a + 1] = (w0 + w1)·x[a] + w2·x[a+1] = (w0 + w1 + w2)·x[a] - w2·(x[a] - x[a+1])
// With the differences e[a] = x[a-1] - x[a] these are three products, of x[a], e[a] and e[a+1], of which the first
// serves both. In space that is 27 for eight cells, where folding nearest neighbours into eight 2³ kernels takes 64 and
// the plain convolution 216. It is Winograd's F(2, 3) (Lavin and Gray 2016) on a signal that repeats: one of its four
// products vanishes, and so do its halves.
#pragma once

#include <cstdint>

namespace jc3d {

constexpr int kUpsampleProducts = 27;  // (z, y, x) of 3: of x[a], of e[a], of e[a+1]

struct UpsampleShape {
  int64_t objects;
  int64_t depth, height, width;  // of the small grid
  int64_t in_channels, out_channels;
};

// weight [out, in, 3, 3, 3] -> packed [27, num_panels(out), in, kPanel].
template <typename T>
void pack_upsample_weight(const T* weight, T* packed, int64_t out_channels, int64_t in_channels);

// A piece of the work: some rows of cells of an object, and some of the output's panels. Pieces are cut by the shape
// alone.
class UpsamplePieces {
 public:
  explicit UpsamplePieces(UpsampleShape shape, int64_t panel_count);

  int64_t count() const { return shape_.objects * slabs_ * strips_ * groups_; }

  struct Piece {
    int64_t object;
    int64_t z_begin, z_end, y_begin, y_end;  // cells of the small grid
    int64_t panel_begin, panel_end;
  };
  Piece operator[](int64_t index) const;

 private:
  UpsampleShape shape_;
  int64_t panel_count_;
  int64_t slab_, strip_;  // cells along z and y of a piece
  int64_t slabs_, strips_, groups_;
};

// x [N, D, H, W, in] -> out [N, 2D, 2H, 2W, out], both channels-last; bias [out] or nullptr; then LeakyReLU.
template <typename T>
void upsample_conv3d_cpu(const T* x, const T* packed, const T* bias, T* out, UpsampleShape shape, T negative_slope,
                         int64_t begin_piece, int64_t end_piece);

}  // namespace jc3d
