#include "../kernels/conv2d_max_pool.h"

#include <algorithm>
#include <cmath>

#include "packed_conv.h"

namespace jc3d {
namespace {

struct ConvPool {
  using Shape = ConvPoolShape;
  static constexpr MemoryFormat format = MemoryFormat::ChannelsLast;

  static Shape weight_shape(const Tensor& weight) {
    STD_TORCH_CHECK(weight.dim() == 4, "weight: expected (out, in, k, k), got ", weight.dim(), " dimensions");
    const int64_t kernel = weight.size(3);
    check_sizes("weight", weight, {weight.size(0), weight.size(1), kernel, kernel});
    STD_TORCH_CHECK(kernel % 2 == 1, "weight: expected an odd kernel, got ", kernel);
    return {0, 0, 0, weight.size(1), weight.size(0), kernel};
  }

  static Shape input_shape(const Tensor& x, const Tensor& packed, int64_t out_channels) {
    STD_TORCH_CHECK(x.dim() == 4 && x.size(2) % 2 == 0 && x.size(3) % 2 == 0,
                    "x: expected (N, in, H, W) of even H and W");
    STD_TORCH_CHECK(packed.dim() == 4, "packed: expected 4 dimensions, got ", packed.dim());
    Shape shape{x.size(0), x.size(2), x.size(3), x.size(1), out_channels, 3};
    if (packed.size(0) == shape.products()) return shape;
    // The kernel that was packed is told by how deep it is; one that does not fit meets the check of the sizes.
    const double taps = static_cast<double>(packed.size(2)) / std::max<int64_t>(shape.in_channels, 1);
    shape.kernel = std::llround(std::sqrt(taps)) | 1;
    return shape;
  }

  static int64_t products(Shape shape) { return shape.products(); }
  static int64_t depth(Shape shape) { return shape.depth(); }

  static std::vector<int64_t> out_sizes(Shape shape) {
    return {shape.images, shape.out_channels, shape.height / 2, shape.width / 2};
  }

  static int64_t piece_count(Shape shape, int64_t panels) { return ConvPoolPieces(shape, panels).count(); }

  template <typename T>
  static void pack(const T* weight, T* packed, Shape shape) {
    pack_conv_pool_weight(weight, packed, shape);
  }

  template <typename T>
  static void run(const T* x, const T* packed, const T* bias, T* out, Shape shape, T slope, int64_t begin,
                  int64_t end) {
    conv2d_max_pool_cpu(x, packed, bias, out, shape, slope, begin, end);
  }
};

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("conv2d_max_pool", TORCH_BOX(&packed_conv<ConvPool>));
  library.impl("conv2d_max_pool_pack", TORCH_BOX(&packed_conv_pack<ConvPool>));
  library.impl("conv2d_max_pool_packed", TORCH_BOX(&packed_conv_run<ConvPool>));
}

}  // namespace
}  // namespace jc3d
