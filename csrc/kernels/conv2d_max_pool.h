// A convolution of an image with padding that keeps its size, max-pooling 2×2 and LeakyReLU, so that the map at full
// resolution is never written. A 3² kernel takes 16 products for a window's four outputs, by Winograd's F(2, 3) along
// both axes (winograd.h), where the plain sum takes 36; of other kernels the plain sum is taken.
#pragma once

#include <cstdint>

namespace jc3d {

struct ConvPoolShape {
  int64_t images;
  int64_t height, width;  // of the convolution, even
  int64_t in_channels, out_channels;
  int64_t kernel;  // odd

  bool winograd() const { return kernel == 3; }
  // The packed weight is [products, num_panels(out), depth, kPanel].
  int64_t products() const { return winograd() ? 16 : 1; }
  int64_t depth() const { return winograd() ? in_channels : kernel * kernel * in_channels; }
};

// weight [out, in, kernel, kernel] -> packed.
template <typename T>
void pack_conv_pool_weight(const T* weight, T* packed, ConvPoolShape shape);

// A piece of the work: some rows and columns of pooling windows of an image, and some panels. Pieces are cut by the
// shape alone.
class ConvPoolPieces {
 public:
  ConvPoolPieces(ConvPoolShape shape, int64_t panels);

  int64_t count() const { return shape_.images * strips_ * spans_ * groups_; }

  struct Piece {
    int64_t image;
    int64_t row, column;     // first window
    int64_t lines, columns;  // windows
    int64_t panel, panels;   // first, and how many
  };
  Piece operator[](int64_t index) const;

 private:
  ConvPoolShape shape_;
  int64_t panels_;
  int64_t strip_, span_;
  int64_t strips_, spans_, groups_;
};

// x [N, H, W, in] -> out [N, H/2, W/2, out], both channels-last; bias [out] or nullptr.
template <typename T>
void conv2d_max_pool_cpu(const T* x, const T* packed, const T* bias, T* out, ConvPoolShape shape, T negative_slope,
                         int64_t begin_piece, int64_t end_piece);

}  // namespace jc3d
