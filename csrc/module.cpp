// The Python module jc3d._C: build facts and host-only functions. Loading it registers the ops of csrc/ops.

#include <pybind11/pybind11.h>
#include <torch/csrc/stable/version.h>

#include <string>
#include <string_view>

#include "kernels/cpu.h"
#include "kernels/crc32c.h"

namespace py = pybind11;

namespace {

constexpr const char* kCompiler =
#if defined(__clang__)
    "clang " __clang_version__;
#elif defined(__GNUC__)
    "gcc " __VERSION__;
#else
    "unknown";
#endif

// "2.10" of 0x020A000000000000.
std::string version_string(uint64_t version) {
  return std::to_string(version >> 56) + "." + std::to_string(version >> 48 & 0xFF);
}

py::dict build_facts() {
  py::dict facts;
  facts["compiler"] = kCompiler;
  facts["torch_target"] = version_string(TORCH_TARGET_VERSION);
  facts["torch_headers"] = version_string(TORCH_ABI_VERSION);
#ifdef JC3D_WITH_CUDA
  facts["cuda"] = JC3D_CUDA_VERSION;
  facts["cuda_archs"] = JC3D_CUDA_ARCHS;
#else
  facts["cuda"] = py::none();
  facts["cuda_archs"] = "";
#endif
  return facts;
}

uint32_t crc32c(const py::bytes& data, uint32_t crc) {
  const std::string_view view = data;
  const py::gil_scoped_release release;
  return jc3d::crc32c(view.data(), view.size(), crc);
}

}  // namespace

PYBIND11_MODULE(_C, module) {
  module.doc() = "Compiled part of jc3d. Loading it registers the CPU and CUDA kernels of the ops.";

  py::enum_<jc3d::CpuLevel>(module, "CpuLevel", "Instruction sets of the CPU kernels.")
      .value("scalar", jc3d::CpuLevel::scalar)
      .value("avx2", jc3d::CpuLevel::avx2)
      .value("avx512", jc3d::CpuLevel::avx512);
  module.def("cpu_level", &jc3d::cpu_level, "The instruction set that the CPU kernels use on this machine.");
  module.def("limit_cpu_level", &jc3d::limit_cpu_level, py::arg("level"),
             "Keeps the CPU kernels at this instruction set or below; for tests.");

  module.def("build_facts", &build_facts, "How this module was built.");
  module.def("crc32c", &crc32c, py::arg("data"), py::arg("crc") = 0,
             "CRC-32C of the bytes that gave crc, followed by data.");
}
