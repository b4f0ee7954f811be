"""The model card of each packaged model, beside its weights."""

from __future__ import annotations

from typing import Any, NamedTuple

from jc3d import models
from jc3d.evaluate import Report
from jc3d.evaluate.rows import ALL
from jc3d.reproduce.markdown import bullet, commands, page, prose, table

_SHARDS = "python -m jc3d.jobs.prerender"


class History(NamedTuple):
    """How training data and starting weights came about, which the weights do not tell themselves."""

    paragraphs: tuple[str, ...]
    commands: tuple[str, ...]


SHAPES = History(
    (
        "`--init` is the weights that commit bf49519 packaged: 16,500 steps (8,500 from scratch at commit c5e5af9 and "
        "8,000 at 118bba0; their cards there have the commands). So `implicit-384` and `r2n2-small` have seen the same "
        "24,500 steps.",
        "The shards are 51,200 procedural objects (every second one augmented, on average) and 6,400 variations of the "
        "training meshes (one group in ten held back), six views each, and 128 of each for validation. They were "
        "rendered at commits c5e5af9 (the first 30,720 objects and the meshes) and aa2e261 by the commands below, each "
        "also with `--split val --count 128`:",
    ),
    (
        f"{_SHARDS} procedural shards/procedural --count 51200",
        f"{_SHARDS} meshes=FOLDER shards/meshes --count 6400",
    ),
)
IMAGES = History(
    (
        "The files under `start/` come from the packaged weights of commit 0b1625b, whose cards say how these were "
        "trained (three to five thousand steps, in bfloat16, an hour and more for each on two shared cores) and which "
        "coded no colours. `rnn-small-3` and `direct-3` are its `rnn-small` and `direct` after "
        "`docs/results/open_colours.py` of commit 94f69a4. `rnn-small-4` is step 200 of the first command below, with "
        "the same data, at that commit. `rnn-small-5` is the packaged `rnn-small`. `sequential-3` is its `sequential`, "
        "which here learns to read the new compressor's images.",
        "What came after these files was trained in an hour on two cores without bfloat16, a core each.",
        "The shards are 20,480 procedural objects and 2,560 variations of the training meshes, six views each, and 128 "
        "of each for validation, rendered by the other commands, each also with `--split val --count 128`:",
    ),
    (
        "jc3d train --preset rnn-small --steps 1200 --init start/rnn-small-3.safetensors --seed 3 --batch-size 12 "
        "--learning-rate 2e-3 --warmup 50 --min-iterations 2 --ssim-weight 0.5 --colour-weight 4 --min-views 1 "
        "--max-views 1",
        f"{_SHARDS} procedural shards/procedural --count 20480",
        f"{_SHARDS} meshes=FOLDER shards/meshes --count 2560",
    ),
)
_NOT_SHAPES = "objects that are not upright, scenes with a background, or objects far from ShapeNet-13"
_NOT_IMAGES = "natural images, which it blurs: it has seen objects on white only"


def model_card(name: str, report: Report, meshes: Report | None = None) -> str:
    """The card of a packaged model.

    Args:
        name: of the model.
        report: of its weights on procedural objects.
        meshes: of its weights on test meshes, where they were evaluated on them.
    """
    metadata = models.read_metadata(models.packaged_path(name))
    info, most = metadata["info"], metadata["config"].max_iterations
    decodes = "psnr" in report.measures
    history = IMAGES if decodes else SHAPES
    results = (_by_rate(report), _note(report)) if decodes else (_by_data(report, meshes),)
    sources = ", ".join(f"`{source}`" for source in info["config"]["data"])
    return page(
        f"# {name}",
        prose(_size(name, metadata, most)),
        *results,
        "\n".join(
            [
                bullet(f"**Data**: {sources}; seed {info['config']['seed']}."),
                bullet(f"**Start**: {info.get('init') or 'fresh weights'}."),
                bullet(f"**Train it**: `jc3d train --recipe {name}`."),
                bullet(
                    f"**These weights**: commit {info['commit']}, torch {info['torch']}, step {info['steps']} of "
                    f"{info['config']['steps']}; {_validation(info)}."
                ),
                bullet(f"**Not for**: {_NOT_SHAPES if 'iou' in report.measures else _NOT_IMAGES}."),
            ]
        ),
        "These weights were made by",
        commands(info["command"]),
        *map(prose, history.paragraphs),
        commands(*history.commands),
    )


def _size(name: str, metadata: dict[str, Any], most: int) -> str:
    config = metadata["config"]
    parameters = sum(parameter.numel() for parameter in models.load(name).parameters())
    rate = f"{config.code_bits} bits a view ({config.ratio:.0f}:1)"
    if most > 1:
        size = config.image_size
        rate = (
            f"{config.code_bits} bits a {size}×{size} view and iteration, 1 to {most} iterations ({config.ratio:.0f}:1 "
            f"to {config.ratio / most:.0f}:1)"
        )
    return (
        f"{rate}, {parameters / 1e6:.2f} M parameters in float16, "
        f"{models.packaged_path(name).stat().st_size / 1e6:.1f} MB, fingerprint `{metadata['fingerprint'].hex()}`."
    )


def _by_data(report: Report, meshes: Report | None) -> str:
    row = report.one(measure="iou", group=ALL)
    rows = [["procedural", str(row.count), f"{row.mean:.3f} ± {row.std:.3f}"]]
    if meshes is not None:
        real = meshes.one(measure="iou_best_turn", group=ALL)
        kind = "real meshes of the thirteen categories, best of four quarter turns"
        rows.append([kind, str(real.count), f"{real.mean:.3f} ± {real.std:.3f}"])
    return table((f"test ({row.views} views, τ = {row.threshold})", "objects", "mIoU ± std"), rows)


def _by_rate(report: Report) -> str:
    shapes = {row.setting: row for row in report.select(measure="iou", group=ALL)}
    header, rows = ["ratio", "L1", "PSNR, dB", "SSIM"], []
    for row in report.select(measure="psnr", group=ALL):
        l1, similar = (report.of(row.setting, measure).mean for measure in ("l1", "ssim"))
        cells = [f"{report.ratio(row.setting):.0f}:1", f"{l1:.4f}", f"{row.mean:.2f}", f"{similar:.3f}"]
        if row.setting in shapes:
            cells.append(f"{shapes[row.setting].mean:.3f} ± {shapes[row.setting].std:.3f}")
        rows.append(cells)
    if shapes:
        header.append(f"mIoU, {report.protocol.views[0]} views, τ = {report.protocol.thresholds[0]}")
    return table(header, rows)


def _note(report: Report) -> str:
    return prose(f"Over {report.objects} procedural test objects; `docs/results/compression.md` has more.")


def _validation(info: dict[str, Any]) -> str:
    """What the validation that chose the weights found."""
    found = []
    if "val_l1" in info:
        found.append(f"L1 {info['val_l1']}")
    if "val_miou" in info:
        found.append(f"mIoU {info['val_miou']}")
    for key, value in info.items():
        if key.startswith("val_miou_"):
            number = key.removeprefix("val_miou_")
            found.append(f"mIoU {value} at {number} iteration{'s' * (number != '1')}")
    return "validation " + ", ".join(found)
