"""A report for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

from jc3d.evaluate.report import Rate, Report, Score, ShapeScores, Spread
from jc3d.metrics.image_quality import MS_SSIM_MIN_SIDE

_BYTES = "codes/file: bytes of an object's codes and of their file"
_SHAPES = (
    "mean ± std over all objects, macro: mean of the categories' means; best turn: of the truth's four quarter turns"
)


def tables(report: Report) -> Iterator[Table]:
    """All settings side by side where there are several, each by category, and images; each with its protocol below."""
    if len(report.shapes) > 1:
        yield _settings(report)
    for scores in report.shapes:
        yield _categories(report, scores)
    if report.images:
        yield _images(report)


def _settings(report: Report) -> Table:
    table = _table(
        f"{report.model}: mIoU of {_count(report.objects, 'object')}",
        f"{_data(report)}; {_BYTES}; occupied above τ; {_SHAPES}",
        ("views", "iter.", "τ", "codes/file", "mIoU", "macro", "best turn", "macro"),
    )
    for scores in report.shapes:
        table.add_row(
            str(scores.views),
            str(scores.iterations),
            str(scores.threshold),
            _bytes(report.rate(scores)),
            _plain(scores.overall),
            f"{scores.macro_miou:.3f}",
            _best(scores.overall),
            f"{scores.macro_miou_best_turn:.3f}",
        )
    return table


def _categories(report: Report, scores: ShapeScores) -> Table:
    rate = report.rate(scores)
    table = _table(
        f"{report.model}: mIoU, {_count(scores.views, 'view')}, {_count(scores.iterations, 'iteration')}, "
        f"τ = {scores.threshold}",
        f"{_data(report)}; {rate.payload_bytes:.0f} bytes of codes an object ({rate.payload_ratio:.1f}:1), a file of "
        f"{rate.file_bytes:.0f} ({rate.file_ratio:.1f}:1); occupied above {scores.threshold}; {_SHAPES}",
        ("category", "objects", "mIoU", "best turn"),
    )
    table.columns[0].justify = "left"
    for name, score in [*scores.categories.items(), ("all", scores.overall)]:
        table.add_row(name, str(score.objects), _plain(score), _best(score))
    under_means = " " * len(" ± 0.000")
    table.add_row(
        "macro", "", f"{scores.macro_miou:.3f}{under_means}", f"{scores.macro_miou_best_turn:.3f}{under_means}"
    )
    return table


def _images(report: Report) -> Table:
    first, rules = report.images[0], report.protocol.rules()
    multi_scale = first.ms_ssim is not None
    notes = [
        _data(report),
        f"{_count(first.views, 'view')} an object, rounded to 8 bits; mean ± std over all images",
        f"{_BYTES}; ratio by payload",
    ]
    if not multi_scale:
        notes.append(f"no MS-SSIM: it needs {MS_SSIM_MIN_SIDE} pixels a side, which these images lack")
    if exact := sum(scores.exact for scores in report.images):
        notes.append(f"{exact} images are exact; PSNR: {rules['psnr']}")
    table = _table(
        f"{report.model}: {_count(first.images, 'decoded view')} of {_count(report.objects, 'object')}",
        "; ".join(notes),
        ("iter.", "codes/file", "ratio", "L1", "PSNR, dB", "SSIM", *(["MS-SSIM"] if multi_scale else [])),
    )
    for scores in report.images:
        rate = report.rate(scores)
        table.add_row(
            str(scores.iterations),
            _bytes(rate),
            f"{rate.payload_ratio:.0f}:1",
            _spread(scores.l1, 4),
            _spread(scores.psnr, 2),
            _spread(scores.ssim, 3),
            *([_spread(scores.ms_ssim, 3)] if scores.ms_ssim else []),
        )
    return table


def _table(title: str, caption: str, columns: Sequence[str]) -> Table:
    # Narrow enough for 80 columns: a number that is cut is none.
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _data(report: Report) -> str:
    rules = report.protocol.rules()
    return f"{rules['split']}; {rules['views']}; {rules['background']} background"


def _bytes(rate: Rate) -> str:
    return f"{rate.payload_bytes:.0f}/{rate.file_bytes:.0f}"


def _plain(score: Score) -> str:
    return _spread(Spread(score.miou, score.std), 3)


def _best(score: Score) -> str:
    return _spread(Spread(score.miou_best_turn, score.std_best_turn), 3)


def _spread(spread: Spread, digits: int) -> str:
    return f"{spread.mean:.{digits}f} ± {spread.std:.{digits}f}"


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
