"""What the benchmarks share: devices and honest timing."""

import ctypes
import platform
import statistics
import time

import pytest
import torch

from jc3d.ops.build_info import build_info

COPY_BYTES = 256 << 20
CUDA_CALLS = 20  # between two synchronisations: waiting for the GPU costs more than a small kernel


def _keep_pages():
    """Tells glibc to keep freed memory, for every contender alike; says whether it could.

    Otherwise each large result comes in pages that the kernel must first map and clear, which costs several times the
    work of these ops and hides it. The copy bandwidth is measured on pages that exist, too.
    """
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # malloc.h
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return all((mallopt(mmap_max, 0), mallopt(trim_threshold, 2**31 - 1), mallopt(top_pad, 64 << 20)))


PAGES_KEPT = _keep_pages()


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU that this PyTorch can use")
    return request.param


@pytest.fixture(scope="session")
def copy_bandwidth():
    """copy_bandwidth(device): bytes read and written a second by a copy of 256 MiB, the median of many."""
    known = {}

    def of(device):
        if device not in known:
            source = torch.zeros(COPY_BYTES, dtype=torch.uint8, device=device)
            target = torch.zeros_like(source)  # its pages exist already, as those of an allocator that reuses memory
            calls = CUDA_CALLS if device == "cuda" else 1
            seconds = statistics.median(_seconds(target.copy_, source, device, calls) for _ in range(15))
            known[device] = 2 * COPY_BYTES * calls / seconds
        return known[device]

    return of


def _seconds(function, argument, device, calls):
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(calls):
        function(argument)
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


@pytest.fixture
def measure(benchmark, device, copy_bandwidth):
    """measure(function, *args, num_bytes=n) times one call; on a GPU, CUDA_CALLS calls and the wait for them.

    ``num_bytes``: what the call must read and write at least. ``num_products``: multiply-adds of ours, where these and
    not the bytes are the floor.
    """

    def run(function, *args, num_bytes=None, num_products=None):
        def many():
            for _ in range(CUDA_CALLS):
                function(*args)
            torch.cuda.synchronize()

        for _ in range(3):  # compilers, allocators and caches are warm for every contender
            function(*args)
        benchmark.extra_info["device"] = torch.cuda.get_device_name() if device == "cuda" else platform.processor()
        benchmark.extra_info["threads"] = torch.get_num_threads()
        benchmark.extra_info["calls"] = CUDA_CALLS if device == "cuda" else 1
        benchmark.extra_info["pages_kept"] = PAGES_KEPT
        benchmark.extra_info["num_bytes"] = num_bytes
        benchmark.extra_info["num_products"] = num_products
        benchmark.extra_info["copy_bytes_per_s"] = copy_bandwidth(device)
        benchmark(many) if device == "cuda" else benchmark(function, *args)

    return run


def pytest_benchmark_update_machine_info(config, machine_info):
    info = build_info()
    machine_info["jc3d"] = {name: str(value) for name, value in vars(info).items()}
