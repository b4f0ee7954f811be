"""PSNR, SSIM and MS-SSIM against torchmetrics' classes, scikit-image and numpy; their corners and refusals."""

import math
import sys

import numpy as np
import pytest
import torch
from torch import Tensor

from jc3d.errors import MissingExtraError
from jc3d.metrics import ms_ssim, psnr, ssim
from jc3d.metrics.image_quality import MS_SSIM_WEIGHTS

torchmetrics = pytest.importorskip("torchmetrics", reason="the extra 'train' is not installed")


def samples(height: int, width: int, count: int = 2) -> tuple[Tensor, Tensor]:
    """Smooth images with detail, and versions with noise that grows from one to the next."""
    generator = torch.Generator().manual_seed(height + width)
    coarse = torch.rand(count, 3, 6, 6, generator=generator)
    targets = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=True)
    targets = (targets + 0.1 * torch.randn(targets.shape, generator=generator)).clamp(0, 1)
    strength = 0.05 * torch.arange(1, count + 1).reshape(-1, 1, 1, 1)
    return (targets + strength * torch.randn(targets.shape, generator=generator)).clamp(0, 1), targets


def test_psnr_of_each_image() -> None:
    images, targets = samples(20, 30, count=3)
    ours = psnr(images, targets)
    assert ours.shape == (3,)
    assert ours.dtype == torch.float32
    errors = (images.double().numpy() - targets.double().numpy()) ** 2
    for i in range(3):
        assert ours[i].item() == pytest.approx(-10 * math.log10(errors[i].mean()), abs=1e-4)
        metric = torchmetrics.image.PeakSignalNoiseRatio(data_range=1.0)
        torch.testing.assert_close(ours[i], metric(images[i : i + 1], targets[i : i + 1]))


def test_psnr_by_hand() -> None:
    image = torch.full((1, 3, 4, 5), 0.5)
    assert psnr(image, image + 0.1).item() == pytest.approx(20, abs=1e-4)
    assert psnr(torch.zeros(1, 3, 1, 1), torch.ones(1, 3, 1, 1)) == 0
    assert psnr(image, image) == math.inf


@pytest.mark.parametrize("size", [(11, 40), (40, 140), (133, 129), (128, 261)], ids=str)
def test_ssim_of_each_image(size: tuple[int, int]) -> None:
    images, targets = samples(*size)
    ours = ssim(images, targets)
    assert ours.dtype == torch.float32
    for i in range(2):
        metric = torchmetrics.image.StructuralSimilarityIndexMeasure(data_range=1.0)
        expected = metric(images[i : i + 1].double(), targets[i : i + 1].double())
        assert ours[i].item() == pytest.approx(expected.item(), abs=1e-7)
    assert ours[0] > ours[1]


def test_ssim_against_scikit_image() -> None:
    structural_similarity = pytest.importorskip("skimage.metrics", reason="no extra 'mesh'").structural_similarity
    images, targets = samples(40, 140)
    for image, target, ours in zip(images, targets, ssim(images, targets), strict=True):
        # scikit-image leaves the outer five pixels out of the mean: here they are the reflection.
        reflected = [np.pad(a.double().numpy(), ((0, 0), (5, 5), (5, 5)), mode="reflect") for a in (image, target)]
        expected = structural_similarity(
            *reflected, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0
        )
        assert ours.item() == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("size", [(176, 177), (190, 300)], ids=str)
