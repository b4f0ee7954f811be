"""Weights files: what is written is what is read, and damage is named."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from jc3d.errors import WeightsError
from jc3d.models import create, fold_norms, load, packaged, read_metadata, save_weights
from jc3d.models.registry import build


@pytest.fixture
def model():
    model = create("implicit-384")
    model.train()
    with torch.no_grad():
        model(torch.rand(4, 1, 3, 128, 128))  # moves the running statistics away from their start
    return model.eval()


@pytest.fixture
def path(model, tmp_path: Path) -> Path:
    save_weights(tmp_path / "m.safetensors", model, {"seed": 7})
    return tmp_path / "m.safetensors"


def test_round_trip(model, path: Path) -> None:
    loaded = load(path)
    assert loaded.config == replace(model.config, norm=False)
    assert loaded.fingerprint == read_metadata(path)["fingerprint"] == load(path).fingerprint
    assert read_metadata(path)["info"] == {"seed": 7}
    assert not loaded.training
    expected = fold_norms(model).state_dict()
    for name, tensor in loaded.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=2**-10, atol=1e-6)


def _rewrite(path: Path, tensors=None, **metadata: str) -> Path:
    with safe_open(path, "pt") as file:
        kept = dict(file.metadata())
    save_file(tensors or load_file(path), path, kept | metadata)
    return path


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="expected a safetensors file, got nothing there"):
        load(tmp_path / "none.safetensors")


def test_unknown_name() -> None:
    with pytest.raises(WeightsError, match="model: expected one of"):
        load("implicit-385")


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_truncated(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(WeightsError, match="expected a safetensors file, got a damaged or another one"):
        load(path)


def test_wrong_shapes(path: Path) -> None:
    tensors = load_file(path)
    tensors["recurrence.conv3d.bias"] = tensors["recurrence.conv3d.bias"][:-1].clone()
    with pytest.raises(WeightsError, match=r"expected recurrence\.conv3d\.bias of shape .* as in its config, got"):
        load(_rewrite(path, tensors))


def test_changed_value(path: Path) -> None:
    tensors = load_file(path)
    tensors["decoder.layers.0.bias"][0] += 1
    with pytest.raises(WeightsError, match="expected fingerprint"):
        load(_rewrite(path, tensors))


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"format": "other"}, "expected format jc3d-weights-1, got other"),
        ({"config": "{"}, "expected metadata of a model, got others"),
        ({"config": json.dumps({"name": "x", "width": 3})}, "expected metadata of a model, got others"),
        ({"family": "gan"}, "expected metadata of a model, got others"),
        (
            {"config": json.dumps({"name": "x", "hidden_channels": "many"})},
            "expected a config that builds a model, got another",
        ),
        (
            {"config": json.dumps({"name": "x", "hidden_channels": 10**6})},
            r"expected \S+ of shape .* as in its config, got",
        ),
        ({"fingerprint": "zz"}, "expected metadata of a model, got others"),
    ],
)
def test_bad_metadata(path: Path, metadata: dict[str, str], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        load(_rewrite(path, **metadata))


def test_foreign_safetensors(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="expected format jc3d-weights-1, got None"):
        load(tmp_path / "a.safetensors")


def test_fingerprint_names_config_and_weights(model) -> None:
    other = build(replace(model.config, name="renamed"))
    other.load_state_dict(model.state_dict())
    assert other.fingerprint != model.fingerprint
    with torch.no_grad():
        next(model.parameters())[0] += 1e-3
    assert model.fingerprint != create("implicit-384").fingerprint


def test_fingerprint_is_pinned() -> None:
    """Codes in the field name their model by it: a change of this number makes them undecodable."""
    model = create("implicit-384")
    for tensor in model.state_dict().values():
        tensor.copy_(torch.arange(tensor.numel()).view_as(tensor) % 7 / 8)
    assert model.fingerprint.hex() == "c292eb5a8bd254d2"


def test_fingerprint_follows_the_weights_of_a_frozen_model() -> None:
    model, other = create("implicit-384", 1).freeze(), create("implicit-384", 2)
    before = model.fingerprint
    model.load_state_dict(other.state_dict())
    assert model.fingerprint == other.fingerprint != before


def test_packaged_weights_load_and_are_small() -> None:
    from jc3d.models import find, packaged_path

    assert packaged()
    for name in packaged():
        assert packaged_path(name).stat().st_size <= 16e6
        model = load(name)
        assert model.config.name == name
        assert find(model.fingerprint) == name
        assert packaged_path(name).with_suffix(".md").is_file()
