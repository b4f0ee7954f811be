"""docs/results/README.md: the shapes of models whose views have one code."""

from __future__ import annotations

import math
from collections.abc import Mapping

from jc3d.evaluate import Report, Row
from jc3d.evaluate.rows import ALL, MACRO
from jc3d.evaluate.table_parts import spread
from jc3d.reproduce.markdown import page, prose, table
from jc3d.train.recipes import RECIPES

TWIN = "implicit-384-procedural"
"""Label of the model that saw no mesh; it is not packaged."""
Columns = Mapping[str, Report]
"""Reports by the label of their model, of one setting each."""


def shape_page(procedural: Columns, meshes: Columns, instruction_sets: Report) -> str:
    """The page.

    Args:
        procedural: of every model, on the procedural test split.
        meshes: of every model, on the test meshes.
        instruction_sets: what :func:`jc3d.reproduce.instruction_sets.compare_instruction_sets` found.
    """
    (twin,) = RECIPES[TWIN].phases
    of_meshes = [_score(report, "iou_best_turn") for report in meshes.values()]
    count, std = of_meshes[0].count, max(row.std for row in of_meshes)
    return page(
        "# Results",
        prose(
            "Written by `jc3d reproduce`; the JSON files beside this page hold every number with its protocol. Every "
            "model runs the whole link: encode, the bytes of a file, reconstruct."
        ),
        prose(
            f"One seed, one run a model. {count} meshes with a standard deviation of {std:.2f} leave the mean "
            f"uncertain by {std / math.sqrt(count):.3f} (standard error), so differences of a hundredth there say "
            "little; several categories hold one or two meshes."
        ),
        prose(
            "The test meshes chose neither a checkpoint nor a training setting. The proportions of the procedural "
            "families were set with the whole folder of meshes at hand, test meshes included. So the numbers on "
            "meshes, the twin's most of all, are not those of a blind test."
        ),
        prose(
            f"`{TWIN}` is a twin of `implicit-384` that saw no mesh at all, for what the generator alone is worth. It "
            f"was trained from scratch for {twin.settings['steps']:,} steps only, by `jc3d train --recipe {TWIN}` at "
            f"commit {twin.commit}, and is not packaged. {twin.note}"
        ),
        "## Procedural test split",
        *_by_category(procedural, best_turn=False),
        "![Procedural test split: a view, the reconstruction, the truth](procedural.png)",
        "## Real meshes nobody trained on",
        *_by_category(meshes, best_turn=True),
        "![Real meshes nobody trained on: a view, the reconstruction, the truth](meshes.png)",
        "## Photographs",
        prose(
            "Three photographs of an armchair, the demo input of 3D-R2N2 (127×127 on white), sent in "
            f"{_file_bytes(procedural['implicit-384'], 3):.0f} bytes; the true shape is not known:"
        ),
        "![An armchair reconstructed from three photographs](armchair.png)",
        "## Exactness",
        prose(
            "The codes of a view are the same bytes on repeated runs, in batches of 1 and of 32, and with 1 and 2 "
            "threads (`tests/models/shape/test_encode.py`, pre-activations centred on zero included)."
        ),
        prose(
            "Across processors a bit can differ where its pre-activation is within rounding of zero. "
            f"`jc3d reproduce instruction-sets` encodes {instruction_sets.protocol.objects} objects with the "
            "convolution library held to other instruction sets, and counts what differs from its own choice:"
        ),
        _flips(instruction_sets),
    )


def _by_category(columns: Columns, best_turn: bool) -> tuple[str, str]:
    """The protocol in words and the table; ``best_turn``: the best of four quarter turns, and as it is in brackets."""
    protocol = next(iter(columns.values())).protocol
    measure, rule = ("iou_best_turn", "best of four quarter turns (as is)") if best_turn else ("iou", "as is")
    cells: dict[str, list[str]] = {}
    for report in columns.values():
        for row in report.select(measure=measure):
            number = f"{row.mean:.3f}" if row.group == MACRO else spread(row)
            if best_turn and row.group != MACRO:
                number += f" ({_score(report, 'iou', row.group).mean:.3f})"
            name = {ALL: "**all objects**", MACRO: "mean of categories"}.get(row.group, row.group)
            cells.setdefault(name, [name, "" if row.group == MACRO else str(row.count)])
            cells[name].append(f"**{number}**" if row.group == ALL else number)
    words = (
        f"mIoU ± standard deviation over objects, {rule}; {protocol.views[0]} views, τ = {protocol.thresholds[0]}, "
        f"split `{protocol.split}`, white background, cameras and lights of seed {protocol.seed}."
    )
    return prose(words), table(("category", "objects", *columns), cells.values())


def _score(report: Report, measure: str, group: str = ALL) -> Row:
    """The one row of a measure and group."""
    return report.one(measure=measure, group=group)


def _file_bytes(report: Report, views: int) -> float:
    """Of so many views."""
    payload, file = (report.one(measure=measure) for measure in ("payload_bytes", "file_bytes"))
    return views * payload.mean / payload.views + file.mean - payload.mean


def _flips(report: Report) -> str:
    rows = []
    for row in report.select(measure="flipped_bits"):
        largest = report.one(measure="pre_activation_difference", group=row.group).mean
        rows.append([row.group, f"{row.total:.0f} of {row.count}", f"{largest:.1e}"])
    return table(("instruction set", "bits that differ", "pre-activations differ by up to"), rows)
