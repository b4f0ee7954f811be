"""Packaged weights: parts that are packaged models themselves are stored once and held once."""

from importlib import import_module
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from jc3d import infer
from jc3d.errors import WeightsError
from jc3d.models import create, find, load, packaged, packaged_path, read_metadata, save_weights
from jc3d.models.packaged import package_weights


@pytest.fixture
def pair(weights: Path, tmp_path: Path) -> Path:
    """A compressor and a model whose part it is, packaged; the weights file that the latter was made of."""
    joint = create("sequential", seed=1)
    save_weights(tmp_path / "rnn-small.safetensors", joint.compressor, {"val_l1": 0.5})
    save_weights(tmp_path / "whole.safetensors", joint, {"val_miou": 0.5})
    assert package_weights(tmp_path / "rnn-small.safetensors") == weights / "rnn-small.safetensors"
    assert package_weights(tmp_path / "whole.safetensors") == weights / "sequential.safetensors"
    return tmp_path / "whole.safetensors"


def test_a_part_that_is_packaged_is_not_stored_again(pair: Path) -> None:
    path = packaged_path("sequential")
    assert path.stat().st_size < 0.6 * pair.stat().st_size
    with safe_open(path, "pt") as file:
        assert all(name.startswith("reconstruction.") for name in file.keys())  # noqa: SIM118
    whole, kept = read_metadata(pair), read_metadata(path)
    assert kept["parts"] == {"compressor": read_metadata(packaged_path("rnn-small"))["fingerprint"]}
    assert (kept["fingerprint"], kept["info"], kept["config"]) == (
        whole["fingerprint"],
        whole["info"],
        whole["config"],
    )


def test_it_is_the_same_model(pair: Path) -> None:
    whole, kept = load(pair), load("sequential")
    assert kept.fingerprint == whole.fingerprint
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, kept.state_dict()[name]), name


def test_codecs_of_packaged_models_share_a_part(pair: Path) -> None:
    codecs = import_module("jc3d.infer.packaged")
    whole, part = codecs.codec("sequential").model, codecs.codec("rnn-small").model
    for name, tensor in part.state_dict().items():
        assert whole.compressor.state_dict()[name].data_ptr() == tensor.data_ptr(), name
    mine = infer.load("sequential").model  # one's own: training it must not reach the others
    assert mine.compressor.expand.weight.data_ptr() != part.expand.weight.data_ptr()


def test_a_part_that_is_not_at_hand_is_named(pair: Path, weights: Path) -> None:
    (weights / "rnn-small.safetensors").unlink()
    import_module("jc3d.models.packaged")._names_by_fingerprint.cache_clear()
    with pytest.raises(WeightsError, match=r"expected the packaged model [0-9a-f]{16} for a part of it, got none"):
        load("sequential")


def test_only_models_can_be_left_out(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="left_out: expected parts that are models, got 'gates', a UnprojectedGates"):
        save_weights(tmp_path / "m.safetensors", create("implicit-384"), {}, left_out=["gates"])


def test_names_and_fingerprints(weights: Path) -> None:
    assert packaged() == ["toy"]
    assert find(read_metadata(packaged_path("toy"))["fingerprint"]) == "toy"
    assert find(bytes(8)) is None
    with pytest.raises(WeightsError, match=r"model: expected one of toy, or a \.safetensors path; got 'none'"):
        load("none")
