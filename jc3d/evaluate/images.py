"""How good decoded views are, by the rules of :meth:`jc3d.evaluate.Protocol.rules`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from jc3d.evaluate.report import ImageScores, Spread
from jc3d.io.images import to_uint8
from jc3d.metrics import ms_ssim, psnr, ssim
from jc3d.metrics.image_quality import MS_SSIM_MIN_SIDE


class Quality(NamedTuple):
    """Of one decoded view, see :class:`jc3d.evaluate.ImageScores`."""

    l1: float
    psnr: float
    ssim: float
    ms_ssim: float | None

    @property
    def exact(self) -> bool:
        """Whether it equals its original."""
        return self.l1 == 0


def qualities(decoded: Tensor, originals: Tensor) -> list[Quality]:
    """Scores views as a viewer shows them, in 8 bits.

    An infinite PSNR would make every mean infinite. An exact image therefore counts as the best of the others, one
    value off by one: that is less than it deserves, and no image that is not exact has more.

    Args:
        decoded: (V, 3, H, W) in [0, 1].
        originals: (V, 3, H, W) uint8.
    """
    images = to_uint8(decoded)
    one_off = 10 * math.log10(255**2 * images[0].numel())  # dB
    l1 = (images.double() - originals.double()).abs().mean(dim=(1, 2, 3)) / 255
    multi_scale: Sequence[float | None] = [None] * len(images)
    if min(images.shape[2:]) >= MS_SSIM_MIN_SIDE:
        multi_scale = ms_ssim(images, originals).tolist()
    columns = (l1.tolist(), psnr(images, originals).tolist(), ssim(images, originals).tolist(), multi_scale)
    return [Quality(error, min(db, one_off), *similar) for error, db, *similar in zip(*columns, strict=True)]


def image_scores(views: int, iterations: int, of_images: Sequence[Quality]) -> ImageScores:
    """Of all views of all objects, at least one; MS-SSIM only where every image is large enough."""
    l1, db, similarity, multi_scale = zip(*of_images, strict=True)
    return ImageScores(
        views,
        iterations,
        images=len(of_images),
        exact=sum(image.exact for image in of_images),
        l1=Spread.of(l1),
        psnr=Spread.of(db),
        ssim=Spread.of(similarity),
        ms_ssim=None if None in multi_scale else Spread.of(multi_scale),
    )
