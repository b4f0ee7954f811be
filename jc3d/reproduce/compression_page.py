"""docs/results/compression.md: models that decode images, beside classical codecs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jc3d.evaluate import Report, Row
from jc3d.evaluate.rows import ALL, MACRO
from jc3d.evaluate.rules import rules
from jc3d.evaluate.table_parts import spread
from jc3d.reproduce.curves import curve, rate_delta
from jc3d.reproduce.markdown import page, prose, table

CODEC = "rnn-small"
JOINT = ("sequential", "direct")
FLOATS = "r2n2-small"
"""What joint models are measured by: views that were not compressed."""
RATES = (1, 2, 3, 4, 6, 8)
"""Iterations whose bytes the classical codecs get."""
SHAPE_RATES = (1, 2, 4, 8)

Reports = Mapping[str, Report]


def compression_page(
    reports: Reports, codec: Report, refined: Report, floats: Report, classical: Reports, photos: Sequence[Path]
) -> str:
    """The page.

    Args:
        reports: of all models, several views of each object.
        codec: of the image codec, on the first view of each, as the classical ones.
        refined: the same after the sender refined its codes.
        floats: of the model that reads views as they are, on the same objects.
        classical: of the classical codecs by name.
        photos: pictures of photographs, beside the page.
    """
    words, steps = rules(codec.protocol, ("psnr", "ssim")), refined.protocol.refinement_steps
    return page(
        "# Images and shapes from one stream",
        prose(
            "Written by `jc3d reproduce`; the JSON files beside this page hold every number with its protocol. One "
            "seed a run; starts with other settings were dropped on the way, and the runs that were kept have phases "
            "(the model cards list them)."
        ),
        prose(
            f"The objects are those of the test split from number {codec.protocol.first} on: nothing was chosen by "
            "them, and no model has been tried on them before. Settings were chosen on validation objects, and "
            "earlier ones (the compressor's first architecture, the weight of SSIM, the refinement of codes) on test "
            "objects before number 40."
        ),
        "## Images at equal bytes",
        prose(
            f"{codec.objects} procedural test objects, one view each, 128×128 ({words['split']}). PSNR: "
            f"{words['psnr']}. SSIM: {words['ssim']}."
        ),
        prose(
            "A cell is SSIM (PSNR in dB). *Whole* counts every byte of a stream, *payload* those besides the headers; "
            "of ours, whose 32 bytes of header serve all views of an object, the payload is counted in both. Where a "
            "codec cannot get so small for every view, the cell says for how many it did, and the mean size."
        ),
        _equal_bytes({CODEC: codec, f"{CODEC}, {steps} refinement steps": refined}, classical),
        prose("Bjøntegaard delta of the rate at equal quality (negative: ours saves bytes), and the range it is over:"),
        _deltas({CODEC: codec, f"{CODEC}, refined": refined}, classical),
        "## Every iteration",
        *_every_iteration({f"{CODEC}, first views": codec} | dict(reports)),
        "## Shapes",
        *_shapes({name: reports[name] for name in JOINT}, floats),
        "## Pictures",
        "The original, then 384:1, 192:1, 96:1 and 48:1.",
        *(f"`{name}`:\n\n![{name} at four rates](strip-{name}.png)" for name in (CODEC, *JOINT)),
        prose(
            "Photographs of an armchair (the demo input of 3D-R2N2, MIT) and natural ones (scikit-image's samples: "
            "chelsea, CC0; astronaut and rocket, NASA and SpaceX, public domain), which no training image resembles, "
            "decoded at every rate from 384:1 to 48:1:"
        ),
        *(f"![{path.stem} at eight rates]({path.name})" for path in photos),
    )


def _images(report: Report, measure: str) -> tuple[Row, ...]:
    """The rows of a measure of images, a rate each."""
    return report.select(measure=measure, group=ALL)


def _by_rate(report: Report, measure: str) -> dict[int | None, Row]:
    return {row.iterations: row for row in report.select(measure=measure, group=ALL)}


def _equal_bytes(ours: Reports, classical: Reports) -> str:
    first = next(iter(ours.values()))
    sizes = {n: first.size(row.setting) for n, row in _by_rate(first, "psnr").items() if n in RATES}
    header = ["codec", *(f"{size.mean:.0f} B, {first.ratio(size.setting):.0f}:1" for size in sizes.values())]
    rows = []
    for label, report in ours.items():
        similar, ratio = _by_rate(report, "ssim"), _by_rate(report, "psnr")
        cells = [f"**{similar[n].mean:.3f}** ({ratio[n].mean:.1f})" if n in similar else "" for n in sizes]
        rows.append([f"**{label}**", *cells])
    for name, report in classical.items():
        cells = []
        for size in sizes.values():
            row = report.one(measure="ssim", num_bytes=size.mean)
            db, met = (report.of(row.setting, measure) for measure in ("psnr", "met"))
            count = f"{met.total:.0f} of {met.count} met: {report.size(row.setting).mean:.0f} B"
            cells.append(f"{row.mean:.3f} ({db.mean:.1f}{'' if met.mean == 1 else f', {count}'})")
        counted = "payload" if report.identity.counted == "payload_bytes" else "whole"
        rows.append([f"{name.removesuffix('-payload')}, {counted} ({report.identity.library})", *cells])
    return table(header, rows)


def _deltas(ours: Reports, classical: Reports) -> str:
    """Bjøntegaard deltas of rate against each codec's payload, where the curves overlap."""
    rows = []
    for label, report in ours.items():
        for name, theirs in classical.items():
            if theirs.identity.counted == "payload_bytes":
                cells = [_delta(report, theirs, measure) for measure in ("ssim", "psnr")]
                rows.append([label, f"{name.removesuffix('-payload')}, payload", *cells])
    return table(("", "against", "SSIM", "PSNR"), rows, texts=2)


