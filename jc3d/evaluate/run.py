"""Runs a codec over a split and measures what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from jc3d.data.categories import CATEGORIES
from jc3d.data.samples import OTHER_CATEGORY, ObjectSample
from jc3d.data.sources.spec import SourceSpec
from jc3d.errors import require_extra
from jc3d.evaluate.baselines import BASELINES, ClassicalCodec
from jc3d.evaluate.codecs import Coded, EvaluatedCodec, ModelCodec
from jc3d.evaluate.measures.registry import Measures, registered
from jc3d.evaluate.protocol import Protocol
from jc3d.evaluate.report import Report
from jc3d.evaluate.rows import OTHER, Tally, Value
from jc3d.infer import Codec, load
from jc3d.models import Model


def evaluate(
    model: str | Path | Model, protocol: Protocol | None = None, progress: bool = False, device: str = "cpu"
) -> Report:
    """Codes every object of a split at every setting, and measures the files and all that comes out of them.

    What comes out are the measures of :mod:`jc3d.evaluate.measures` that the codec is capable of.

    Args:
        model: a packaged model's name, a weights file, a model, or a classical codec's name
            (:data:`jc3d.evaluate.BASELINES`), whose rates are the protocol's ``num_bytes``.
        protocol: see :class:`Protocol`.
        progress: show a progress bar.
        device: where a model that is loaded here computes.

    Raises:
        ValueError: the codec does not have the rates asked for, or the source no object of the kind asked for.
        WeightsError: no such model or file, or it is damaged.
        MissingExtraError: what a measure needs is not installed, as torchmetrics for images.
    """
    codec = _codec(model, device)
    protocol = codec.complete(protocol or Protocol())
    measured = [measures for measures in registered() if codec.can(measures.capability)]
    for extra in filter(None, (measures.extra for measures in measured)):
        require_extra(*extra)  # now, and not after the first object
    by_category = frozenset(name for measures in measured if measures.by_category for name in measures.rules)
    tally, image_size = Tally(codec.identity.name, by_category), None
    for sample in _samples(protocol, progress):
        image_size = sample.views.shape[2:]
        for coded in codec.code(sample.views, protocol):
            tally.add(coded.setting, _category(sample), _values(coded, measured, sample, protocol))
    if image_size is None:
        kind = "objects of the thirteen categories" if protocol.thirteen else "objects"
        of = f"{protocol.data} from number {protocol.first} on" if protocol.first else protocol.data
        raise ValueError(f"data: expected {kind} in {of}, got none")
    return Report(codec.identity, (image_size[0], image_size[1]), protocol, tuple(tally.rows()))


def _codec(model: str | Path | Model, device: str) -> EvaluatedCodec:
    if isinstance(model, Model):
        return ModelCodec(Codec(model))
    if model in BASELINES:
        return ClassicalCodec(str(model))
    return ModelCodec(load(model, device))


def _samples(protocol: Protocol, progress: bool) -> Iterator[ObjectSample]:
    """The objects that count."""
    source = SourceSpec.parse(protocol.data).open(protocol.split)
    indices = range(len(source))[protocol.first :][: protocol.objects or None]
    for index in track(indices, "evaluating", console=Console(stderr=True), disable=not progress):
        sample = source.get(index, protocol.seed, max(protocol.views))
        if not (protocol.thirteen and int(sample.category) == OTHER_CATEGORY):
            yield sample


def _category(sample: ObjectSample) -> str:
    category = int(sample.category)
    return OTHER if category == OTHER_CATEGORY else CATEGORIES[category]


def _values(coded: Coded, measured: Sequence[Measures], sample: ObjectSample, protocol: Protocol) -> Iterator[Value]:
    yield Value("payload_bytes", coded.payload_bytes)
    yield Value("file_bytes", coded.file_bytes)
    yield from (Value("met", float(met)) for met in coded.met)
    count = coded.setting.views
    seen = sample._replace(views=sample.views[:count], poses=sample.poses[:count])
    for measures in measured:
        if not measures.each_view or count == max(protocol.views):
            yield from measures.values(coded.receive(measures), seen, protocol)
