#include "../kernels/winograd_conv3d.h"

#include "packed_conv3d.h"

namespace jc3d {
namespace {

struct Winograd {
  using Shape = WinogradShape;
  static constexpr int64_t products = kWinogradProducts;
  static constexpr int64_t scale = 1;

  static int64_t piece_count(Shape shape, int64_t) { return WinogradPieces(shape).count(); }

  template <typename T>
  static void pack(const T* weight, T* packed, int64_t out, int64_t in) {
    pack_winograd_weight(weight, packed, out, in);
  }

  template <typename T>
  static void run(const T* x, const T* packed, const T* bias, T* out, Shape shape, T slope, int64_t begin,
                  int64_t end) {
    winograd_conv3d_cpu(x, packed, bias, out, shape, slope, begin, end);
  }
};

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("winograd_conv3d", TORCH_BOX(&packed_conv3d<Winograd>));
  library.impl("winograd_conv3d_pack", TORCH_BOX(&packed_conv3d_pack<Winograd>));
  library.impl("winograd_conv3d_packed", TORCH_BOX(&packed_conv3d_run<Winograd>));
}

}  // namespace
}  // namespace jc3d
