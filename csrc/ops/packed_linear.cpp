#include "../kernels/packed_linear.h"

#include "checks.h"
#ifdef JC3D_WITH_CUDA
#include "cuda.h"
#endif

namespace jc3d {
namespace {

template <typename F>
void dispatch_weight(ScalarType dtype, F&& f) {
  switch (dtype) {
    case ScalarType::Float:
      return f(static_cast<float*>(nullptr));
    case ScalarType::Double:
      return f(static_cast<double*>(nullptr));
    case ScalarType::BFloat16:
      return f(static_cast<BFloat16*>(nullptr));
    case ScalarType::Char:
      return f(static_cast<int8_t*>(nullptr));
    default:
      STD_TORCH_CHECK(false, "weight: expected float32, float64, bfloat16 or int8, got ", dtype);
  }
}

OptionalTensor checked_vector(const char* argument, const OptionalTensor& vector, ScalarType dtype, int64_t size,
                              const Tensor& packed) {
  if (!vector) return vector;
  check_dtype(argument, *vector, dtype);
  check_sizes(argument, *vector, {size});
  check_same_device(argument, *vector, "packed", packed);
  return torch::stable::contiguous(*vector);
}

// packed [*, ceil(n / 8)] uint8, weight [out, n], bias and scale [out] -> [*, out].
template <typename Run>
Tensor packed_linear(const Tensor& packed, const Tensor& weight, const OptionalTensor& bias,
                     const OptionalTensor& scale, Run&& run) {
  check_dtype("packed", packed, ScalarType::Byte);
  check_has_last_dimension("packed", packed);
  STD_TORCH_CHECK(weight.dim() == 2, "weight: expected (out, n), got ", weight.dim(), " dimensions");
  check_same_device("weight", weight, "packed", packed);
  const PackedLinearShape shape{row_count(packed), weight.size(1), weight.size(0)};
  const int64_t row_bytes = packed.size(packed.dim() - 1);
  STD_TORCH_CHECK(row_bytes == shape.row_bytes(), "packed: expected ", shape.row_bytes(),
                  " bytes in the last dimension for a weight of ", shape.n, " columns, got ", row_bytes);
  const bool quantized = weight.scalar_type() == ScalarType::Char;
  STD_TORCH_CHECK(scale.has_value() == quantized, "scale: expected ",
                  quantized ? "one for an int8 weight, got none" : "none for a weight that is not int8, got one");
  STD_TORCH_CHECK(!quantized || shape.n <= kMaxInt8Weights, "weight: expected at most ", kMaxInt8Weights,
                  " columns of int8, got ", shape.n);
  const ScalarType dtype = weight.scalar_type() == ScalarType::Double ? ScalarType::Double : ScalarType::Float;
  const OptionalTensor biases = checked_vector("bias", bias, dtype, shape.out, packed);
  const OptionalTensor scales = checked_vector("scale", scale, ScalarType::Float, shape.out, packed);
  const Tensor codes = torch::stable::contiguous(packed);
  const Tensor weights = torch::stable::contiguous(weight);
  const Tensor y = torch::stable::new_empty(packed, with_last_size(packed, shape.out), dtype);
  dispatch_weight(weight.scalar_type(), [&](auto* type) {
    using W = std::remove_pointer_t<decltype(type)>;
    run(static_cast<const uint8_t*>(codes.const_data_ptr()), static_cast<const W*>(weights.const_data_ptr()),
        pointer_or_null<float>(scales), pointer_or_null<linear_result_t<W>>(biases),
        data_pointer<linear_result_t<W>>(y), shape);
  });
  return y;
}

Tensor packed_linear_cpu(const Tensor& packed, const Tensor& weight, const OptionalTensor& bias,
                         const OptionalTensor& scale) {
  return packed_linear(
      packed, weight, bias, scale,
      [](const uint8_t* data, auto* weights, const float* scales, auto* biases, auto* y, PackedLinearShape shape) {
        if (shape.rows == 0 || shape.out == 0) return;
        using W = std::remove_const_t<std::remove_pointer_t<decltype(weights)>>;
        const LinearCodes<W> codes(data, shape);
        const int64_t grain = kGrain / (shape.n + 1) + 1;
        torch::stable::parallel_for(0, shape.out, grain, [=, &codes](int64_t begin, int64_t end) {
          jc3d::packed_linear_cpu<W>(codes, weights, scales, biases, y, shape, begin, end);
        });
      });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("packed_linear", TORCH_BOX(&packed_linear_cpu));
}

#ifdef JC3D_WITH_CUDA

Tensor packed_linear_cuda(const Tensor& packed, const Tensor& weight, const OptionalTensor& bias,
                          const OptionalTensor& scale) {
  return packed_linear(
      packed, weight, bias, scale,
      [&](const uint8_t* codes, auto* weights, const float* scales, auto* biases, auto* y, PackedLinearShape shape) {
        launch_on(packed, "packed_linear", [=](void* stream) {
          return jc3d::packed_linear_cuda(codes, weights, scales, biases, y, shape, stream);
        });
      });
}

STABLE_TORCH_LIBRARY_IMPL(jc3d, CUDA, library) {
  library.impl("packed_linear", TORCH_BOX(&packed_linear_cuda));
}

#endif  // JC3D_WITH_CUDA

}  // namespace
}  // namespace jc3d
