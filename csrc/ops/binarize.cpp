#include "../kernels/binarize.h"

#include <optional>

#include "checks.h"
#include "memory_format.h"
#ifdef JC3D_WITH_CUDA
#include "cuda.h"
#endif

namespace jc3d {
namespace {

// x [*] floating point -> signs [*]; seed: one int64 on the device of x, or none for the sign.
template <typename Run>
Tensor binarize(const Tensor& x, const std::optional<Tensor>& seed, Run&& run) {
  if (seed) {
    check_dtype("seed", *seed, ScalarType::Long);
    STD_TORCH_CHECK(seed->numel() == 1, "seed: expected 1 element, got ", seed->numel());
    check_same_device("seed", *seed, "x", x);
  }
  const bool channels_last = is_channels_last(x);
  const Tensor input = channels_last ? x : torch::stable::contiguous(x);
  const Tensor signs = torch::stable::empty_like(input);
  const MemoryOrder order =
      channels_last ? MemoryOrder{x.size(1), x.numel() / (x.size(0) * x.size(1))} : MemoryOrder{1, 1};
  const auto* seed_pointer = seed ? static_cast<const int64_t*>(seed->const_data_ptr()) : nullptr;
  dispatch_float("x", x.scalar_type(), [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    run(static_cast<const T*>(input.const_data_ptr()), static_cast<T*>(signs.mutable_data_ptr()), seed_pointer, order,
        x.numel());
  });
  return signs;
}

Tensor binarize_cpu(const Tensor& x, const std::optional<Tensor>& seed) {
  return binarize(x, seed,
                  [](const auto* input, auto* signs, const int64_t* seed_pointer, MemoryOrder order, int64_t n) {
                    torch::stable::parallel_for(0, n, kGrain, [=](int64_t begin, int64_t end) {
                      jc3d::binarize_cpu(input, signs, seed_pointer, order, begin, end);
                    });
                  });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("binarize", TORCH_BOX(&binarize_cpu));
}

#ifdef JC3D_WITH_CUDA

Tensor binarize_cuda(const Tensor& x, const std::optional<Tensor>& seed) {
  return binarize(
      x, seed, [&](const auto* input, auto* signs, const int64_t* seed_pointer, MemoryOrder order, int64_t n) {
        launch_on(x, "binarize",
                  [=](void* stream) { return jc3d::binarize_cuda(input, signs, seed_pointer, order, n, stream); });
      });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CUDA, library) {
  library.impl("binarize", TORCH_BOX(&binarize_cuda));
}

#endif  // JC3D_WITH_CUDA

}  // namespace
}  // namespace jc3d
