#include "occupancy_head.h"

#include <algorithm>
#include <vector>

#include "activations.h"
#include "cpu.h"
#include "panel_product.h"

namespace jc3d {
namespace {

// Planes of a piece: each needs one more on either side.
constexpr int64_t kPlanes = 4;

// Along an axis, the taps of a phase and how far from the phase's cell they reach.
template <bool doubled>
struct Axis {
  static constexpr int scale = doubled ? 2 : 1;
  static constexpr int taps = doubled ? 2 : 3;
  static constexpr int offset(int phase, int tap) { return doubled ? phase - 1 + tap : tap - 1; }
};

// The sums that a plane's products bring to a plane of outputs: `products` [H + 2, W + 2, stride] with a border of
// zeros; columns of the phases pz and taps tz along z.
template <typename T, bool doubled>
JC3D_ALWAYS_INLINE void add_plane_loop(const T* products, int64_t stride, int pz, int tz, T* sums, int64_t height,
                                       int64_t width) {
  using A = Axis<doubled>;
  constexpr int square = A::taps * A::taps;
  const int64_t row = (width + 2) * stride;
  for (int64_t y = 0; y < height; ++y) {
    for (int py = 0; py < A::scale; ++py) {
      T* line = sums + (y * A::scale + py) * width * A::scale;
      for (int px = 0; px < A::scale; ++px) {
        const T* columns = products + (((pz * A::scale + py) * A::scale + px) * A::taps + tz) * square;
        for (int64_t x = 0; x < width; ++x) {
          T sum(0);
#pragma GCC unroll 3
          for (int ty = 0; ty < A::taps; ++ty) {
            const T* near = columns + (y + 1 + A::offset(py, ty)) * row + (x + 1) * stride + ty * A::taps;
#pragma GCC unroll 3
            for (int tx = 0; tx < A::taps; ++tx) sum += near[A::offset(px, tx) * stride + tx];
          }
          line[x * A::scale + px] += sum;
        }
      }
    }
  }
}

template <typename T>
JC3D_ALWAYS_INLINE void sigmoid_loop(const T* sums, T bias, T* out, int64_t n) {
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) out[j] = sigmoid(sums[j] + bias);
}

// Planes first to last - 1 of an object, x and out being its own.
template <typename T, bool doubled>
class PieceWork {
 public:
  using A = Axis<doubled>;

  PieceWork(const T* packed, HeadShape shape)
      : packed_(packed),
        shape_(shape),
        width_(num_panels<T>(shape.columns()) * kPanel<T>),
        add_plane_(for_this_cpu<&add_plane_loop<T, doubled>>()),
        sigmoid_(for_this_cpu<&sigmoid_loop<T>>()),
        multiply_(panel_product<T>()),
        products_((shape.height + 2) * (shape.width + 2) * width_) {}

  void run(const T* x, T bias, T* out, int64_t first, int64_t last) {
    const int64_t plane = A::scale * A::scale * shape_.height * shape_.width;
    sums_.assign((last - first) * A::scale * plane, T(0));
    for (int64_t z = std::max<int64_t>(first - 1, 0); z < std::min(last + 1, shape_.depth); ++z) {
      multiply(x + z * shape_.height * shape_.width * shape_.in_channels);
      for (int phase = 0; phase < A::scale; ++phase) {
        for (int tap = 0; tap < A::taps; ++tap) {
          const int64_t to = z - A::offset(phase, tap);
          if (to < first || to >= last) continue;
          T* sums = sums_.data() + ((to - first) * A::scale + phase) * plane;
          add_plane_(products_.data(), width_, phase, tap, sums, shape_.height, shape_.width);
        }
      }
    }
    sigmoid_(sums_.data(), bias, out + first * A::scale * plane, static_cast<int64_t>(sums_.size()));
  }

 private:
  void multiply(const T* plane) {
    std::fill(products_.begin(), products_.end(), T(0));
    PanelProduct<T> product{};
    product.a_stride = product.depth = shape_.in_channels;
    product.rows = shape_.width;
    product.num_places = 1;
    product.place_stride = width_;
    for (int64_t y = 0; y < shape_.height; ++y) {
      product.a = plane + y * shape_.width * shape_.in_channels;
      product.places[0] = {products_.data() + ((y + 1) * (shape_.width + 2) + 1) * width_, false};
      multiply_panels(multiply_, product, packed_, width_ / kPanel<T>);
    }
  }

  const T* packed_;
  HeadShape shape_;
  int64_t width_;
  decltype(&add_plane_loop<T, doubled>) add_plane_;
  decltype(&sigmoid_loop<T>) sigmoid_;
  PanelProductFunction<T> multiply_;
  std::vector<T> products_, sums_;
};

int64_t pieces_of_object(HeadShape shape) {
  return ceil_div(shape.depth, kPlanes);
}

template <typename T, bool doubled>
void run_pieces(const T* x, const T* packed, const T* bias, T* out, HeadShape shape, int64_t begin, int64_t end) {
  PieceWork<T, doubled> work(packed, shape);
  const int64_t cells = shape.depth * shape.height * shape.width;
  const int64_t scale = shape.scale();
  for (int64_t index = begin; index < end; ++index) {
    const int64_t object = index / pieces_of_object(shape);
    const int64_t first = index % pieces_of_object(shape) * kPlanes;
    work.run(x + object * cells * shape.in_channels, bias[1] - bias[0], out + object * cells * scale * scale * scale,
             first, std::min(first + kPlanes, shape.depth));
  }
}

}  // namespace

int64_t HeadShape::piece_count() const {
  return objects * pieces_of_object(*this);
}

template <typename T>
void pack_head_weight(const T* weight, T* packed, HeadShape shape) {
  const int64_t channels = shape.in_channels;
  std::fill_n(packed, num_panels<T>(shape.columns()) * channels * kPanel<T>, T(0));
  for (int64_t i = 0; i < channels; ++i) {
    const auto tap = [&](int z, int y, int x) {
      const int64_t index = (z * 3 + y) * 3 + x;
      return weight[(channels + i) * 27 + index] - weight[i * 27 + index];
    };
    const auto add = [&](int64_t column, T value) { packed[packed_index<T>(channels, i, column)] += value; };
    // Tap k of the doubled grid reads the cell at floor((phase + k - 1) / 2) from the phase's own.
    const auto near = [](int phase, int k) { return phase + k - 1 < 0 ? 0 : (phase + k - 1) / 2 + (phase == 0); };
    for (int z = 0; z < 3; ++z) {
      for (int y = 0; y < 3; ++y) {
        for (int x = 0; x < 3; ++x) {
          if (!shape.doubled) {
            add((z * 3 + y) * 3 + x, tap(z, y, x));
            continue;
          }
          for (int phase = 0; phase < 8; ++phase) {
            const int pz = phase >> 2;
            const int py = phase >> 1 & 1;
            const int px = phase & 1;
            add(phase * 8 + (near(pz, z) * 2 + near(py, y)) * 2 + near(px, x), tap(z, y, x));
          }
        }
      }
    }
  }
}

template <typename T>
void occupancy_head_cpu(const T* x, const T* packed, const T* bias, T* out, HeadShape shape, int64_t begin_piece,
                        int64_t end_piece) {
  (shape.doubled ? run_pieces<T, true> : run_pieces<T, false>)(x, packed, bias, out, shape, begin_piece, end_piece);
}

#define INSTANTIATE(T)                                        \
  template void pack_head_weight<T>(const T*, T*, HeadShape); \
  template void occupancy_head_cpu<T>(const T*, const T*, const T*, T*, HeadShape, int64_t, int64_t)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace jc3d
