"""``jc3d demo``: both ends of the link on one object, with every number that can be measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from jc3d.cli.console import console, cost, new_progress, new_table, print_facts
from jc3d.cli.options import DEFAULT_MODEL, Device, Model, Threshold
from jc3d.errors import MissingExtraError
from jc3d.geometry.threshold import THRESHOLD

if TYPE_CHECKING:
    from torch import Tensor

    from jc3d.cli.subjects import Subject
    from jc3d.codec import Codes
    from jc3d.infer import Codec


class Outcome(NamedTuple):
    """What the codec made of one object."""

    name: str
    codes: Codes
    grid: Tensor  # (32, 32, 32) probabilities
    encode_ms: float  # a view
    reconstruct_ms: float
    iou: float | None  # with the truth as it is, where it is known
    best_iou: float | None  # with the best of its four quarter turns


def demo(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATHS]...", help="More of --input.")] = None,
    inputs: Annotated[
        list[Path] | None,
        typer.Option("--input", "-i", help="Images (the views of one object), meshes (an object each), or a folder."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of what it writes.")] = Path("jc3d-demo"),
    model: Model = DEFAULT_MODEL,
    views: Annotated[int, typer.Option(min=1, help="Views to render of an object that is not given as images.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Draws the cameras and the light of those views.")] = 0,
    threshold: Threshold = THRESHOLD,
    device: Device = "cpu",
) -> None:
    """Encode, send and reconstruct an object: one that comes along, your images, or your meshes.

    Writes codes.jc3d, occupancy.npz, mesh.obj, mesh.glb and reconstruction.png; several objects get a folder each.
    """
    from jc3d.cli.subjects import find_inputs, subjects
    from jc3d.infer import load

    found = find_inputs([*(inputs or []), *(paths or [])])
    codec = load(model, device)
    outcomes: list[Outcome] = []
    notes: set[str] = set()
    folders = _folders(output, found.num_subjects)
    with new_progress() as progress:
        for subject in progress.track(
            subjects(found, views, seed), total=found.num_subjects, description="encoding and reconstructing"
        ):
            if not outcomes:
                _run(codec, subject, threshold)  # the first run of all allocates and plans: it is not measured
            outcomes.append(_run(codec, subject, threshold))
            notes |= _write(folders(subject.name), subject, outcomes[-1], threshold)
    if len(outcomes) == 1:
        _print_one(codec, outcomes[0])
    else:
        _print_several(codec, outcomes)
    for note in sorted(notes):
        console.print(f"not written: {note}", soft_wrap=True)
    console.print(f"written to {output}", soft_wrap=True)


def _run(codec: Codec, subject: Subject, threshold: float) -> Outcome:
    from jc3d.codec import Codes
    from jc3d.metrics import best_quarter_turn, iou

    start = time.perf_counter()
    codes = codec.encode(subject.views)
    encoded = time.perf_counter()
    received = Codes.from_bytes(codes.to_bytes())  # nothing else crosses the link
    sent = time.perf_counter()
    grid = codec.reconstruct(received).cpu()
    done = time.perf_counter()
    exact = best = None
    if subject.truth is not None:
        exact = float(iou(grid, subject.truth, threshold))
        best = float(best_quarter_turn(grid, subject.truth, threshold)[0])
    return Outcome(
        subject.name, received, grid, 1e3 * (encoded - start) / codes.num_views, 1e3 * (done - sent), exact, best
    )


def _write(folder: Path, subject: Subject, outcome: Outcome, threshold: float) -> set[str]:
    """Writes all files of one object that can be; returns why the others were not."""
    from jc3d.export import save_occupancy
    from jc3d.viz import save_picture

    folder.mkdir(parents=True, exist_ok=True)
    outcome.codes.save(folder / "codes.jc3d")
    save_occupancy(folder / "occupancy.npz", outcome.grid, threshold)
    notes = set()
    picture = partial(save_picture, grid=outcome.grid, views=subject.views, truth=subject.truth, threshold=threshold)
    mesh = partial(save_occupancy, grid=outcome.grid, threshold=threshold)
    optional: dict[str, Callable[[Path], None]] = {"reconstruction.png": picture}
    if bool((outcome.grid > threshold).any()):
        optional |= {"mesh.obj": mesh, "mesh.glb": mesh}
    else:
        notes.add(f"a mesh of {outcome.name}: no cell is above {threshold}")
    for name, save in optional.items():
        try:
            save(folder / name)
        except MissingExtraError as error:
            notes.add(f"{name}: {error}")
    return notes


def _folders(output: Path, num_subjects: int) -> Callable[[str], Path]:
    """Where an object's files go: ``output`` itself for a single one, else a folder of its name there."""
    used: set[str] = set()

    def folder(name: str) -> Path:
        if num_subjects == 1:
            return output
        unique = next(candidate for candidate in _numbered(name) if candidate not in used)
        used.add(unique)
        return output / unique

    return folder


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def _print_one(codec: Codec, outcome: Outcome) -> None:
    codes = outcome.codes
    known = outcome.iou is not None
    print_facts(
        {
            "object": outcome.name,
            "model": codec.name,
            "views": str(codes.num_views),
            "images": f"{codes.image_bytes} bytes ({codes.image_size[0]} x {codes.image_size[1]} pixels, 3 bytes each)",
            **cost(codes),
            "encode": f"{outcome.encode_ms:.1f} ms a view",
            "reconstruct": f"{outcome.reconstruct_ms:.0f} ms",
            "IoU": f"{outcome.iou:.3f} as it is, {outcome.best_iou:.3f} with the best of four quarter turns"
            if known
            else "the true shape is not known",
        }
    )


def _print_several(codec: Codec, outcomes: list[Outcome]) -> None:
    table = new_table("object", "views", "file", "encode", "reconstruct", "IoU", "best turn")
    for outcome in outcomes:
        table.add_row(
            outcome.name,
            str(outcome.codes.num_views),
            f"{outcome.codes.num_bytes} B",
            f"{outcome.encode_ms:.1f} ms",
            f"{outcome.reconstruct_ms:.0f} ms",
            _score(outcome.iou),
            _score(outcome.best_iou),
        )
    table.add_section()
    encode_ms = fmean(outcome.encode_ms for outcome in outcomes)
    reconstruct_ms = fmean(outcome.reconstruct_ms for outcome in outcomes)
    exact = _mean([outcome.iou for outcome in outcomes])
    best = _mean([outcome.best_iou for outcome in outcomes])
    table.add_row("mean", "", "", f"{encode_ms:.1f} ms", f"{reconstruct_ms:.0f} ms", _score(exact), _score(best))
    codes = outcomes[0].codes
    console.print(f"{codec.name}, {codes.payload_bytes / codes.num_views:g} bytes a view, {codes.ratio_payload:.0f}:1")
    console.print(table)
    console.print("encode: a view; best turn: IoU with the best of the four quarter turns of the true shape")


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
