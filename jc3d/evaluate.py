"""Evaluation: mean IoU by category, with the protocol beside every number (``jc3d evaluate``)."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.progress import track
from rich.table import Table

from jc3d.data.categories import CATEGORIES
from jc3d.data.sources import OTHER_CATEGORY, ObjectSample, Source, SourceSpec, Split
from jc3d.files import atomic_write
from jc3d.infer import Codec, load
from jc3d.metrics import THRESHOLD, best_quarter_turn, iou
from jc3d.models import R2N2


@dataclass(frozen=True)
class Protocol:
    """What a number depends on besides the model.

    Attributes:
        data: the source, see :mod:`jc3d.data.sources`.
        split: which part of it.
        views: random views of each object, all given to the network.
        threshold: τ, fixed beforehand.
        objects: how many objects at most; 0 for all of the split.
        seed: draws cameras and lights.
        thirteen: count only objects of the thirteen categories.
    """

    data: str = "procedural"
    split: Split = "test"
    views: int = 5
    threshold: float = THRESHOLD
    objects: int = 1300
    seed: int = 0
    thirteen: bool = True


@dataclass(frozen=True)
class Score:
    """Mean and standard deviation of IoU over a group of objects: as predicted, and with the best quarter turn."""

    objects: int
    miou: float
    std: float
    miou_best_turn: float
    std_best_turn: float

    @classmethod
    def of(cls, plain: list[float], best: list[float]) -> Score:
        """Over at least one object; the standard deviation is the population's."""
        fmean, pstdev = statistics.fmean, statistics.pstdev
        return cls(len(plain), fmean(plain), pstdev(plain), fmean(best), pstdev(best))


@dataclass(frozen=True)
class Report:
    """What an evaluation found."""

    model: str
    fingerprint: str
    code_bits: int
    ratio: float
    protocol: Protocol
    overall: Score
    macro_miou: float
    macro_miou_best_turn: float
    categories: dict[str, Score]

    def save(self, path: str | Path) -> None:
        """Writes JSON, atomically."""
        with atomic_write(path) as file:
            file.write((json.dumps(asdict(self), indent=1) + "\n").encode())

    def table(self) -> Table:
        """A table for the terminal."""
        protocol = self.protocol
        table = Table(
            title=f"{self.model}: mIoU, {protocol.views} views, τ = {protocol.threshold}",
            caption=f"{protocol.data} {protocol.split}, seed {protocol.seed}, white background; mean of categories "
            f"{self.macro_miou:.3f}, best turn {self.macro_miou_best_turn:.3f}",
        )
        for column in ("category", "objects", "mIoU", "std", "best turn", "std"):
            table.add_column(column, justify="left" if column == "category" else "right")
        for name, score in [*self.categories.items(), ("all", self.overall)]:
            table.add_row(
                name,
                str(score.objects),
                f"{score.miou:.3f}",
                f"{score.std:.3f}",
                f"{score.miou_best_turn:.3f}",
                f"{score.std_best_turn:.3f}",
            )
        return table


def evaluate(
    model: str | Path | R2N2, protocol: Protocol | None = None, progress: bool = False, device: str = "cpu"
) -> Report:
    """Runs encode -> bytes of a file -> reconstruct on every object of a split and scores the grids.

    Args:
        model: a packaged model's name, a weights file or a model.
        device: where a model that is loaded here computes.
        protocol: see :class:`Protocol`.
        progress: show a progress bar.

    Raises:
        ValueError: the source has no object of the kind asked for.
    """
    protocol = protocol or Protocol()
    codec = Codec(model) if isinstance(model, R2N2) else load(model, device)
    config = codec.model.config
    source = SourceSpec.parse(protocol.data).open(protocol.split)
    count = min(protocol.objects or len(source), len(source))
    plain: dict[str, list[float]] = {}
    best: dict[str, list[float]] = {}
    samples: Iterable[ObjectSample] = _samples(source, count, protocol)
    for sample in track(samples, "evaluating", total=count, disable=not progress):
        category = int(sample.category)
        if category == OTHER_CATEGORY and protocol.thirteen:
            continue
        prob = codec.reconstruct(codec.encode(sample.views).to_bytes()).cpu()
        name = CATEGORIES[category] if category != OTHER_CATEGORY else "other"
        plain.setdefault(name, []).append(float(iou(prob, sample.grid, protocol.threshold)))
        best.setdefault(name, []).append(float(best_quarter_turn(prob, sample.grid, protocol.threshold)[0]))
    if not plain:
        raise ValueError(f"data: expected objects of the thirteen categories in {protocol.data}, got none")
    categories = {name: Score.of(plain[name], best[name]) for name in (*CATEGORIES, "other") if name in plain}
    return Report(
        model=config.name,
        fingerprint=codec.model.fingerprint.hex(),
        code_bits=config.code_bits,
        ratio=config.ratio,
        protocol=protocol,
        overall=Score.of([x for xs in plain.values() for x in xs], [x for xs in best.values() for x in xs]),
        macro_miou=statistics.fmean(score.miou for score in categories.values()),
        macro_miou_best_turn=statistics.fmean(score.miou_best_turn for score in categories.values()),
        categories=categories,
    )


def _samples(source: Source, count: int, protocol: Protocol) -> Iterable[ObjectSample]:
    for index in range(count):
        yield source.get(index, protocol.seed, protocol.views)
