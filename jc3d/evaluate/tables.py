"""A report for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

from jc3d.evaluate.report import Report
from jc3d.evaluate.rows import ALL, MACRO, Row, Setting
from jc3d.evaluate.rules import MEASURES, rules

_SIZES = ("payload_bytes", "file_bytes")
_BYTES = "codes/file: bytes of an object's codes and of their file"
_SHAPES = (
    "mean ± std over all objects, macro: mean of the categories' means; best turn: of the truth's four quarter turns"
)


def tables(report: Report) -> Iterator[Table]:
    """All settings side by side where there are several, each by category, and images; each with its protocol below."""
    shapes = report.select(measure="iou", group=ALL)
    if len(shapes) > 1:
        yield _settings(report, shapes)
    for row in shapes:
        yield _categories(report, row)
    if images := report.select(measure="psnr", group=ALL):
        yield _images(report, [row.setting for row in images])


def _settings(report: Report, shapes: Sequence[Row]) -> Table:
    table = _table(
        f"{report.name}: mIoU of {_count(report.objects, 'object')}",
        f"{_data(report)}; {_BYTES}; occupied above τ; {_SHAPES}",
        ("views", "iter.", "τ", "codes/file", "mIoU", "macro", "best turn", "macro"),
    )
    for row in shapes:
        plain, best = (_by_group(report, row, measure) for measure in ("iou", "iou_best_turn"))
        table.add_row(
            str(row.views),
            str(row.iterations),
            str(row.threshold),
            _bytes(report, row.setting),
            _spread(plain[ALL]),
            f"{plain[MACRO].mean:.3f}",
            _spread(best[ALL]),
            f"{best[MACRO].mean:.3f}",
        )
    return table


def _categories(report: Report, row: Row) -> Table:
    payload, file = (report.size(row.setting, measure).mean for measure in _SIZES)
    ratios = [report.ratio(row.setting, measure) for measure in _SIZES]
    table = _table(
        f"{report.name}: mIoU, {_count(row.views, 'view')}, {_count(row.iterations or 1, 'iteration')}, "
        f"τ = {row.threshold}",
        f"{_data(report)}; {payload:.0f} bytes of codes an object ({ratios[0]:.1f}:1), a file of "
        f"{file:.0f} ({ratios[1]:.1f}:1); occupied above {row.threshold}; {_SHAPES}",
        ("category", "objects", "mIoU", "best turn"),
    )
    table.columns[0].justify = "left"
    plain, best = (_by_group(report, row, measure) for measure in ("iou", "iou_best_turn"))
    for group in plain:
        if group != MACRO:
            table.add_row(group, str(plain[group].count), _spread(plain[group]), _spread(best[group]))
    under_means = " " * len(" ± 0.000")
    table.add_row("macro", "", *(f"{rows[MACRO].mean:.3f}{under_means}" for rows in (plain, best)))
    return table


def _images(report: Report, settings: Sequence[Setting]) -> Table:
    from jc3d.metrics.image_quality import MS_SSIM_MIN_SIDE

    views, sized = settings[0].views, settings[0].num_bytes is not None
    multi_scale = "ms_ssim" in report.measures
    counted = "file" if report.identity.counted == "file_bytes" else "payload"
    notes = [
        _data(report),
        f"{_count(views, 'view')} an object, rounded to 8 bits; mean ± std over all images",
        f"{_BYTES}; ratio by {counted}",
    ]
    if sized:
        notes.append(f"asked: most bytes of a view's {counted}; met: images so small; {report.identity.library}")
    if not multi_scale:
        notes.append(f"no MS-SSIM: it needs {MS_SSIM_MIN_SIDE} pixels a side, which these images lack")
    if exact := round(sum(report.of(setting, "exact").total for setting in settings)):
        notes.append(f"{exact} images are exact; PSNR: {MEASURES['psnr']}")
    table = _table(
        f"{report.name}: {_count(report.of(settings[0], 'psnr').count, 'decoded view')} "
        f"of {_count(report.objects, 'object')}",
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
            _bytes(report, setting),
            f"{report.ratio(setting):.0f}:1",
            _spread(report.of(setting, "l1"), 4),
            _spread(report.of(setting, "psnr"), 2),
            _spread(report.of(setting, "ssim")),
            *((_spread(report.of(setting, "ms_ssim")),) if multi_scale else ()),
        )
    return table


def _by_group(report: Report, row: Row, measure: str) -> dict[str, Row]:
    """The rows of a measure at the setting and threshold of a row."""
    rows = report.select(**row.setting._asdict(), threshold=row.threshold, measure=measure)
    return {each.group: each for each in rows}


def _table(title: str, caption: str, columns: Sequence[str]) -> Table:
    # Narrow enough for 80 columns: a number that is cut is none.
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _data(report: Report) -> str:
    words = rules(report.protocol, ())
    return f"{words['split']}; {words['views']}; {words['background']} background"


def _bytes(report: Report, setting: Setting) -> str:
    return "/".join(f"{report.size(setting, measure).mean:.0f}" for measure in _SIZES)


def _spread(row: Row, digits: int = 3) -> str:
    return f"{row.mean:.{digits}f} ± {row.std:.{digits}f}"


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