def _delta(report: Report, theirs: Report, measure: str) -> str:
    try:
        delta = rate_delta(curve(theirs, measure), curve(report, measure, RATES))
    except ValueError as error:
        return f"none: {error}"
    return f"{delta.percent:+.0f} % ({delta.low:.3g} to {delta.high:.3g})"


def _every_iteration(reports: Reports) -> tuple[str, ...]:
    rows = []
    for label, report in reports.items():
        for row in _images(report, "psnr"):
            l1, similar = (report.of(row.setting, measure) for measure in ("l1", "ssim"))
            rows.append(
                [
                    label,
                    str(row.iterations),
                    f"{report.size(row.setting).mean / row.views:.0f}",
                    f"{report.ratio(row.setting):.0f}:1",
                    spread(l1, 4),
                    spread(row, 2),
                    spread(similar),
                ]
            )
    alone = _by_rate(reports[CODEC], "psnr")
    deltas = ", ".join(
        f"{row.mean - alone[row.iterations].mean:+.2f} at {row.iterations}"
        for row in _images(reports[JOINT[0]], "psnr")
    )
    counts = ", ".join(f"`{label}` {_images(report, 'psnr')[0].count}" for label, report in reports.items())
    return (
        prose(f"Means ± standard deviations over views ({counts})."),
        table(("model", "iterations", "bytes a view", "ratio", "L1", "PSNR, dB", "SSIM"), rows),
        prose(f"PSNR of `{JOINT[0]}` less that of `{CODEC}`, dB, by iterations: {deltas}."),
    )


def _shapes(reports: Reports, floats: Report) -> tuple[str, str]:
    columns = {FLOATS: floats.select(measure="iou")}
    for name, report in reports.items():
        for row in report.select(measure="iou", group=ALL):
            columns[f"{name}, {row.iterations}"] = report.select(measure="iou", iterations=row.iterations)
    base = floats.one(measure="iou", group=ALL)
    cells: dict[str, list[str]] = {}
    for rows in columns.values():
        for row in rows:
            if row.group == ALL:
                cells.setdefault("all", ["**all objects**", str(row.count)]).append(f"**{spread(row)}**")
                cells.setdefault("of", [f"of {FLOATS}'s", ""]).append(f"{row.mean / base.mean:.2f}")
            elif row.group == MACRO:
                cells.setdefault("macro", ["mean of categories", ""]).append(f"{row.mean:.3f}")
            else:
                cells.setdefault(row.group, [row.group, str(row.count)]).append(spread(row))
    words = rules(next(iter(reports.values())).protocol, ())
    note = (
        "mIoU ± standard deviation over objects; the number after a model is its iterations (384:1 to 48:1), and "
        f"`{FLOATS}` reads views that were not compressed; {base.views} views, τ = {base.threshold} "
        f"({words['split']}; {words['views']}; {words['background']} background)."
    )
    return prose(note), table(("category", "objects", *columns), cells.values())
