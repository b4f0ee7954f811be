"""docs/results/compression.md and what goes with it: ``python docs/results/compression.py [--photos FOLDER ...]``.

Evaluates the packaged models that decode images: their images against JPEG 2000, JPEG and WebP at equal bytes, the
shapes that the joint ones reconstruct at several rates, and pictures of the rates. About fifteen minutes on two cores.
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, pstdev

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import jc3d
from jc3d.codec.classical import encode_image
from jc3d.data.categories import CATEGORIES
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.evaluate import ImageScores, Protocol, Report, evaluate
from jc3d.io.atomic import atomic_write
from jc3d.io.images import load_views, to_uint8
from jc3d.metrics import bd_rate, psnr, ssim
from jc3d.viz import strip_png

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WEIGHTS = ROOT / "jc3d" / "weights"
CLASSICAL = HERE / "classical.json"
CODEC = "rnn-small"
JOINT = ("sequential", "direct")
FLOATS = "r2n2-small"  # what joint models are measured by: views that were not compressed
RATES = (1, 2, 3, 4, 6, 8)  # iterations whose bytes the classical codecs get
SHAPE_RATES = (1, 2, 4, 8)
LADDER_RATES = (1, 2, 4, 8)
PHOTO_RATES = tuple(range(1, 9))
SEARCH_STEPS = 40
FIRST = 1300  # those before have been looked at, while settings were chosen and in docs/results/README.md
SEARCH_RATES = (1, 2, 3, 4)
PARTS = ("first-views", "searched", "classical", FLOATS, CODEC, *JOINT, "pictures")
REPORTS = (
    *(f"{CODEC}-{kind}" for kind in ("first-views", "searched")),
    "classical",
    f"{FLOATS}-same-objects",
    *(f"{name}-procedural" for name in (CODEC, *JOINT)),
)


@dataclass(frozen=True)
class ClassicalScores:
    """A classical codec at the bytes of so many iterations, over views."""

    codec: str
    header_free: bool
    library: str
    iterations: int
    views: int
    met: int  # of them within the bytes
    mean_bytes: float  # by the size that was asked for
    l1: float
    psnr: float
    ssim: float
    ssim_std: float


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=130, help="procedural test objects")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="folders of photographs, a picture each")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="parts; the pages are always written")
    args = parser.parse_args()
    for part in args.only:
        if part == "pictures":
            _pictures(args.photos)
        else:
            _measure(part, args.objects)
    if not all((HERE / f"{name}.json").is_file() for name in REPORTS):
        return  # another run has the rest
    reports = {name: Report.load(HERE / f"{name}-procedural.json") for name in (CODEC, *JOINT)}
    floats = Report.load(HERE / f"{FLOATS}-same-objects.json")
    first_views = Report.load(HERE / f"{CODEC}-first-views.json")
    searched = Report.load(HERE / f"{CODEC}-searched.json")
    try:
        classical = classical_scores(objects_of(first_views))
        check_alike([first_views, searched, floats, *reports.values()])
    except ValueError as error:
        print(f"no page yet: {error}")
        return
    _write(HERE / "compression.md", page(reports, first_views, searched, floats, classical))
    _write(ROOT / "README.md", readme((ROOT / "README.md").read_text(), reports))
    for name, report in reports.items():
        _write(WEIGHTS / f"{name}.md", card(name, report))


def objects_of(report: Report) -> tuple[str, str, int, int, int]:
    """Which objects, cameras and lights a report is of."""
    protocol = report.protocol
    return protocol.data, protocol.split, protocol.first, protocol.objects, protocol.seed


def classical_scores(objects: tuple[str, str, int, int, int]) -> list[ClassicalScores]:
    """What is stored of the classical codecs.

    Raises:
        ValueError: it is of other objects.
    """
    stored = json.loads(CLASSICAL.read_text())
    if not isinstance(stored, dict):
        raise ValueError(f"{CLASSICAL.name}: expected scores and their protocol, got those of an older version")
    found = tuple(stored["protocol"][name] for name in ("data", "split", "first", "objects", "seed"))
    if found != objects:
        raise ValueError(f"{CLASSICAL.name}: expected scores of {objects}, got of {found}")
    return [ClassicalScores(**row) for row in stored["rows"]]


def check_alike(reports: list[Report]) -> None:
    """Raises a ValueError unless reports are of the same objects, and of the packaged weights."""
    for report in reports:
        objects, first = objects_of(report), objects_of(reports[0])
        if objects != first:
            raise ValueError(f"{report.model}: expected objects {first}, got {objects}")
        if report.fingerprint != _packaged(report.model):
            raise ValueError(f"{report.model}: expected scores of {_packaged(report.model)}, got {report.fingerprint}")


def _packaged(name: str) -> str:
    fingerprint: bytes = jc3d.models.read_metadata(WEIGHTS / f"{name}.safetensors")["fingerprint"]
    return fingerprint.hex()


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.encode())


# Measuring -----------------------------------------------------------------------------------------------------------


def _measure(part: str, objects: int) -> None:
    """One of the parts; they share nothing and can run side by side."""
    first = Protocol(views=(1,), iterations=tuple(range(1, 9)), first=FIRST, objects=objects)
    if part == "first-views":
        _evaluate(CODEC, first, part)
    elif part == "searched":
        _evaluate(CODEC, replace(first, iterations=SEARCH_RATES, search_steps=SEARCH_STEPS), part)
    elif part == "classical":
        source, indices = ProceduralSource("test"), range(FIRST, FIRST + objects)
        views = torch.cat([source.get(index, first.seed, 1).views for index in indices])
        settings = itertools.product(("jpeg2000", "jpeg", "webp"), (False, True), RATES)
        rows = [asdict(_classical(views, *setting)) for setting in settings]
        stored = {"protocol": asdict(first), "rules": first.rules(shapes=False), "rows": rows}
        _write(CLASSICAL, json.dumps(stored, indent=1) + "\n")
    elif part == FLOATS:
        _evaluate(FLOATS, Protocol(first=FIRST, objects=objects), "same-objects")
    else:
        _evaluate(part, Protocol(iterations=SHAPE_RATES, first=FIRST, objects=objects), "procedural")


def _evaluate(name: str, protocol: Protocol, kind: str) -> None:
    evaluate(name, protocol, progress=True).save(HERE / f"{name}-{kind}.json")


def _classical(views: Tensor, name: str, header_free: bool, iterations: int) -> ClassicalScores:
    """Every view in as many bytes as so many iterations of our codes have."""
    num_bytes = iterations * 128
    coded = [
        encode_image(view.permute(1, 2, 0).numpy(), name, num_bytes=num_bytes, header_free=header_free)
        for view in views
    ]
    decoded = torch.from_numpy(np.stack([each.decode() for each in coded])).permute(0, 3, 1, 2).float() / 255
    target = views.float() / 255
    similar = ssim(decoded, target)
    return ClassicalScores(
        codec=name,
        header_free=header_free,
        library=coded[0].library,
        iterations=iterations,
        views=len(views),
        met=sum(each.met for each in coded),
        mean_bytes=fmean(each.payload_bytes if header_free else each.num_bytes for each in coded),
        l1=float((decoded - target).abs().mean()),
        psnr=float(psnr(decoded, target).mean()),
        ssim=float(similar.mean()),
        ssim_std=pstdev(similar.tolist()),
    )


# Pictures ------------------------------------------------------------------------------------------------------------


def _pictures(folders: list[Path]) -> None:
    source = ProceduralSource("test")
    views = torch.cat([source.get(FIRST + index, 0, 1).views for index in (0, 5, 18, 25)])
    for name in (CODEC, *JOINT):
        steps, labels = _ladder(jc3d.load(name), views.float() / 255)
        _save(HERE / f"ladder-{name}.png", [views, *steps], ["original", *labels])
    codec = jc3d.load(CODEC)
    for path in (path for folder in folders for path in sorted(folder.iterdir())):
        if path.suffix in (".png", ".jpg", ".jpeg", ".webp"):
            name = f"photo-{path.parent.name}-{path.stem}.png"
            _save(HERE / name, *_ladder(codec, load_views(path, None), PHOTO_RATES))


def _ladder(codec: jc3d.Codec, views: Tensor, rates: tuple[int, ...] = LADDER_RATES) -> tuple[list[Tensor], list[str]]:
    """The views at several rates, and what to write above them."""
    steps, labels = [], []
    codes = codec.encode(views)
    for iterations in rates:
        part = codes.truncate(iterations)
        steps.append(to_uint8(codec.decode(part)))
        quality = float(psnr(steps[-1], to_uint8(views)).mean())
        labels.append(f"{part.ratio_payload:.0f}:1, {quality:.1f} dB")
    return steps, labels


def _save(path: Path, steps: list[Tensor], labels: list[str]) -> None:
    with atomic_write(path) as file:
        file.write(strip_png(steps, labels))
    image = Image.open(path).convert("RGB").quantize(192)
    with atomic_write(path) as file:
        image.save(file, "PNG", optimize=True)


# Pages ---------------------------------------------------------------------------------------------------------------


def page(
    reports: dict[str, Report], codec: Report, searched: Report, floats: Report, classical: list[ClassicalScores]
) -> str:
    """docs/results/compression.md.

    Args:
        reports: of all models, several views of each object.
        codec: of the image codec, on the first view of each, as the classical ones.
        searched: the same after a search for better bits.
        floats: of the model that reads views as they are, on the same objects.
        classical: the others.
    """
    rules = codec.protocol.rules()
    parts = [
        "# Images and shapes from one stream\n\nWritten by `python docs/results/compression.py`; the JSON files beside "
        "this page hold every number with its protocol. One seed a run; starts with other settings were dropped on "
        "the way, and the runs that were kept have phases (the model cards list them).\n\n"
        f"The objects are those of the test split from number {FIRST} on: nothing was chosen by them, and no model has "
        "been tried on them before. Settings were chosen on validation objects, and earlier ones (the compressor's "
        "first architecture, the weight of SSIM, the search) on test objects before number 40.",
        f"## Images at equal bytes\n\n{codec.objects} procedural test objects, one view each, 128×128. "
        f"{rules['split']}. PSNR: {rules['psnr']}. SSIM: {rules['ssim']}.\n\n"
        "A cell is SSIM (PSNR in dB). *Whole* counts every byte of a stream, *payload* those besides the headers; of "
        "ours, whose 32 bytes of header serve all views of an object, the payload is counted in both. Where a codec "
        "cannot get so small for every view, the cell says for how many it did, and the mean size.",
        _equal_bytes({CODEC: codec, f"{CODEC}, {SEARCH_STEPS} search steps": searched}, classical),
        _deltas({CODEC: codec, f"{CODEC}, searched": searched}, classical),
        "## Every iteration\n\n" + _images({f"{CODEC}, first views": codec} | reports),
        "## Shapes\n\n" + _shapes({name: reports[name] for name in JOINT}, floats),
        "## Pictures\n\nThe original, then 384:1, 192:1, 96:1 and 48:1.\n\n"
        + "\n\n".join(f"`{name}`:\n\n![{name} at four rates](ladder-{name}.png)" for name in (CODEC, *JOINT)),
        "Photographs of an armchair, and natural ones, which no training image resembles, decoded at every rate from "
        "384:1 to 48:1 (the originals are not ours to show):\n\n"
        + "\n\n".join(f"![{path.stem} at eight rates]({path.name})" for path in sorted(HERE.glob("photo-*.png"))),
    ]
    return "\n\n".join(parts) + "\n"


def _equal_bytes(ours: dict[str, Report], classical: list[ClassicalScores]) -> str:
    rows = [
        ["codec", *(f"{128 * n} B, {384 / n:.0f}:1" for n in RATES)],
        ["---", *["---:"] * len(RATES)],
    ]
    for label, report in ours.items():
        by_rate = {scores.iterations: scores for scores in report.images}
        cells = [f"**{by_rate[n].ssim.mean:.3f}** ({by_rate[n].psnr.mean:.1f})" if n in by_rate else "" for n in RATES]
        rows.append([f"**{label}**", *cells])
    kinds = list(dict.fromkeys((row.codec, row.header_free, row.library) for row in classical))
    for name, header_free, library in kinds:
        cells = []
        for n in RATES:
            row = next(r for r in classical if (r.codec, r.header_free, r.iterations) == (name, header_free, n))
            missed = "" if row.met == row.views else f", {row.met} of {row.views} met: {row.mean_bytes:.0f} B"
            cells.append(f"{row.ssim:.3f} ({row.psnr:.1f}{missed})")
        rows.append([f"{name}, {'payload' if header_free else 'whole'} ({library})", *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _deltas(ours: dict[str, Report], classical: list[ClassicalScores]) -> str:
    """Bjøntegaard deltas of rate against each codec's payload, where the curves overlap."""
    lines = [
        "Bjøntegaard delta of the rate at equal quality (negative: ours saves bytes), and the quality it holds for:",
        "",
    ]
    lines += ["| | against | SSIM | PSNR |", "| --- | --- | ---: | ---: |"]
    for label, report in ours.items():
        for name in dict.fromkeys(row.codec for row in classical):
            theirs = [row for row in classical if row.codec == name and row.header_free]
            cells = [_delta(report, theirs, measure) for measure in ("ssim", "psnr")]
            lines.append(f"| {label} | {name}, payload | {' | '.join(cells)} |")
    return "\n".join(lines)


