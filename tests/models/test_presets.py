"""Architectures by name."""

import pytest
import torch

from jc3d.models import PRESETS, R2N2Config, create


def test_paper_widths() -> None:
    model = create("r2n2-paper")
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters() if name.endswith("weight")}
    assert shapes["encoder.layers.0.conv.weight"] == (96, 3, 7, 7)
    assert shapes["encoder.layers.5.conv.weight"] == (256, 256, 3, 3)
    assert shapes["head.2.weight"] == (1024, 1024)
    assert shapes["gates.linear.weight"] == (3 * 128 * 64, 1024)
    assert shapes["recurrence.conv3d.weight"] == (3 * 128, 128, 3, 3, 3)
    assert shapes["decoder.to_logits.weight"] == (2, 32, 3, 3, 3)


@pytest.mark.parametrize(
    ("name", "ratio"), [("r2n2-small", 12), ("implicit-384", 384), ("implicit-48", 48), ("implicit-480-paper", 480)]
)
def test_rates(name: str, ratio: float) -> None:
    assert PRESETS[name].ratio == pytest.approx(ratio, rel=0.002)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_is_named_by_its_key(name: str) -> None:
    assert PRESETS[name].name == name


@pytest.mark.parametrize("name", ["r2n2-small", "implicit-384", "implicit-480"])
def test_shapes_from_views_to_grid(name: str) -> None:
    model = create(name).eval()
    bits = model.config.code_size
    codes = model.encode(torch.rand(3, 3, 128, 128))
    assert codes.shape == (3, bits)
    assert set(codes.unique().tolist()) == {-1.0, 1.0} if model.config.binary else codes.unique().numel() > 100
    grid = model.reconstruct(codes.view(1, 3, bits))
    assert grid.shape == (1, 32, 32, 32)
    assert grid.min() >= 0
    assert grid.max() <= 1


def test_seed_names_the_weights_and_leaves_torchs_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, third = create("implicit-384", 1), create("implicit-384", 1), create("implicit-384", 2)
    assert torch.equal(before, torch.get_rng_state())
    assert first.fingerprint == second.fingerprint != third.fingerprint


def test_unknown_preset_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"preset: expected one of direct, .*implicit-128, .*got 'implict-384'"):
        create("implict-384")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code_size": 0}, "code_size: expected a positive number, got 0"),
        (
            {"unproject_channels": 4, "code_size": 1020},
            "encoder_channels: expected 255 in the end, .* code_size = 1020",
        ),
        (
            {"unproject_channels": 4},
            "unproject_channels: expected a code_side of fours and an even cell_side, got 2 and 4",
        ),
        ({"encoder_channels": (8, 8)}, "encoder_channels: expected 6 numbers, one a stride"),
        ({"up_channels": (8,)}, "up_channels: expected 3 numbers, or 2 and no head_channels"),
        ({"up_channels": (8, 8)}, "up_channels: expected 3 numbers, or 2 and no head_channels"),
        ({"encoder_strides": (2, 2, 2, 2, 2)}, "encoder_strides: expected a product of 64"),
        ({"code_side": 8}, "encoder_strides: expected a product of 16"),
    ],
)
def test_bad_configs(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        R2N2Config(name="bad", **change)
