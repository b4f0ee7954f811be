"""Renamed fields and tensors keep their names in files."""

import json
from dataclasses import asdict, dataclass, field
from typing import ClassVar

import pytest
import torch
from torch import nn

from jc3d.models import PRESETS, create
from jc3d.models.stored_names import (
    changed_config,
    config_of,
    state_of,
    stored_config,
    stored_state,
    takes_stored_names,
)


@dataclass(frozen=True)
class Inner:
    width: int = field(default=3, metadata={"stored": "breadth"})
    sizes: tuple[int, ...] = (1, 2)


@takes_stored_names
@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = Inner()
    depth: int = field(default=1, metadata={"stored": "levels"})


class Block(nn.Module):
    stored_prefixes: ClassVar[dict[str, str]] = {"conv": "convolution"}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Linear(2, 2)
        self.norm = nn.BatchNorm1d(2)


class Network(nn.Module):
    """Numbers of two digits, prefixes within prefixes, a nested module with names of its own."""

    stored_prefixes: ClassVar[dict[str, str]] = {"layers.1": "layers.one", "layers.1.norm": "norms.0", "scale": "gain"}

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(Block() for _ in range(11)))
        self.scale = nn.Parameter(torch.ones(2))


def test_a_config_is_stored_under_old_names() -> None:
    config = Outer("a", Inner(4, (5,)), depth=2)
    raw = {"name": "a", "inner": {"breadth": 4, "sizes": (5,)}, "levels": 2}
    assert stored_config(config) == raw
    assert list(stored_config(config)) == list(raw)
    assert config_of(Outer, json.loads(json.dumps(stored_config(config)))) == config


def test_only_what_differs_from_the_defaults_is_fingerprinted() -> None:
    assert changed_config(Outer("a")) == {"name": "a"}
    assert changed_config(Outer("a", Inner(4), depth=2)) == {"name": "a", "inner": {"breadth": 4}, "levels": 2}


@pytest.mark.parametrize(
    ("raw", "kind", "name"),
    [({"depth": 2}, "Outer", "depth"), ({"inner": {"width": 2}}, "Inner", "width"), ({"x": 1}, "Outer", "x")],
)
def test_new_and_unknown_names_are_refused_in_files(raw: dict[str, object], kind: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"config: expected fields of {kind}, got '{name}'"):
        config_of(Outer, {"name": "a", **raw})


def test_old_arguments_are_taken_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="levels: the argument is named depth now"):
        assert Outer("a", levels=2) == Outer("a", depth=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="depth: expected one value"):
        Outer("a", depth=1, levels=2)  # type: ignore[call-arg]


def test_tensors_are_stored_under_old_names() -> None:
    network = Network()
    stored = stored_state(network)
    assert len(stored) == len(network.state_dict())
    layers = network.layers
    # An outer name leads to the module below, which names the rest.
    assert stored["layers.0.convolution.weight"].data_ptr() == layers[0].conv.weight.data_ptr()
    assert stored["layers.0.norm.weight"].data_ptr() == layers[0].norm.weight.data_ptr()
    # Whole parts of a name count, and the longest prefix.
    assert stored["norms.0.weight"].data_ptr() == layers[1].norm.weight.data_ptr()
    assert stored["gain"].data_ptr() == network.scale.data_ptr()
    assert {"layers.one.convolution.bias", "layers.10.convolution.bias"} <= stored.keys()


def test_two_tensors_cannot_have_one_name() -> None:
    network = Network()
    network.layers[0].stored_prefixes = {"conv": "norm"}
    with pytest.raises(ValueError, match="expected another name for each of 78 tensors, got 76"):
        stored_state(network)


def test_states_come_back() -> None:
    source, target = create("direct-recurrent", 1), create("direct-recurrent", 2)
    target.load_state_dict(state_of(target, stored_state(source)))
    for key, tensor in target.state_dict().items():
        assert torch.equal(tensor, source.state_dict()[key]), key
    with pytest.raises(KeyError, match="gain"):
        state_of(Network(), {key: tensor for key, tensor in stored_state(Network()).items() if key != "gain"})


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_come_back(name: str) -> None:
    config = PRESETS[name]
    assert config_of(type(config), json.loads(json.dumps(stored_config(config)))) == config
    assert len(stored_config(config)) == len(asdict(config))