def test_ms_ssim_of_each_image(size: tuple[int, int]) -> None:
    images, targets = samples(*size)
    metric = torchmetrics.image.MultiScaleStructuralSimilarityIndexMeasure(data_range=1.0, reduction="none")
    torch.testing.assert_close(
        ms_ssim(images, targets), metric(images.double(), targets.double()).float(), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("size", [(161, 161), (175, 200)], ids=str)
def test_ms_ssim_against_numpy_where_torchmetrics_refuses(size: tuple[int, int]) -> None:
    images, targets = samples(*size, count=1)
    metric = torchmetrics.image.MultiScaleStructuralSimilarityIndexMeasure(data_range=1.0)
    with pytest.raises(ValueError, match="must be larger than 160"):
        metric(images, targets)
    offsets = np.arange(-5, 6)
    gauss = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(gauss, gauss) / gauss.sum() ** 2

    def blurred(x: np.ndarray) -> np.ndarray:
        return np.einsum("cyxij,ij->cyx", np.lib.stride_tricks.sliding_window_view(x, (11, 11), axis=(1, 2)), window)

    x, y = images[0].double().numpy(), targets[0].double().numpy()
    expected = 1.0
    for scale, weight in enumerate(MS_SSIM_WEIGHTS):
        if scale == 4:
            x, y = (np.pad(a, ((0, 0), (5, 5), (5, 5)), mode="reflect") for a in (x, y))
        mean_x, mean_y = blurred(x), blurred(y)
        variances = blurred(x * x) - mean_x**2 + blurred(y * y) - mean_y**2
        terms = (2 * (blurred(x * y) - mean_x * mean_y) + 0.03**2) / (variances + 0.03**2)
        if scale == 4:
            terms *= (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
        expected *= terms.mean() ** weight
        x, y = (a[:, : a.shape[1] // 2 * 2, : a.shape[2] // 2 * 2] for a in (x, y))
        x, y = (a.reshape(3, a.shape[1] // 2, 2, a.shape[2] // 2, 2).mean((2, 4)) for a in (x, y))
    assert ms_ssim(images, targets).item() == pytest.approx(expected, abs=1e-6)


def test_ms_ssim_is_never_nan() -> None:
    images, _ = samples(161, 161, count=1)
    negative = 1 - images
    assert ssim(images, negative) < 0
    assert ms_ssim(images, negative) == 0
    flat = torch.zeros(1, 3, 161, 161)
    assert 0 < ms_ssim(flat, 1 - flat) < 1  # equal in contrast, not in luminance


def test_equal_flat_images_are_equal() -> None:
    # In float32 the variances of these are rounding errors as large as the constant that steadies their ratio.
    image = torch.full((1, 3, 161, 161), 0.97)
    assert ssim(image, image).item() == 1
    assert ms_ssim(image, image).item() == 1
    assert ssim(image, image + 1 / 255).item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("measure", [psnr, ssim, ms_ssim])
def test_kinds_of_numbers(measure) -> None:
    images, targets = ((x * 255).round().byte() for x in samples(161, 161, count=1))
    expected = measure(images, targets)
    torch.testing.assert_close(measure(images / 255, targets), expected)
    torch.testing.assert_close(measure(images.double() / 255, targets.double() / 255), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(measure(images, targets), expected)
    half = (images / 255).half()
    torch.testing.assert_close(measure(half, half.float() * 0.99), measure(half.float(), half.float() * 0.99))
    assert not measure((images / 255).requires_grad_(), targets).requires_grad
    assert measure(images[:0], targets[:0]).shape == (0,)
    swapped = images.transpose(2, 3).contiguous().transpose(2, 3)
    torch.testing.assert_close(measure(swapped, targets), expected)


@pytest.mark.parametrize(
    ("measure", "size", "message"),
    [
        (ms_ssim, (160, 200), "at least 161, got 160 and 200"),
        (ms_ssim, (200, 160), "at least 161, got 200 and 160"),
        (ssim, (20, 10), "at least 11, got 20 and 10"),
        (psnr, (0, 10), "at least 1, got 0 and 10"),
    ],
)
def test_sides_that_are_too_small(measure, size: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"images: expected a height and width of {message}"):
        measure(torch.zeros(1, 3, *size), torch.zeros(1, 3, *size))


@pytest.mark.parametrize("shape", [(3, 161, 161), (2, 1, 161, 161), (2, 161, 161, 3)])
@pytest.mark.parametrize("measure", [psnr, ssim, ms_ssim])
def test_other_shapes_are_refused(measure, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"images: expected \(N, 3, H, W\)"):
        measure(torch.zeros(shape), torch.zeros(shape))


@pytest.mark.parametrize("value", [1.01, -0.01, math.nan, math.inf])
@pytest.mark.parametrize("measure", [psnr, ssim, ms_ssim])
def test_numbers_out_of_range_are_refused(measure, value: float) -> None:
    good = torch.zeros(2, 3, 161, 161)
    bad = good.clone()
    bad[1, 2, 3, 4] = value
    with pytest.raises(ValueError, match=r"images: expected numbers in \[0, 1\], got"):
        measure(bad, good)
    with pytest.raises(ValueError, match=r"targets: expected numbers in \[0, 1\], got"):
        measure(good, bad)


@pytest.mark.parametrize("measure", [psnr, ssim, ms_ssim])
def test_targets_that_do_not_go_with_the_images_are_refused(measure) -> None:
    good = torch.zeros(2, 3, 161, 161)
    with pytest.raises(ValueError, match=r"targets: expected \(2, 3, 161, 161\) like images, got \(1, 3, 161, 161\)"):
        measure(good, good[:1])
    with pytest.raises(TypeError, match=r"targets: expected floating-point numbers or uint8, got torch\.int64"):
        measure(good, good.long())
    with pytest.raises(ValueError, match="targets: expected the device cpu of images, got meta"):
        measure(good, good.to("meta"))


@pytest.mark.parametrize("measure", [psnr, ssim, ms_ssim])
def test_torchmetrics_is_asked_for_by_name(measure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    image = torch.zeros(1, 3, 161, 161)
    with pytest.raises(MissingExtraError, match=r"pip install 'jc3d\[train\]'"):
        measure(image, image)
