"""What the numbers of a report mean, in words."""

from __future__ import annotations

from collections.abc import Iterable

from jc3d.evaluate.measures.registry import registered
from jc3d.evaluate.protocol import Protocol

SIZES = {
    "payload_bytes": "of an object's codes, without headers and checksums",
    "file_bytes": "of an object's files as made: one .jc3d file, or of classical codecs a stream a view",
}
"""What is counted of every codec, by name."""
_OTHERS = {
    "met": "1 of an image whose stream is as small as was asked for",
    "flipped_bits": "1 of a bit that another set of instructions made differently",
    "pre_activation_difference": "the largest from what another set of instructions gave",
}
"""What no capability of a model gives."""
NOT_MEASURED = {**SIZES, "met": _OTHERS["met"]}
"""What is counted of codes themselves: tables have it beside measures."""


def measure_rules() -> dict[str, str]:
    """What every measure means, by name."""
    return SIZES | {name: words for each in registered() for name, words in each.rules.items()} | _OTHERS


def rules(protocol: Protocol, measures: Iterable[str]) -> dict[str, str]:
    """What a protocol and the names of these measures mean, in words; a measure that nobody registered has none."""
    measures = set(measures)
    most = max(protocol.views)
    words = {
        "split": f"{protocol.data}, split {protocol.split}, "
        + ("objects of the thirteen categories" if protocol.thirteen else "all objects")
        + (f", from object {protocol.first} on" if protocol.first else ""),
        "views": f"{most} random view{'s' * (most > 1)} of each object, cameras and lights of seed {protocol.seed}; "
        "k views are the first k of them",
        "background": "white",
        "groups": "all: the mean over every object or image; macro: the mean of the categories' means; std: of the "
        "population of these values",
    }
    if protocol.num_bytes:
        words["num_bytes"] = "the most that each view's stream may have or, of a codec named -payload, its payload"
    if protocol.refinement_steps:
        words["refinement_steps"] = "gradient steps an iteration with which the sender refined the bits"
    for each in registered():
        if each.protocol_rules is not None and measures & each.rules.keys():
            words |= each.protocol_rules(protocol)
    return words | {name: of_one for name, of_one in measure_rules().items() if name in measures}
