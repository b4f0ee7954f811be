"""Builds the compiled module jc3d._C; everything else is in pyproject.toml.

PyTorch's own BuildExtension refuses CUDA sources when the PyTorch at hand is a CPU build. The kernels include no
PyTorch header, so nvcc is called here, and one module holds both backends whichever PyTorch is installed.

Environment: JC3D_CUDA = auto (default: CUDA kernels where nvcc is found), 0 (none) or 1 (fail without nvcc);
TORCH_CUDA_ARCH_LIST, such as "8.0;9.0+PTX"; CUDA_HOME; MAX_JOBS.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from setuptools import Extension, setup
from torch.utils.cpp_extension import BuildExtension, include_paths, library_paths

ROOT = Path(__file__).parent
DEFAULT_ARCHS = "8.0;9.0+PTX"
TORCH_TARGET_VERSION = "0x020A000000000000"  # 2.10: the oldest PyTorch that the built module loads into
# Nobody unmasks floating-point exceptions or reads errno; for their sake comparisons would keep loops scalar. No result
# changes.
EXACT_FLAGS = ["-fno-trapping-math", "-fno-math-errno"]
# -fopenmp-simd: `#pragma omp simd` alone, for sums whose order the compiler may choose; no OpenMP runtime.
CXX_FLAGS = ["-std=c++17", "-O3", "-g0", "-fopenmp-simd", *EXACT_FLAGS, "-Wall", "-Wextra", "-fvisibility=hidden"]
# A kernel that spills registers or uses local memory is slow without a word: the assembler warns, CI makes it an error.
PTXAS_WARNINGS = ["-Xptxas", "-warn-spills,-warn-lmem-usage"]
NVCC_FLAGS = ["-std=c++17", "-O3", "-Xcompiler", "-fPIC,-Wall,-fvisibility=hidden", *PTXAS_WARNINGS]


@dataclass(frozen=True)
class Cuda:
    """The toolkit that builds the CUDA kernels, and for which GPUs."""

    nvcc: str
    version: str
    library_dirs: list[str]
    gencode: list[str]
    archs: str


def find_cuda() -> Cuda | None:
    """Decides whether CUDA kernels are built, and prints the decision in one line."""
    switch = os.environ.get("JC3D_CUDA", "auto")
    if switch not in ("auto", "0", "1"):
        sys.exit(f"JC3D_CUDA: expected auto, 0 or 1, got {switch!r}")
    nvcc = None if switch == "0" else find_nvcc()
    if nvcc is None:
        if switch == "1":
            sys.exit("jc3d: JC3D_CUDA=1, but nvcc is neither in CUDA_HOME nor on PATH nor in /usr/local/cuda")
        why = "asked for" if switch == "0" else "nvcc not found"
        print(f"jc3d: building without CUDA kernels: {why} (JC3D_CUDA={switch})", flush=True)
        return None
    gencode, archs = parse_archs(os.environ.get("TORCH_CUDA_ARCH_LIST") or DEFAULT_ARCHS)
    cuda = Cuda(nvcc, nvcc_version(nvcc), nvcc_library_dirs(nvcc), gencode, archs)
    print(f"jc3d: building CUDA kernels for {archs} with {nvcc} {cuda.version} (JC3D_CUDA={switch})", flush=True)
    return cuda


def find_nvcc() -> str | None:
    home = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH")
    if home:
        return shutil.which("nvcc", path=str(Path(home, "bin")))
    return shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")


def nvcc_version(nvcc: str) -> str:
    output = subprocess.run([nvcc, "--version"], check=True, capture_output=True, text=True).stdout
    match = re.search(r"release (\S+),", output)
    return match[1] if match else "unknown"


def nvcc_library_dirs(nvcc: str) -> list[str]:
    """Asks nvcc where its libraries are: it may be a wrapper script far from them."""
    command = [nvcc, "--dryrun", "-x", "cu", os.devnull, "-o", os.devnull]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    match = re.search(r"LIBRARIES=(.*)", output)
    return re.findall(r'"-L([^"]+)"', match[1]) if match else []


def parse_archs(text: str) -> tuple[list[str], str]:
    """Flags and names of a TORCH_CUDA_ARCH_LIST: "8.0;9.0+PTX" gives "sm_80, sm_90, compute_90"."""
    flags: list[str] = []
    names: list[str] = []
    for item in re.split(r"[;,\s]+", text.strip()):
        match = re.fullmatch(r"(\d+)\.(\d+[af]?)(\+PTX)?", item)
        if match is None:
            sys.exit(f"TORCH_CUDA_ARCH_LIST: expected numbers such as 8.0;9.0+PTX, got {item!r}")
        number = match[1] + match[2]
        codes = [f"sm_{number}"] + ([f"compute_{number}"] if match[3] else [])
        flags += [f"-gencode=arch=compute_{number},code={code}" for code in codes]
        names += codes
    return flags, ", ".join(names)


class BuildWithCuda(BuildExtension):
    """BuildExtension that hands the .cu sources to nvcc itself."""

    def build_extensions(self) -> None:
        for extension in self.extensions:
            sources = [source for source in extension.sources if source.endswith(".cu")]
            if sources:
                extension.sources = [source for source in extension.sources if source not in sources]
                extension.extra_objects += self.compile_cuda(sources)
        super().build_extensions()

    def compile_cuda(self, sources: list[str]) -> list[str]:
        """Compiles with ninja, so that only what has changed is compiled again."""
        folder = Path(self.build_temp, "cuda").absolute()
        folder.mkdir(parents=True, exist_ok=True)
        objects = [folder / f"{Path(source).stem}.o" for source in sources]
        flags = " ".join([*NVCC_FLAGS, *CUDA.gencode])
        lines = [
            "rule nvcc",
            f"  command = {ninja_escape(CUDA.nvcc)} {flags} -MMD -MF $out.d -c $in -o $out",
            "  depfile = $out.d",
            "  deps = gcc",
        ]
        for source, target in zip(sources, objects, strict=True):
            lines.append(f"build {ninja_escape(target)}: nvcc {ninja_escape(Path(source).absolute())}")
        Path(folder, "build.ninja").write_text("\n".join(lines) + "\n")
        jobs = ["-j", os.environ["MAX_JOBS"]] if "MAX_JOBS" in os.environ else []
        subprocess.run(["ninja", "-C", str(folder), *jobs], check=True)
        return [str(target) for target in objects]


def ninja_escape(path: object) -> str:
    return re.sub(r"([$: ])", r"$\1", str(path))


def make_extension() -> Extension:
    """The module, its sources found by their place: a new kernel or op needs no line here."""
    import pybind11

    patterns = ["csrc/*.cpp", "csrc/kernels/*.cpp", "csrc/ops/*.cpp"] + (["csrc/kernels/*.cu"] if CUDA else [])
    sources = sorted(str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern))
    macros: list[tuple[str, str | None]] = [("TORCH_TARGET_VERSION", TORCH_TARGET_VERSION)]
    if CUDA:
        macros += [
            ("JC3D_WITH_CUDA", None),
            ("JC3D_CUDA_VERSION", f'"{CUDA.version}"'),
            ("JC3D_CUDA_ARCHS", f'"{CUDA.archs}"'),
        ]
    return Extension(
        "jc3d._C",
        sources=sources,
        depends=[str(path.relative_to(ROOT)) for path in ROOT.glob("csrc/**/*.h")],
        library_dirs=[*library_paths(), *(CUDA.library_dirs if CUDA else [])],
        libraries=["torch_cpu", *(["cudart_static", "rt", "dl", "pthread"] if CUDA else [])],
        define_macros=macros,
        # System headers: their warnings are not ours.
        extra_compile_args=CXX_FLAGS + [f"-isystem{path}" for path in (pybind11.get_include(), *include_paths())],
        # PyTorch may bring another CUDA runtime into the process: the symbols of this one stay inside.
        extra_link_args=["-Wl,--exclude-libs,ALL"] if CUDA else [],
        language="c++",
    )


CUDA = find_cuda()

setup(ext_modules=[make_extension()], cmdclass={"build_ext": BuildWithCuda})
