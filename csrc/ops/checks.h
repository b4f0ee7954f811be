// What the ops share: argument checks, dispatch over number types, and the bridge from a tensor to a kernel's pointers.
#pragma once

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../kernels/scalar.h"

namespace jc3d {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;
using OptionalTensor = std::optional<Tensor>;

// Elements below which a second thread costs more than it saves.
constexpr int64_t kGrain = 1 << 15;

// Calls f with a null pointer to the kernels' type for `dtype`, whose value alone counts:
// f(static_cast<float*>(nullptr)).
template <typename F>
void dispatch_float(const char* argument, ScalarType dtype, F&& f) {
  switch (dtype) {
    case ScalarType::Float:
      return f(static_cast<float*>(nullptr));
    case ScalarType::Double:
      return f(static_cast<double*>(nullptr));
    case ScalarType::BFloat16:
      return f(static_cast<BFloat16*>(nullptr));
    case ScalarType::Half:
      return f(static_cast<Half*>(nullptr));
    default:
      STD_TORCH_CHECK(false, argument, ": expected float32, float64, bfloat16 or float16, got ", dtype);
  }
}

template <typename T>
const T* pointer_or_null(const OptionalTensor& tensor) {
  return tensor ? static_cast<const T*>(tensor->const_data_ptr()) : nullptr;
}

template <typename T>
T* data_pointer(const Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

inline void check_dtype(const char* argument, const Tensor& tensor, ScalarType dtype) {
  STD_TORCH_CHECK(tensor.scalar_type() == dtype, argument, ": expected ", dtype, ", got ", tensor.scalar_type());
}

inline void check_has_last_dimension(const char* argument, const Tensor& tensor) {
  STD_TORCH_CHECK(tensor.dim() > 0, argument, ": expected at least 1 dimension, got 0");
}

inline void check_same_device(const char* argument, const Tensor& tensor, const char* other, const Tensor& reference) {
  STD_TORCH_CHECK(tensor.is_cuda() == reference.is_cuda() && tensor.get_device_index() == reference.get_device_index(),
                  argument, ": expected a tensor on the device of ", other, " (index ", reference.get_device_index(),
                  "), got one on another (index ", tensor.get_device_index(), ")");
}

inline void check_sizes(const char* argument, const Tensor& tensor, const std::vector<int64_t>& expected) {
  const auto sizes = tensor.sizes();
  bool equal = sizes.size() == expected.size();
  for (size_t i = 0; equal && i < expected.size(); ++i) equal = sizes[i] == expected[i];
  if (equal) return;
  const auto list = [](const auto& values) {
    std::string text = "(";
    for (size_t i = 0; i < values.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(values[i]);
    return text + ")";
  };
  STD_TORCH_CHECK(false, argument, ": expected ", list(expected), ", got ", list(sizes));
}

inline std::vector<int64_t> sizes_of(const Tensor& tensor) {
  const auto sizes = tensor.sizes();
  return {sizes.begin(), sizes.end()};
}

// The sizes of a tensor with another last one.
inline std::vector<int64_t> with_last_size(const Tensor& tensor, int64_t last) {
  std::vector<int64_t> result = sizes_of(tensor);
  result.back() = last;
  return result;
}

// Number of rows: the product of all sizes but the last.
inline int64_t row_count(const Tensor& tensor) {
  int64_t rows = 1;
  for (int64_t i = 0; i + 1 < tensor.dim(); ++i) rows *= tensor.size(i);
  return rows;
}

}  // namespace jc3d
