#include "../kernels/upsample_conv3d.h"

#include "packed_conv3d.h"

namespace jc3d {
namespace {

struct Upsample {
  using Shape = UpsampleShape;
  static constexpr int64_t products = kUpsampleProducts;
  static constexpr int64_t scale = 2;

  static int64_t piece_count(Shape shape, int64_t panels) { return UpsamplePieces(shape, panels).count(); }

  template <typename T>
  static void pack(const T* weight, T* packed, int64_t out, int64_t in) {
    pack_upsample_weight(weight, packed, out, in);
  }

  template <typename T>
  static void run(const T* x, const T* packed, const T* bias, T* out, Shape shape, T slope, int64_t begin,
                  int64_t end) {
    upsample_conv3d_cpu(x, packed, bias, out, shape, slope, begin, end);
  }
};

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("upsample_conv3d", TORCH_BOX(&packed_conv3d<Upsample>));
  library.impl("upsample_conv3d_pack", TORCH_BOX(&packed_conv3d_pack<Upsample>));
  library.impl("upsample_conv3d_packed", TORCH_BOX(&packed_conv3d_run<Upsample>));
}

}  // namespace
}  // namespace jc3d
