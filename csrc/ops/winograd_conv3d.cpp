#include "../kernels/winograd_conv3d.h"

#include "packed_conv.h"

namespace jc3d {
namespace {

struct Winograd : GridKernel<WinogradShape, kWinogradProducts, 1> {
  static int64_t piece_count(Shape shape, int64_t panels) { return WinogradPieces(shape, panels).count(); }

  template <typename T>
  static void pack(const T* weight, T* packed, Shape shape) {
    pack_winograd_weight(weight, packed, shape.out_channels, shape.in_channels);
  }

  template <typename T>
  static void run(const T* x, const T* packed, const T* bias, T* out, Shape shape, T slope, int64_t begin,
                  int64_t end) {
    winograd_conv3d_cpu(x, packed, bias, out, shape, slope, begin, end);
  }
};

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("winograd_conv3d", TORCH_BOX(&packed_conv<Winograd>));
  library.impl("winograd_conv3d_pack", TORCH_BOX(&packed_conv_pack<Winograd>));
  library.impl("winograd_conv3d_packed", TORCH_BOX(&packed_conv_run<Winograd>));
}

}  // namespace
}  // namespace jc3d