def _delta(report: Report, theirs: list[ClassicalScores], measure: str) -> str:
    # A codec that cannot get smaller stands at one point for several targets.
    points = {row.mean_bytes: getattr(row, measure) for row in theirs}
    ours = [scores for scores in report.images if scores.iterations in RATES]
    rates = [report.rate(scores).payload_bytes / report.rate(scores).views for scores in ours]
    try:
        delta = bd_rate(list(points), list(points.values()), rates, [getattr(s, measure).mean for s in ours])
    except ValueError as error:
        return f"none: {error}"
    return f"{delta.percent:+.0f} % ({delta.low:.3g} to {delta.high:.3g})"


def _images(reports: dict[str, Report]) -> str:
    rows = ["| model | iterations | bytes a view | ratio | L1 | PSNR, dB | SSIM |"]
    rows += ["| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for label, report in reports.items():
        for scores in report.images:
            rate = report.rate(scores)
            rows.append(
                f"| {label} | {scores.iterations} | {rate.payload_bytes / rate.views:.0f} | {rate.payload_ratio:.0f}:1 "
                f"| {scores.l1.mean:.4f} ± {scores.l1.std:.4f} | {scores.psnr.mean:.2f} ± {scores.psnr.std:.2f} "
                f"| {scores.ssim.mean:.3f} ± {scores.ssim.std:.3f} |"
            )
    alone = {scores.iterations: scores.psnr.mean for scores in reports[CODEC].images}
    deltas = ", ".join(
        f"{scores.psnr.mean - alone[scores.iterations]:+.2f} at {scores.iterations}"
        for scores in reports[JOINT[0]].images
    )
    rows += ["", f"PSNR of `{JOINT[0]}` less that of `{CODEC}`, dB, by iterations: {deltas}."]
    counts = ", ".join(f"`{label}` {report.images[0].images}" for label, report in reports.items())
    return f"Means ± standard deviations over views ({counts}).\n\n" + "\n".join(rows)


def _shapes(reports: dict[str, Report], floats: Report) -> str:
    first = next(iter(reports.values()))
    rules = first.protocol.rules()
    labels = [f"{name}, {scores.iterations}" for name, report in reports.items() for scores in report.shapes]
    labels = [FLOATS, *labels]
    columns = [*floats.shapes, *(scores for report in reports.values() for scores in report.shapes)]
    rows = [["category", "objects", *labels], ["---", "---:", *["---:"] * len(labels)]]
    for category in [c for c in CATEGORIES if c in columns[0].categories]:
        scores = [column.categories[category] for column in columns]
        rows.append([category, str(scores[0].objects), *(f"{s.miou:.3f} ± {s.std:.3f}" for s in scores)])
    overall = [column.overall for column in columns]
    rows.append(["**all objects**", str(overall[0].objects), *(f"**{s.miou:.3f} ± {s.std:.3f}**" for s in overall)])
    base = overall[0].miou
    rows.append([f"of {FLOATS}'s", "", *(f"{score.miou / base:.2f}" for score in overall)])
    rows.append(["mean of categories", "", *(f"{column.macro_miou:.3f}" for column in columns)])
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    views = columns[0].views
    rule = f"{rules['split']}; {rules['views']}; {rules['background']}"
    return (
        "mIoU ± standard deviation over objects; the number after a model is its iterations (384:1 to 48:1), and "
        f"`{FLOATS}` reads views that were not compressed; {views} views, τ = {columns[0].threshold}. {rule}."
        f"\n\n{table}"
    )


def readme(text: str, reports: dict[str, Report]) -> str:
    """README with its table of the models that decode images."""
    before, rest = text.split("<!-- compression -->")
    _, after = rest.split("<!-- /compression -->")
    rows = ["| model | 384:1 | 192:1 | 96:1 | 48:1 |", "| --- | ---: | ---: | ---: | ---: |"]
    for name in JOINT:
        scores = {s.iterations: s.overall.miou for s in reports[name].shapes}
        rows.append(f"| `{name}`, mIoU | " + " | ".join(f"{scores[n]:.3f}" for n in SHAPE_RATES) + " |")
    for name, report in reports.items():
        images: dict[int, ImageScores] = {s.iterations: s for s in report.images}
        cells = (f"{images[n].ssim.mean:.3f}, {images[n].psnr.mean:.1f} dB" for n in SHAPE_RATES)
        rows.append(f"| `{name}`, images: SSIM, PSNR | " + " | ".join(cells) + " |")
    note = (
        f"{reports[JOINT[0]].objects} unseen procedural objects, 5 views for a shape. [Against JPEG 2000, JPEG and "
        "WebP, by category, and pictures](docs/results/compression.md)."
    )
    return "\n".join([before + "<!-- compression -->", *rows, "", note, "<!-- /compression -->"]) + after


def card(name: str, report: Report) -> str:
    """The model card of a packaged model that decodes images."""
    path = WEIGHTS / f"{name}.safetensors"
    metadata = jc3d.models.read_metadata(path)
    info, config = metadata["info"], metadata["config"]
    parameters = sum(parameter.numel() for parameter in jc3d.models.load(name).parameters())
    most = config.max_iterations
    run = info["config"]
    shapes = {scores.iterations: scores for scores in report.shapes}
    rows = []
    for scores in report.images:
        shape = shapes.get(scores.iterations)
        miou = f" {shape.overall.miou:.3f} ± {shape.overall.std:.3f} |" if shape else ""
        ratio = f"{report.rate(scores).payload_ratio:.0f}:1"
        rows.append(f"| {ratio} | {scores.l1.mean:.4f} | {scores.psnr.mean:.2f} | {scores.ssim.mean:.3f} |{miou}")
    mious = {key.removeprefix("val_miou_"): value for key, value in info.items() if key.startswith("val_miou")}
    scored = ", ".join(
        [f"validation L1 {info['val_l1']}", *(f"mIoU {v} at {n} iteration{'s' * (n != '1')}" for n, v in mious.items())]
    )
    data = ", ".join(f"`{source}`" for source in run["data"])
    limits = "objects that are not upright, scenes with a background, or objects far from ShapeNet-13"
    if not report.shapes:
        limits = "natural images, which it blurs: it has seen objects on white only"
    lines = [
        f"# {name}",
        "",
        f"{config.code_bits} bits a 128×128 view and iteration, 1 to {most} iterations ({config.ratio:.0f}:1 to "
        f"{config.ratio / most:.0f}:1), {parameters / 1e6:.2f} M parameters in float16, "
        f"{path.stat().st_size / 1e6:.1f} MB, fingerprint `{metadata['fingerprint'].hex()}`.",
        "",
        f"| ratio | L1 | PSNR, dB | SSIM |{' mIoU, 5 views, τ = 0.4 |' if report.shapes else ''}",
        f"| --- | ---: | ---: | ---: |{' ---: |' if report.shapes else ''}",
        *rows,
        "",
        f"Over {report.objects} procedural test objects; `docs/results/compression.md` has more.",
        "",
        f"- **Data**: {data}; seed {run['seed']}. {(HERE / 'compression-data.md').read_text().strip()}",
        f"- **Start**: {info.get('init') or 'fresh weights'}.",
        f"- **Command**: `{info['command']}`",
        f"- **Commit**: {info['commit']}, torch {info['torch']}; weights of step {info['steps']} of {run['steps']}, "
        f"{scored}.",
        f"- **Not for**: {limits}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
