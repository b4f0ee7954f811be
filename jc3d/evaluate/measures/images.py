"""How good decoded views are."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.table import Table
from torch import Tensor

from jc3d.data.samples import ObjectSample
from jc3d.evaluate.measures.registry import register_measures
from jc3d.evaluate.protocol import Protocol
from jc3d.evaluate.report import Report
from jc3d.evaluate.rows import ALL, Value
from jc3d.evaluate.table_parts import BYTES, count, data_words, new_table, sizes, spread
from jc3d.io.images import to_uint8
from jc3d.metrics import ms_ssim, psnr, ssim
from jc3d.metrics.image_quality import MS_SSIM_MIN_SIDE
from jc3d.models.capabilities import DecodesImages

_RULES = {
    "l1": "mean absolute difference, 1 from black to white",
    "psnr": "dB, of each image over its three channels; an image that is decoded exactly counts as one with a single "
    "value off by a step of 8 bits, and is counted in exact",
    "ssim": "of each image, Gaussian window of 11 pixels, mean over its channels",
    "ms_ssim": "of each image that is large enough for its five scales",
    "exact": "1 of an image that equals its original",
}


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


def image_tables(report: Report) -> Iterator[Table]:
    """All settings side by side."""
    settings = [row.setting for row in report.select(measure="psnr", group=ALL)]
    if not settings:
        return
    views, sized = settings[0].views, settings[0].num_bytes is not None
    multi_scale = "ms_ssim" in report.measures
    counted = "file" if report.identity.counted == "file_bytes" else "payload"
    notes = [
        data_words(report),
        f"{count(views, 'view')} an object, rounded to 8 bits; mean ± std over all images",
        f"{BYTES}; ratio by {counted}",
    ]
    if sized:
        notes.append(f"asked: most bytes of a view's {counted}; met: images so small; {report.identity.library}")
    if not multi_scale:
        notes.append(f"no MS-SSIM: it needs {MS_SSIM_MIN_SIDE} pixels a side, which these images lack")
    if exact := round(sum(report.of(setting, "exact").total for setting in settings)):
        notes.append(f"{exact} images are exact; PSNR: {_RULES['psnr']}")
    table = new_table(
        f"{report.name}: {count(report.of(settings[0], 'psnr').count, 'decoded view')} "
        f"of {count(report.objects, 'object')}",
        "; ".join(notes),
        (
            *(("asked", "met") if sized else ("iter.",)),
            *("codes/file", "ratio", "L1", "PSNR, dB", "SSIM"),
            *(("MS-SSIM",) if multi_scale else ()),
        ),
    )
    for setting in settings:
        rate = (setting.num_bytes, round(report.of(setting, "met").total)) if sized else (setting.iterations,)
        table.add_row(
            *map(str, rate),
            sizes(report, setting),
            f"{report.ratio(setting):.0f}:1",
            spread(report.of(setting, "l1"), 4),
            spread(report.of(setting, "psnr"), 2),
            spread(report.of(setting, "ssim")),
            *((spread(report.of(setting, "ms_ssim")),) if multi_scale else ()),
        )
    yield table


def _protocol_rules(protocol: Protocol) -> dict[str, str]:
    views = max(protocol.views)
    return {"images": f"the {views} views of each object, decoded from the file and rounded to 8 bits"}


@register_measures(
    DecodesImages,
    receive=lambda codec, codes: codec.decode(codes).cpu(),
    rules=_RULES,
    each_view=True,
    extra=("torchmetrics", "train"),
    protocol_rules=_protocol_rules,
    tables=image_tables,
)
def measure(decoded: Tensor, sample: ObjectSample, protocol: Protocol) -> Iterator[Value]:
    """:func:`image_values` of an object's views."""
    return image_values(decoded, sample.views)
