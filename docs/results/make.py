"""docs/results/README.md and what goes with it: ``python docs/results/make.py --meshes FOLDER [--photos FOLDER]``.

Evaluates every packaged model whose views have one code (compression.py has the others) on the procedural test split
and on the test meshes of the folder, draws galleries, and writes the numbers where the documents show them. Takes about
ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from pathlib import Path

from PIL import Image

import jc3d
from jc3d.data.categories import CATEGORIES
from jc3d.data.samples import OTHER_CATEGORY
from jc3d.data.sources.meshes import MeshSource
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.evaluate import Protocol, Report, Score, ShapeScores, evaluate
from jc3d.geometry.quarter_turns import quarter_turns
from jc3d.io.atomic import atomic_write
from jc3d.io.images import load_views
from jc3d.metrics import iou
from jc3d.viz import picture_png

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WEIGHTS = ROOT / "jc3d" / "weights"
FLIPS = ROOT / "bench" / "tools" / "isa_flips.py"
GALLERY_WIDTH = 1800  # pixels


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meshes", type=Path, required=True, help="folder of meshes with an index.csv")
    parser.add_argument("--photos", type=Path, help="folder of photographs of one object")
    parser.add_argument("--weights", type=Path, nargs="*", default=[], help="more weights files to evaluate")
    parser.add_argument("--objects", type=int, default=1300, help="procedural test objects")
    args = parser.parse_args()
    reports: dict[str, dict[str, Report]] = {}
    for name in [*one_code(), *args.weights]:
        model = jc3d.models.load(name)
        label = name if isinstance(name, str) else name.stem
        reports[label] = {
            "procedural": evaluate(model, Protocol(objects=args.objects), progress=True),
            "meshes": evaluate(model, Protocol(data=f"meshes={args.meshes}", objects=0), progress=True),
        }
        for kind, report in reports[label].items():
            path = HERE / f"{label}-{kind}.json"
            report.save(path)
            # The folder is a path of the machine at hand; a reader brings his own.
            path.write_text(path.read_text().replace(str(args.meshes), "FOLDER"))
    flips = subprocess.run([sys.executable, FLIPS], capture_output=True, text=True, check=True).stdout
    _write(HERE / "README.md", _page(reports, flips))
    _write(ROOT / "README.md", _with_results((ROOT / "README.md").read_text(), reports))
    for name in one_code():
        _write(WEIGHTS / f"{name}.md", _card(name, reports[name]))
    codec = jc3d.load("implicit-384")
    _gallery(codec, ProceduralSource("test"), HERE / "procedural.png")
    _gallery(codec, MeshSource(args.meshes, "test"), HERE / "meshes.png")
    if args.photos:
        grid = codec.reconstruct(codec.encode(load_views(sorted(args.photos.glob("*.png")))))
        with atomic_write(HERE / "armchair.png") as file:
            file.write(picture_png(grid))


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.encode())


def _with_results(text: str, reports: dict[str, dict[str, Report]]) -> str:
    """README with its table of results."""
    before, rest = text.split("<!-- results -->")
    _, after = rest.split("<!-- /results -->")
    rows = [
        "| model | bytes a view | ratio | procedural test objects | real meshes, best quarter turn |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    packaged = {label: reports[label] for label in one_code()}
    meshes = _columns(packaged, "meshes")
    for label, (report, procedural) in _columns(packaged, "procedural").items():
        rate, (_, real) = report.rate(procedural), meshes[label]
        rows.append(
            f"| `{label}` | {rate.payload_bytes / rate.views:.0f} | {rate.payload_ratio:.0f}:1 "
            f"| {_score(procedural.overall, False)} "
            f"| {real.overall.miou_best_turn:.3f} ± {real.overall.std_best_turn:.3f} |"
        )
    note = (
        f"mIoU ± std over {procedural.overall.objects} unseen procedural objects and {real.overall.objects} meshes "
        f"kept from training; {procedural.views} random views, τ = {procedural.threshold}, white background. "
        "[All numbers](docs/results/README.md), by category and with their protocol."
    )
    return "\n".join([before + "<!-- results -->", *rows, "", note, "<!-- /results -->"]) + after


def _page(reports: dict[str, dict[str, Report]], flips: str) -> str:
    parts = [(HERE / "intro.md").read_text().rstrip()]
    for kind, title in (("procedural", "Procedural test split"), ("meshes", "Real meshes nobody trained on")):
        columns = _columns(reports, kind)
        report, first = next(iter(columns.values()))
        free = kind == "meshes"
        rule = "best of four quarter turns (as is)" if free else "as is"
        parts.append(
            f"## {title}\n\nmIoU ± standard deviation over objects, {rule}; {first.views} views, "
            f"τ = {first.threshold}, split `{report.protocol.split}`, white background, "
            f"cameras and lights of seed {report.protocol.seed}."
        )
        header = ["category", "objects", *columns]
        rows = [header, ["---", "---:", *["---:"] * len(columns)]]
        for category in [c for c in CATEGORIES if c in first.categories]:
            scores = [shapes.categories[category] for _, shapes in columns.values()]
            rows.append([category, str(scores[0].objects), *(_score(score, free) for score in scores)])
        overall = [shapes.overall for _, shapes in columns.values()]
        rows.append(["**all objects**", str(first.overall.objects), *(f"**{_score(s, free)}**" for s in overall)])
        macros = [s.macro_miou_best_turn if free else s.macro_miou for _, s in columns.values()]
        rows.append(["mean of categories", "", *(f"{macro:.3f}" for macro in macros)])
        parts.append("\n".join("| " + " | ".join(row) + " |" for row in rows))
        parts.append(f"![{title}: a view, the reconstruction, the truth]({kind}.png)")
    parts.append((HERE / "outro.md").read_text().rstrip())
    parts.append(f"```\n{flips.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def one_code() -> list[str]:
    """The packaged models whose views have one code."""
    paths = {name: jc3d.models.packaged_path(name) for name in jc3d.models.packaged()}
    return [name for name, path in paths.items() if jc3d.models.read_metadata(path)["config"].max_iterations == 1]


def _columns(reports: dict[str, dict[str, Report]], kind: str) -> dict[str, tuple[Report, ShapeScores]]:
    """The one setting of every model."""
    return {label: (by_kind[kind], by_kind[kind].shapes[0]) for label, by_kind in reports.items()}


def _score(score: Score, free: bool) -> str:
    if free:
        return f"{score.miou_best_turn:.3f} ± {score.std_best_turn:.3f} ({score.miou:.3f})"
    return f"{score.miou:.3f} ± {score.std:.3f}"


def _card(name: str, reports: dict[str, Report]) -> str:
    path = WEIGHTS / f"{name}.safetensors"
    metadata = jc3d.models.read_metadata(path)
    info, config = metadata["info"], metadata["config"]
    model = jc3d.models.load(name)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    overall, real = reports["procedural"].shapes[0].overall, reports["meshes"].shapes[0].overall
    run = info["config"]
    data = ", ".join(f"`{source}`" for source in run["data"])
    lines = [
        f"# {name}",
        "",
        f"{config.code_bits} bits a view ({config.ratio:.0f}:1), {parameters / 1e6:.2f} M parameters in float16, "
        f"{path.stat().st_size / 1e6:.1f} MB, fingerprint `{metadata['fingerprint'].hex()}`.",
        "",
        "| test (5 views, τ = 0.4) | objects | mIoU ± std |",
        "| --- | ---: | ---: |",
        f"| procedural | {overall.objects} | {overall.miou:.3f} ± {overall.std:.3f} |",
        f"| real meshes of the thirteen categories, best of four quarter turns | {real.objects} "
        f"| {real.miou_best_turn:.3f} ± {real.std_best_turn:.3f} |",
        "",
        f"- **Data**: {data}; seed {run['seed']}. {(HERE / 'data.md').read_text().strip()}",
        f"- **Command**: `{info['command']}`",
        f"- **Commit**: {info['commit']}, torch {info['torch']}; weights of step {info['steps']} of {run['steps']}, "
        f"validation mIoU {info['val_miou']}.",
        "- **Not for**: objects that are not upright, scenes with a background, or objects far from ShapeNet-13.",
    ]
    return "\n".join(lines) + "\n"


def _gallery(codec: jc3d.Codec, source: ProceduralSource | MeshSource, path: Path) -> None:
    """Two objects of every category, in the order of the source: a view, the reconstruction, the truth."""
    shown: dict[int, int] = {}
    rows = []
    for index in range(len(source)):
        category = int(source.get(index, 0, 1).category)
        if category == OTHER_CATEGORY or shown.get(category, 0) == 2:
            continue
        shown[category] = shown.get(category, 0) + 1
        sample = source.get(index, 0, 5)
        grid = codec.reconstruct(codec.encode(sample.views.float() / 255))
        turns = quarter_turns(sample.grid)
        scores = iou(grid.expand_as(turns), turns)
        truth = turns[int(scores.argmax())] if sample.ambiguous_front else sample.grid
        score = scores.max() if sample.ambiguous_front else scores[0]
        labels = (f"{CATEGORIES[category]}, IoU {float(score):.2f}", "truth")
        picture = picture_png(grid, sample.views, truth, labels=labels)
        rows.append(Image.open(io.BytesIO(picture)).convert("RGB"))
        if len(shown) == len(CATEGORIES) and min(shown.values()) == 2:
            break
    width, height = rows[0].size
    columns = 4
    sheet = Image.new("RGB", (columns * width, -(-len(rows) // columns) * height), "white")
    for position, tile in enumerate(rows):
        sheet.paste(tile, (position % columns * width, position // columns * height))
    sheet = sheet.resize((GALLERY_WIDTH, round(sheet.height * GALLERY_WIDTH / sheet.width)), Image.Resampling.LANCZOS)
    with atomic_write(path) as file:
        sheet.quantize(128).save(file, "PNG", optimize=True)


if __name__ == "__main__":
    main()
