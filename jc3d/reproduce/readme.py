"""The generated table of README.md: every packaged model in a row."""

from __future__ import annotations

from collections.abc import Mapping

from jc3d.evaluate import Report, Row
from jc3d.evaluate.rows import ALL
from jc3d.evaluate.table_parts import spread
from jc3d.reproduce.markdown import prose, table

Columns = Mapping[str, Report]
"""Reports by the name of their model."""


def readme_table(procedural: Columns, meshes: Columns, decoding: Columns) -> str:
    """The block.

    Args:
        procedural: of the models whose views have one code, on the procedural test split.
        meshes: of the same, on the test meshes.
        decoding: of the models that decode images, on the objects that nothing was chosen by.
    """
    rows = []
    for name, report in procedural.items():
        score, real = report.one(measure="iou", group=ALL), meshes[name].one(measure="iou_best_turn", group=ALL)
        rows.append([f"`{name}`", f"{_bytes(report, score):.0f}", spread(score), spread(real), ""])
    for name, report in decoding.items():
        images = report.select(measure="psnr", group=ALL)
        first, last = images[0], images[-1]
        shapes = {row.setting: f"{row.mean:.3f}" for row in report.select(measure="iou", group=ALL)}
        rates = f"{_bytes(report, first):.0f} to {_bytes(report, last):.0f}"
        shape = f"{shapes[first.setting]} to {shapes[last.setting]}" if shapes else ""
        rows.append([f"`{name}`", rates, shape, "", f"{_quality(report, first)} to {_quality(report, last)}"])
    header = ("model", "bytes a view", "procedural objects, mIoU", "real meshes, mIoU", "images: SSIM, PSNR")
    others = next(iter(decoding.values())).objects
    note = (
        f"± is the standard deviation over {score.count} procedural test objects and {real.count} meshes kept from "
        f"training, best quarter turn; of models that decode images {others} other procedural objects. {score.views} "
        f"random views for a shape, τ = {score.threshold}, 128×128 on white: 128 bytes are 384:1. [All "
        "shapes](docs/results/README.md); [images, beside JPEG 2000, JPEG and WebP](docs/results/compression.md)."
    )
    return f"{table(header, rows)}\n\n{prose(note)}"


def _bytes(report: Report, row: Row) -> float:
    return report.size(row.setting).mean / row.views


def _quality(report: Report, row: Row) -> str:
    return f"{report.of(row.setting, 'ssim').mean:.3f}, {row.mean:.1f} dB"
