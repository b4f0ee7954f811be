"""The model card of each packaged model, beside its weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jc3d import models
from jc3d.evaluate import Report
from jc3d.evaluate.rows import ALL
from jc3d.evaluate.table_parts import spread
from jc3d.models.validation_scores import validation_scores
from jc3d.reproduce.markdown import bullet, commands, page, prose, table
from jc3d.train.recipes import RECIPES, Recipe

SHAPES = (
    "`--init` is the weights that commit bf49519 packaged: the recipe's first 16,500 steps. So `implicit-384` and "
    "`r2n2-small` have seen the same 24,500 steps.",
    "Of the procedural objects every second one is augmented, on average; of the training meshes one group in ten is "
    "held back. The first 30,720 objects and the meshes were rendered at commit c5e5af9, the others at aa2e261, all of "
    "them by",
)
IMAGES = (
    "What came after these files was trained in an hour on two cores without bfloat16, a core each. The shards were "
    "rendered by",
)
"""How the data and the first weights came about, as far as neither the weights nor a recipe tell."""
STARTS = {
    "rnn-small-3": "is its `rnn-small` after `docs/results/open_colours.py` of commit 94f69a4",
    "direct-3": "is its `direct` after `docs/results/open_colours.py` of commit 94f69a4",
    "rnn-small-4": "is step 200 of the first phase of the recipe `rnn-small-packaged`",
    "rnn-small-5": "is the packaged `rnn-small`",
    "sequential-3": "is its `sequential`, which here learns to read the new compressor's images",
}
"""What the files under ``start/`` are that recipes and commands begin with."""

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
    decodes = "psnr" in report.measures
    results = (_by_rate(report), _note(report)) if decodes else (_by_data(report, meshes),)
    return page(
        f"# {name}",
        prose(_size(name, metadata, report.image_size)),
        *results,
        prose(f"Not for {_NOT_SHAPES if 'iou' in report.measures else _NOT_IMAGES}."),
        "## Training",
        *_training(name, metadata["info"], IMAGES if decodes else SHAPES),
    )


def _training(name: str, info: dict[str, Any], history: Sequence[str]) -> Iterator[str]:
    """Recipes, and where these very weights come from."""
    recipes = {each: RECIPES[each] for each in (name, f"{name}-packaged") if each in RECIPES}
    yield "\n".join(bullet(_about(each, recipe)) for each, recipe in recipes.items())
    phases = [phase for recipe in recipes.values() for phase in recipe.phases]
    notes = [f"Phase `{each.name}`, commit {each.commit}. {each.note}" for each in phases if each.commit and each.note]
    if notes:
        yield "What the recipes do not say of the packaged weights:"
        yield "\n".join(map(bullet, notes))
    sources = ", ".join(f"`{source}`" for source in info["config"]["data"])
    yield prose(
        f"These weights are of step {info['steps']} of {info['config']['steps']} at commit {info['commit']} with torch "
        f"{info['torch']}, from {info.get('init') or 'fresh weights'}, with data from {sources} and seed "
        f"{info['config']['seed']}; {_validation(info)}. The command was"
    )
    yield commands(info["command"])
    files = " ".join([info["command"], *(file for phase in phases for file in phase.needs)])
    if starts := [f"`{start}` {words}" for start, words in STARTS.items() if f"start/{start}." in files]:
        yield prose(
            "What stands under `start/` comes from the packaged weights of commit 0b1625b, whose cards say how these "
            "were trained (three to five thousand steps, in bfloat16, an hour and more for each on two shared cores) "
            f"and which coded no colours: {'; '.join(starts)}."
        )
    yield from map(prose, history)
    renderings = list(recipes.values())[-1].renderings
    yield commands(*(each.command(split) for each in renderings for split in each.splits))


def _about(name: str, recipe: Recipe) -> str:
    """A recipe's command, what it trains, and whether anybody has done so."""
    about = recipe.about[0].lower() + recipe.about[1:]
    unrun = "" if any(phase.commit for phase in recipe.phases) else " Not run from the start yet."
    return f"`jc3d train --recipe {name}`: {about}{unrun}"


def _size(name: str, metadata: dict[str, Any], image_size: tuple[int, int]) -> str:
    config = metadata["config"]
    most = config.max_iterations
    parameters = sum(parameter.numel() for parameter in models.load(name).parameters())
    rate = f"{config.code_bits} bits a view ({config.ratio:.0f}:1)"
    if most > 1:
        size = "{1}×{0}".format(*image_size)
        ratios = f"{config.ratio:.0f}:1 to {config.ratio / most:.0f}:1"
        rate = f"{config.code_bits} bits a {size} view and iteration, 1 to {most} iterations ({ratios})"
    return (
        f"{rate}, {parameters / 1e6:.2f} M parameters in float16, "
        f"{models.packaged_path(name).stat().st_size / 1e6:.1f} MB, fingerprint `{metadata['fingerprint'].hex()}`."
    )


def _by_data(report: Report, meshes: Report | None) -> str:
    row = report.one(measure="iou", group=ALL)
    rows = [["procedural", str(row.count), spread(row)]]
    if meshes is not None:
        real = meshes.one(measure="iou_best_turn", group=ALL)
        kind = "real meshes of the thirteen categories, best of four quarter turns"
        rows.append([kind, str(real.count), spread(real)])
    return table((f"test ({row.views} views, τ = {row.threshold})", "objects", "mIoU ± std"), rows)


def _by_rate(report: Report) -> str:
    shapes = {row.setting: row for row in report.select(measure="iou", group=ALL)}
    header, rows = ["ratio", "L1", "PSNR, dB", "SSIM"], []
    for row in report.select(measure="psnr", group=ALL):
        l1, similar = (report.of(row.setting, measure).mean for measure in ("l1", "ssim"))
        cells = [f"{report.ratio(row.setting):.0f}:1", f"{l1:.4f}", f"{row.mean:.2f}", f"{similar:.3f}"]
        if row.setting in shapes:
            cells.append(spread(shapes[row.setting]))
        rows.append(cells)
    if shapes:
        header.append(f"mIoU, {report.protocol.views[0]} views, τ = {report.protocol.thresholds[0]}")
    return table(header, rows)


def _note(report: Report) -> str:
    return prose(f"Over {report.objects} procedural test objects; `docs/results/compression.md` has more.")


def _validation(info: dict[str, Any]) -> str:
    """What the validation that chose the weights found; scores of single rates last."""
    found = []
    for score in sorted(validation_scores(info), key=lambda score: score.iterations is not None):
        rate = "" if score.iterations is None else f" at {score.iterations} iteration{'s' * (score.iterations != 1)}"
        found.append(f"{score.label} {score.mean}{rate}")
    return "validation " + ", ".join(found)
