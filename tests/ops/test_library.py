from pathlib import Path

import jc3d.ops
from jc3d.ops import status
from jc3d.ops.build_info import build_info

# One op a module, named after it.
OPS = {path.stem for path in Path(jc3d.ops.__file__).parent.glob("*.py") if not path.stem.startswith("_")} - {
    "build_info"
}
CPU_ONLY = {"conv2d_max_pool", "occupancy_head", "upsample_conv3d", "winograd_conv3d"}


def test_status_names_every_op():
    assert set(status()) == OPS
    assert {"binarize", "pack_bits", "unpack_bits"} <= OPS
    for devices in status().values():
        assert set(devices) == {"cpu", "cuda"}
        assert all(device.compiled or device.reason for device in devices.values())


def test_status_agrees_with_the_build():
    info = build_info()
    for name, devices in status().items():
        assert devices["cpu"].compiled == info.extension
        assert devices["cuda"].compiled == (info.cuda is not None and name not in CPU_ONLY)


def test_one_warning_for_cuda_tensors_without_cuda_kernels(run_python):
    # No GPU needed: the tensors only say that they are on one.
    result = run_python(
        "import torch, warnings; from jc3d.ops import binarize, pack_bits\n"
        + "class OnGpu(torch.Tensor): is_cuda = True\n"
        + "with warnings.catch_warnings(record=True) as caught:\n"
        + "    warnings.simplefilter('always')\n"
        + "    pack_bits(torch.ones(8)); print(len(caught))\n"
        + "    for op in (pack_bits, binarize, pack_bits): op(torch.ones(8).as_subclass(OnGpu))\n"
        + "    print(len(caught), caught[0].message)",
        without_module=True,
    )
    assert result.returncode == 0, result.stderr
    before, after = result.stdout.splitlines()
    assert before == "0"
    assert after.startswith("1 jc3d ops run their plain PyTorch reference on CUDA tensors: the compiled module")
