"""Runs a model over a split and scores what comes out."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rich.progress import track
from torch import Tensor

from jc3d.codec import Codes
from jc3d.data.categories import CATEGORIES
from jc3d.data.samples import OTHER_CATEGORY, ObjectSample, Source
from jc3d.data.sources.spec import SourceSpec
from jc3d.errors import require_extra
from jc3d.evaluate.images import Quality, image_scores, qualities
from jc3d.evaluate.protocol import Protocol
from jc3d.evaluate.report import FileSize, Rate, Report, Score, ShapeScores
from jc3d.geometry.quarter_turns import quarter_turns
from jc3d.infer import Codec, load
from jc3d.models import Model
from jc3d.ops import voxel_iou

_OTHER = "other"


def evaluate(
    model: str | Path | Model, protocol: Protocol | None = None, progress: bool = False, device: str = "cpu"
) -> Report:
    """Runs encode -> bytes of a file -> reconstruct and decode on every object of a split, at every setting.

    Each object's views are encoded once, at the most views and iterations; a setting of fewer takes the first of them.
    Each number of views and iterations goes through the bytes of a file of its own, and its thresholds share a grid.

    Args:
        model: a packaged model's name, a weights file or a model.
        device: where a model that is loaded here computes.
        protocol: see :class:`Protocol`.
        progress: show a progress bar.

    Raises:
        ValueError: the model does not have so many iterations, or the source no object of the kind asked for.
        WeightsError: no such model or file, or it is damaged.
        MissingExtraError: the model decodes images, and torchmetrics is not installed.
    """
    codec = Codec(model) if isinstance(model, Model) else load(model, device)
    config = codec.model.config
    protocol = (protocol or Protocol()).for_model(codec.name, config.max_iterations)
    if codec.decodes:
        require_extra("torchmetrics", "train")  # now, and not after the first object
    source = SourceSpec.parse(protocol.data).open(protocol.split)
    indices = range(len(source))[protocol.first :][: protocol.objects or None]
    files: dict[tuple[int, int], list[FileSize]] = {rate: [] for rate in protocol.rates()}
    ious: dict[_Setting, dict[str, list[tuple[float, float]]]] = {}
    images: dict[int, list[Quality]] = {}
    samples: Iterable[ObjectSample] = _samples(source, indices, protocol)
    for sample in track(samples, "evaluating", total=len(indices), disable=not progress):
        category = int(sample.category)
        if category == OTHER_CATEGORY and protocol.thirteen:
            continue
        name = CATEGORIES[category] if category != OTHER_CATEGORY else _OTHER
        sent = codec.encode(sample.views, max(protocol.iterations), refinement_steps=protocol.search_steps)
        for views, iterations in files:
            file = _first(sent, views, iterations).to_bytes()
            codes = Codes.from_bytes(file)
            files[views, iterations].append(FileSize(codes.image_bytes, codes.payload_bytes, len(file)))
            if codec.reconstructs:
                grid = codec.reconstruct(codes).cpu()
                for threshold, both in zip(protocol.thresholds, _ious(grid, sample.grid, protocol), strict=True):
                    by_category = ious.setdefault(_Setting(views, iterations, threshold), {})
                    by_category.setdefault(name, []).append(both)
            if codec.decodes and views == max(protocol.views):
                images.setdefault(iterations, []).extend(qualities(codec.decode(codes).cpu(), sample.views))
    objects = len(next(iter(files.values())))
    if not objects:
        kind = "objects of the thirteen categories" if protocol.thirteen else "objects"
        of = f"{protocol.data} from number {protocol.first} on" if protocol.first else protocol.data
        raise ValueError(f"data: expected {kind} in {of}, got none")
    return Report(
        model=config.name,
        fingerprint=codec.model.fingerprint.hex(),
        code_bits=config.code_bits,
        objects=objects,
        protocol=protocol,
        rates=tuple(Rate.of(*rate, sizes) for rate, sizes in files.items()),
        shapes=tuple(_shape_scores(setting, by_category) for setting, by_category in ious.items()),
        images=tuple(image_scores(max(protocol.views), *of_rate) for of_rate in images.items()),
    )


class _Setting(NamedTuple):
    views: int
    iterations: int
    threshold: float


def _samples(source: Source, indices: range, protocol: Protocol) -> Iterable[ObjectSample]:
    for index in indices:
        yield source.get(index, protocol.seed, max(protocol.views))


def _first(codes: Codes, views: int, iterations: int) -> Codes:
    """What a camera would have sent of fewer views: a view's code does not depend on the others."""
    return replace(codes, bits=codes.bits[:iterations, :views])


def _ious(prob: Tensor, target: Tensor, protocol: Protocol) -> list[tuple[float, float]]:
    """IoU as predicted and with the best quarter turn of the truth, for each threshold."""
    turned = quarter_turns(target)
    ious = voxel_iou(prob.expand_as(turned), turned, protocol.thresholds).iou  # (thresholds, turns)
    return list(zip(ious[:, 0].tolist(), ious.amax(dim=1).tolist(), strict=True))


def _shape_scores(setting: _Setting, ious: dict[str, list[tuple[float, float]]]) -> ShapeScores:
    categories = {name: Score.of(ious[name]) for name in (*CATEGORIES, _OTHER) if name in ious}
    return ShapeScores(
        *setting,
        overall=Score.of([both for of_category in ious.values() for both in of_category]),
        macro_miou=statistics.fmean(score.miou for score in categories.values()),
        macro_miou_best_turn=statistics.fmean(score.miou_best_turn for score in categories.values()),
        categories=categories,
    )
