"""Which measures there are; each stands beside its words in a module of this package, and this file knows none.

    @register_measures(DecodesImages, receive=Codec.decode, rules={"l1": "mean absolute difference"})
    def measure(decoded: Tensor, sample: ObjectSample, protocol: Protocol) -> Iterator[Value]: ...

Measures are found by their place: every module of the package is imported on the first look-up. Others register when
their own module is imported. Evaluation runs those that a codec is capable of; rules and tables follow from them.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from jc3d.codec import Codes
from jc3d.data.samples import ObjectSample
from jc3d.evaluate.protocol import Protocol
from jc3d.evaluate.rows import Value
from jc3d.infer import Codec

if TYPE_CHECKING:
    from rich.table import Table

    from jc3d.evaluate.report import Report

V = TypeVar("V", bound=Callable[[Any, ObjectSample, Protocol], Iterator[Value]])


@dataclass(frozen=True, eq=False)
class Measures:
    """What is measured of one kind of result.

    Attributes:
        capability: protocol that a model must have, see :mod:`jc3d.models.capabilities`.
        receive: the result, of a model's codes of one object.
        values: what is measured of a result, the object with the views that were coded, and the protocol.
        rules: what each measure means, by name.
        by_category: whether there are also rows of each category and of their means.
        each_view: whether the values are of single views: measured at the most views alone, which hold all others.
        extra: module without which nothing can be measured, and the extra of jc3d that brings it.
        protocol_rules: what else the protocol means where these are measured.
        tables: of a report that has them; None: the general table shows them.
    """

    capability: type
    receive: Callable[[Codec, Codes], Any]
    values: Callable[[Any, ObjectSample, Protocol], Iterator[Value]]
    rules: Mapping[str, str]
    by_category: bool = False
    each_view: bool = False
    extra: tuple[str, str] | None = None
    protocol_rules: Callable[[Protocol], Mapping[str, str]] | None = None
    tables: Callable[[Report], Iterator[Table]] | None = None


_by_name: dict[str, Measures] = {}


def register_measures(
    capability: type, *, receive: Callable[[Codec, Codes], Any], rules: Mapping[str, str], **others: Any
) -> Callable[[V], V]:
    """Registers the function it decorates, which gives the values of one object at one setting.

    Args:
        capability: see :class:`Measures`, as the others.
        receive: of a codec that has the capability.
        rules: of all measures that the function gives.
        others: the fields of :class:`Measures` that have defaults.

    Raises:
        ValueError: no measure, or one of that name is there already.
    """

    def decorate(values: V) -> V:
        taken = rules.keys() & _by_name.keys()
        if taken or not rules:
            raise ValueError(f"rules: expected new names of measures, got {', '.join(sorted(taken)) or 'none'}")
        entry = Measures(capability, receive, values, rules, **others)
        _by_name.update(dict.fromkeys(rules, entry))
        return values

    return decorate


def registered() -> list[Measures]:
    """All measures, by the names of their modules: the order does not depend on what was imported first."""
    _discover()
    return sorted(dict.fromkeys(_by_name.values()), key=lambda entry: entry.values.__module__)


@functools.cache
def _discover() -> None:
    import jc3d.evaluate.measures as package

    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
