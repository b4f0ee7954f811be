"""What the numbers of a report mean, in words."""

from __future__ import annotations

from collections.abc import Iterable

from jc3d.evaluate.protocol import Protocol

MEASURES = {
    "payload_bytes": "of an object's codes, without headers and checksums",
    "file_bytes": "of an object's files as made: one .jc3d file, or of classical codecs a stream a view",
    "iou": "of the grid; a cell is occupied where its probability is above the threshold",
    "iou_best_turn": "IoU with the best of the four quarter turns of the truth",
    "l1": "mean absolute difference, 1 from black to white",
    "psnr": "dB, of each image over its three channels; an image that is decoded exactly counts as one with a single "
    "value off by a step of 8 bits, and is counted in exact",
    "ssim": "of each image, Gaussian window of 11 pixels, mean over its channels",
    "ms_ssim": "of each image that is large enough for its five scales",
    "exact": "1 of an image that equals its original",
    "met": "1 of an image whose stream is as small as was asked for",
    "flipped_bits": "1 of a bit that another set of instructions made differently",
    "pre_activation_difference": "the largest from what another set of instructions gave",
}
"""The measures by name."""


def rules(protocol: Protocol, measures: Iterable[str]) -> dict[str, str]:
    """What a protocol and the names of these measures mean, in words.

    Raises:
        KeyError: an unknown measure.
    """
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
    if "psnr" in measures:
        words["images"] = f"the {most} views of each object, decoded from the file and rounded to 8 bits"
    return words | {name: MEASURES[name] for name in MEASURES if name in measures}
