"""What the benchmarks share: devices and honest timing."""

import platform

import pytest
import torch

from jc3d._build import build_info

CUDA_CALLS = 20  # between two synchronisations: waiting for the GPU costs more than a small kernel


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU that this PyTorch can use")
    return request.param


@pytest.fixture
def measure(benchmark, device):
    """measure(function, *args) times one call; on a GPU, CUDA_CALLS calls and the wait for them."""

    def run(function, *args):
        def many():
            for _ in range(CUDA_CALLS):
                function(*args)
            torch.cuda.synchronize()

        benchmark.extra_info["device"] = torch.cuda.get_device_name() if device == "cuda" else platform.processor()
        benchmark.extra_info["threads"] = torch.get_num_threads()
        benchmark.extra_info["calls"] = CUDA_CALLS if device == "cuda" else 1
        benchmark(many) if device == "cuda" else benchmark(function, *args)

    return run


def pytest_benchmark_update_machine_info(config, machine_info):
    info = build_info()
    machine_info["jc3d"] = {name: str(value) for name, value in vars(info).items()}
