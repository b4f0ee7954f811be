"""Capabilities: what each family has, and that protocols find it in the class, as from Python 3.12 on they do."""

import inspect

import pytest

from jc3d.models import create
from jc3d.models.capabilities import (
    DecodesImages,
    DecodesProgressively,
    EncodesBits,
    ExportsParts,
    ReconstructsShape,
    verb_of,
)

MEMBERS = {
    DecodesImages: ("decompress",),
    DecodesProgressively: ("decompress", "open_decoder"),
    ReconstructsShape: ("reconstruction", "shape_inputs"),
    ExportsParts: ("export_parts",),
    EncodesBits: ("pre_activations",),
}
CAPABLE = {
    "r2n2-small": {ReconstructsShape, ExportsParts},
    "implicit-384": {ReconstructsShape, ExportsParts, EncodesBits},
    "rnn-small": {DecodesImages, DecodesProgressively},
    "sequential": {DecodesImages, DecodesProgressively, ReconstructsShape},
    "direct": {DecodesImages, DecodesProgressively, ReconstructsShape},
}


@pytest.mark.parametrize("name", CAPABLE)
def test_what_a_family_can_do(name: str) -> None:
    model = create(name)
    assert {each for each in MEMBERS if isinstance(model, each)} == CAPABLE[name]


@pytest.mark.parametrize("name", CAPABLE)
def test_members_are_found_without_asking_the_model(name: str) -> None:
    model = create(name)
    for capability in CAPABLE[name]:
        for member in MEMBERS[capability]:
            assert inspect.getattr_static(model, member, None) is not None, member


def test_the_part_that_reconstructs_is_a_part_of_the_model() -> None:
    model = create("sequential")
    assert model.reconstruction is dict(model.named_children())["reconstruction"]
    assert create("implicit-384").reconstruction.config.name == "implicit-384"


@pytest.mark.parametrize("capability", MEMBERS)
def test_every_capability_says_what_it_is(capability: type) -> None:
    assert verb_of(capability)
