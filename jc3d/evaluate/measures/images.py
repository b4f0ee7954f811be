"""How good decoded views are."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor

from jc3d.evaluate.rows import Value
from jc3d.io.images import to_uint8
from jc3d.metrics import ms_ssim, psnr, ssim
from jc3d.metrics.image_quality import MS_SSIM_MIN_SIDE


def image_values(decoded: Tensor, originals: Tensor) -> Iterator[Value]:
    """L1, PSNR, SSIM, MS-SSIM (where images are large enough) and exactness of each view, as a viewer shows it.

    An infinite PSNR would make every mean infinite. An exact image therefore counts as the best of the others, one
    value off by one: that is less than it deserves, and no image that is not exact has more.

    Args:
        decoded: (V, 3, H, W) in [0, 1]; rounded to 8 bits.
        originals: (V, 3, H, W) uint8.
    """
    images = to_uint8(decoded)
    one_off = 10 * math.log10(255**2 * images[0].numel())  # dB
    l1 = (images.double() - originals.double()).abs().mean(dim=(1, 2, 3)) / 255
    yield from (Value("l1", value) for value in l1.tolist())
    yield from (Value("psnr", min(value, one_off)) for value in psnr(images, originals).tolist())
    yield from (Value("ssim", value) for value in ssim(images, originals).tolist())
    if min(images.shape[2:]) >= MS_SSIM_MIN_SIDE:
        yield from (Value("ms_ssim", value) for value in ms_ssim(images, originals).tolist())
    yield from (Value("exact", float(value == 0)) for value in l1.tolist())
