"""The compression ratio by hand, and that it costs no import of torch."""

import re
import subprocess
import sys

import numpy as np
import pytest

import jc3d.metrics
from jc3d.metrics.rate import compression_ratio, image_bytes


def test_by_hand() -> None:
    assert image_bytes(128, 128) == 49152
    assert image_bytes(2, 3, images=5) == 90
    assert image_bytes(np.int64(2), 3, channels=1) == 6
    assert compression_ratio(128, 128, 128) == 384
    assert compression_ratio(5 * 128, 128, 128, images=5) == 384
    assert compression_ratio(820 / 8, 128, 128) == 128 * 128 * 24 / 820
    assert compression_ratio(6, 2, 3, channels=1) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2, 2), "num_bytes: expected a finite number above 0, got 0"),
        ((-0.5, 2, 2), "num_bytes: expected a finite number above 0, got -0.5"),
        ((float("nan"), 2, 2), "num_bytes: expected a finite number above 0, got nan"),
        ((float("inf"), 2, 2), "num_bytes: expected a finite number above 0, got inf"),
        ((1, 0, 2), "height: expected at least 1, got 0"),
        ((1, 2, 0), "width: expected at least 1, got 0"),
        ((1, 2, 2, 0), "images: expected at least 1, got 0"),
        ((1, 2, 2, 1, 0), "channels: expected at least 1, got 0"),
    ],
)
def test_sizes_that_are_refused(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        compression_ratio(*arguments)


def test_sizes_are_whole_numbers() -> None:
    with pytest.raises(TypeError, match=re.escape("width: expected a whole number, got 1.5")):
        compression_ratio(1, 2, 1.5)


@pytest.mark.parametrize("module", ["jc3d.metrics.rate", "jc3d.codec.codes", "jc3d.codec.wire", "jc3d.io.limits"])
def test_no_torch_is_imported(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", jc3d.metrics.__all__)
def test_every_name_is_handed_on_from_its_home(name: str) -> None:
    if name == "VoxelIoU":
        pytest.importorskip("torchmetrics", reason="the extra 'train' is not installed")
    value = getattr(jc3d.metrics, name)
    home = sys.modules[jc3d.metrics._HOMES[name]]
    assert value is getattr(home, name)
    assert not isinstance(value, type(sys))


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match=r"module 'jc3d\.metrics' has no attribute 'none'"):
        jc3d.metrics.none  # noqa: B018
