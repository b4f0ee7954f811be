"""How the installed package was built, for reports of problems."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from jc3d._version import __version__
from jc3d.ops._extension import extension


@dataclass(frozen=True)
class BuildInfo:
    """What runs here.

    Attributes:
        version: of jc3d.
        torch: version of the PyTorch at run time.
        extension: whether the compiled module is loaded. If not, ``reason`` says why, and the rest is None or empty.
        reason: why there is no compiled module; else empty.
        compiler: the C++ compiler that built it.
        torch_headers: version of the PyTorch whose headers built it.
        torch_target: the oldest PyTorch that it loads into.
        cuda: version of the CUDA toolkit that built its CUDA kernels; None without them.
        cuda_archs: what these were built for, such as ``("sm_80", "sm_90", "compute_90")``; ``compute`` stands for PTX.
        cpu_level: instructions of the CPU kernels on this machine: ``"scalar"``, ``"avx2"`` or ``"avx512"``.
    """

    version: str
    torch: str
    extension: bool
    reason: str
    compiler: str | None = None
    torch_headers: str | None = None
    torch_target: str | None = None
    cuda: str | None = None
    cuda_archs: tuple[str, ...] = ()
    cpu_level: str | None = None


def build_info() -> BuildInfo:
    """Says how the installed package was built; :func:`jc3d.ops.status` says what that means for each op."""
    loaded = extension()
    if loaded.module is None:
        return BuildInfo(__version__, torch.__version__, False, loaded.reason)
    facts = loaded.module.build_facts()
    return BuildInfo(
        version=__version__,
        torch=torch.__version__,
        extension=True,
        reason="",
        compiler=facts["compiler"],
        torch_headers=facts["torch_headers"],
        torch_target=facts["torch_target"],
        cuda=facts["cuda"],
        cuda_archs=tuple(facts["cuda_archs"].split(", ")) if facts["cuda"] else (),
        cpu_level=loaded.module.cpu_level().name,
    )
