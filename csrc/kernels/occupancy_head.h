// The decoder's last layer, a 3³ convolution to the logits of empty and occupied, and the probability of occupied: the
// softmax of two is the sigmoid of their difference, so one channel is computed, of the difference of their weights.
// Every cell of the grid is multiplied by all that it means to its neighbours, a matrix product 27 columns wide, and
// the neighbours add these up. A grid that is doubled by nearest neighbours first has 8 phases of 8 taps, sums of
// the 27.
#pragma once

#include <cstdint>

namespace jc3d {

struct HeadShape {
  int64_t objects;
  int64_t depth, height, width;  // of the grid that comes in
  int64_t in_channels;
  bool doubled;

  int64_t scale() const { return doubled ? 2 : 1; }
  int64_t columns() const { return doubled ? 64 : 27; }
  int64_t piece_count() const;
};

// weight [2, in, 3, 3, 3] -> packed [num_panels(columns), in, kPanel].
template <typename T>
void pack_head_weight(const T* weight, T* packed, HeadShape shape);

// x [N, D, H, W, in] channels-last -> out [N, scale·D, scale·H, scale·W]; bias [2].
template <typename T>
void occupancy_head_cpu(const T* x, const T* packed, const T* bias, T* out, HeadShape shape, int64_t begin_piece,
                        int64_t end_piece);

}  // namespace jc3d
