// The CUDA side of an op: PyTorch's current stream, the device guard and the launch check. Includes no CUDA header and
// links no CUDA library of PyTorch's: one build serves PyTorch with and without CUDA.
#pragma once

#include <dlfcn.h>
#include <torch/csrc/stable/accelerator.h>

#include "checks.h"

namespace jc3d {

using StreamFunction = int32_t (*)(int32_t, void**);

// torch::stable hands out a native stream only from PyTorch 2.13. The C function behind it is older, but lives in
// libtorch_cuda, which a build against a CPU-only PyTorch cannot link: it is looked up in the library that is loaded.
inline StreamFunction find_stream_function() {
  void* library = dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD);
  STD_TORCH_CHECK(library != nullptr, "jc3d: CUDA tensors, but libtorch_cuda.so is not loaded");
  void* symbol = dlsym(library, "aoti_torch_get_current_cuda_stream");
  STD_TORCH_CHECK(symbol != nullptr, "jc3d: this PyTorch has no aoti_torch_get_current_cuda_stream");
  return reinterpret_cast<StreamFunction>(symbol);
}

// PyTorch's current stream of a device, a cudaStream_t.
inline void* current_stream(int32_t device_index) {
  static const StreamFunction get = find_stream_function();
  void* stream = nullptr;
  STD_TORCH_CHECK(get(device_index, &stream) == 0, "jc3d: PyTorch gave no CUDA stream for device ", device_index);
  return stream;
}

// Calls launch(stream) with the device of `tensor` current; launch returns nullptr or an error message.
template <typename Launch>
void launch_on(const Tensor& tensor, const char* op, Launch&& launch) {
  const int32_t device_index = tensor.get_device_index();
  const torch::stable::accelerator::DeviceGuard guard(device_index);
  const char* error = launch(current_stream(device_index));
  STD_TORCH_CHECK(error == nullptr, op, ": the CUDA kernel could not be launched: ", error);
}

}  // namespace jc3d
