"""What an evaluation found, and its JSON file."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from jc3d.evaluate.protocol import Protocol
from jc3d.io.atomic import atomic_write


@dataclass(frozen=True)
class Spread:
    """Mean and the population's standard deviation."""

    mean: float
    std: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Over at least one number."""
        return cls(statistics.fmean(values), statistics.pstdev(values))


@dataclass(frozen=True)
class Score:
    """Mean and standard deviation of IoU over a group of objects: as predicted, and with the best quarter turn."""

    objects: int
    miou: float
    std: float
    miou_best_turn: float
    std_best_turn: float

    @classmethod
    def of(cls, ious: Sequence[tuple[float, float]]) -> Score:
        """Of (as predicted, with the best turn) of at least one object; the standard deviation is the population's."""
        plain, best = (Spread.of(values) for values in zip(*ious, strict=True))
        return cls(len(ious), plain.mean, plain.std, best.mean, best.std)


class FileSize(NamedTuple):
    """Bytes of one object's views as 24-bit pixels, of their codes, and of the file that holds these."""

    pixels: int
    payload: int
    file: int


@dataclass(frozen=True)
class Rate:
    """What one object's codes take, from the files that were made: means over the objects, in bytes.

    Attributes:
        views: of the object.
        iterations: of each view's code.
        payload_bytes: of the codes themselves.
        file_bytes: of the whole file.
        payload_ratio: how many times smaller than the views' 24-bit pixels, [J] eq. 12.
        file_ratio: the same by the whole file.
    """

    views: int
    iterations: int
    payload_bytes: float
    file_bytes: float
    payload_ratio: float
    file_ratio: float

    @classmethod
    def of(cls, views: int, iterations: int, sizes: Sequence[FileSize]) -> Rate:
        """Of at least one object's file."""
        pixels, payload, file = (statistics.fmean(values) for values in zip(*sizes, strict=True))
        return cls(views, iterations, payload, file, pixels / payload, pixels / file)


@dataclass(frozen=True)
class ShapeScores:
    """IoU of the grids at one setting.

    Attributes:
        views: of each object.
        iterations: of each view's code.
        threshold: τ.
        overall: over all objects, so categories weigh by their objects.
        macro_miou: mean of the categories' means.
        macro_miou_best_turn: the same with the best quarter turn.
        categories: those of :data:`jc3d.data.categories.CATEGORIES` that have objects, in their order, then ``other``.
    """

    views: int
    iterations: int
    threshold: float
    overall: Score
    macro_miou: float
    macro_miou_best_turn: float
    categories: dict[str, Score]


@dataclass(frozen=True)
class ImageScores:
    """Quality of the decoded views at one rate; :meth:`Protocol.rules` says what each measure is.

    Attributes:
        views: of each object, the most of the protocol.
        iterations: of each view's code.
        images: how many were measured.
        exact: how many of them equal their originals.
        l1: mean absolute difference in [0, 1].
        psnr: dB.
        ssim: up to 1.
        ms_ssim: up to 1; None where the images are too small for it.
    """

    views: int
    iterations: int
    images: int
    exact: int
    l1: Spread
    psnr: Spread
    ssim: Spread
    ms_ssim: Spread | None


@dataclass(frozen=True)
class Report:
    """What an evaluation found.

    Attributes:
        model: its preset.
        fingerprint: of the model and its weights, hexadecimal.
        code_bits: of a view and iteration.
        objects: how many were evaluated.
        protocol: with the iterations that were run.
        rates: one for every number of views and iterations, in the order of the protocol.
        shapes: one a setting, thresholds running fastest; empty for an image codec.
        images: one for every number of iterations; empty for a model that does not decode.
    """

    model: str
    fingerprint: str
    code_bits: int
    objects: int
    protocol: Protocol
    rates: tuple[Rate, ...]
    shapes: tuple[ShapeScores, ...]
    images: tuple[ImageScores, ...]

    def rate(self, scores: ShapeScores | ImageScores) -> Rate:
        """What the codes take that these scores are of."""
        setting = (scores.views, scores.iterations)
        return next(rate for rate in self.rates if (rate.views, rate.iterations) == setting)

    def to_dict(self) -> dict[str, Any]:
        """Plain types, as in the file: the fields, and after the protocol ``rules``, the same in words."""
        fields = asdict(self)
        head = {name: fields.pop(name) for name in ("model", "fingerprint", "code_bits", "objects", "protocol")}
        rules = self.protocol.rules(bool(self.shapes), bool(self.images))
        plain: dict[str, Any] = json.loads(json.dumps({**head, "rules": rules, **fields}))
        return plain

    def save(self, path: str | Path) -> None:
        """Writes JSON, atomically."""
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        with atomic_write(path) as file:
            file.write((text + "\n").encode())

    @classmethod
    def load(cls, path: str | Path) -> Report:
        """Reads what :meth:`save` wrote.

        Raises:
            ValueError: the file is no report of this version.
            OSError: it cannot be read.
        """
        data = Path(path).read_bytes()
        try:
            return cls._of(json.loads(data))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: expected a report of jc3d evaluate, got {error!r}") from error

    @classmethod
    def _of(cls, fields: dict[str, Any]) -> Report:
        fields = {name: value for name, value in fields.items() if name != "rules"}
        lists = {name: tuple(fields["protocol"][name]) for name in ("views", "iterations", "thresholds")}
        fields["protocol"] = Protocol(**{**fields["protocol"], **lists})
        fields["rates"] = tuple(Rate(**rate) for rate in fields["rates"])
        fields["shapes"] = tuple(_shape(shape) for shape in fields["shapes"])
        fields["images"] = tuple(_image(image) for image in fields["images"])
        return cls(**fields)


def _shape(fields: dict[str, Any]) -> ShapeScores:
    categories = {name: Score(**score) for name, score in fields["categories"].items()}
    return ShapeScores(**{**fields, "overall": Score(**fields["overall"]), "categories": categories})


def _image(fields: dict[str, Any]) -> ImageScores:
    measures = ("l1", "psnr", "ssim", "ms_ssim")
    spreads = {name: fields[name] and Spread(**fields[name]) for name in measures}
    return ImageScores(**{**fields, **spreads})
