"""The lighting model: each of its four terms by hand, and its ranges."""

from __future__ import annotations

import pytest
import torch

from jc3d.data.counter_rng import Random
from jc3d.data.shading import Light, light_rows, sample_light, shade

UP, FRONT = torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]])
GREY = torch.tensor([[0.5, 0.25, 1.0]])


def lit(normal: torch.Tensor, to_camera: torch.Tensor, light: Light, albedo: torch.Tensor = GREY) -> list[float]:
    return shade(normal, albedo, to_camera, light_rows([light]))[0].tolist()


def test_ambient_alone_is_the_colour_scaled_and_stronger_from_above() -> None:
    light = Light((0, 1, 0), 0.4, 0.0, 0.0, 0.0)
    assert lit(UP, FRONT, light) == pytest.approx([0.2, 0.1, 0.4])
    assert lit(FRONT, FRONT, light) == pytest.approx([0.85 * c for c in (0.2, 0.1, 0.4)])
    assert lit(-UP, FRONT, light) == pytest.approx([0.7 * c for c in (0.2, 0.1, 0.4)])


def test_diffuse_follows_the_cosine_and_stops_at_the_terminator() -> None:
    light = Light((0, 3, 4), 0.0, 0.5, 0.0, 0.0)
    assert lit(UP, FRONT, light) == pytest.approx([0.5 * 0.6 * c for c in GREY[0].tolist()])
    assert lit(-FRONT, FRONT, light) == [0.0, 0.0, 0.0]


def test_fill_comes_from_the_camera() -> None:
    light = Light((0, 1, 0), 0.0, 0.0, 0.5, 0.0)
    tilted = torch.tensor([[0.0, 0.6, 0.8]])
    assert lit(tilted, FRONT, light) == pytest.approx([0.5 * 0.8 * c for c in GREY[0].tolist()])


def test_the_highlight_is_white_and_in_the_mirror_direction() -> None:
    light = Light((0, 3, 4), 0.0, 0.0, 0.0, 0.3)
    assert lit(UP, torch.tensor([[0.0, 0.6, -0.8]]), light) == pytest.approx([0.3] * 3)
    assert max(lit(UP, torch.tensor([[0.0, 0.6, 0.8]]), light)) < 1e-4
    assert lit(-UP, torch.tensor([[0.0, -0.6, -0.8]]), light) == [0.0] * 3


def test_colours_stay_in_range() -> None:
    assert lit(UP, UP, Light((0, 1, 0), 2.0, 2.0, 2.0, 2.0)) == [1.0] * 3


def test_rows_broadcast_and_match_one_by_one() -> None:
    torch.manual_seed(0)
    normals, to_camera = (torch.nn.functional.normalize(torch.randn(67, 3), dim=1) for _ in range(2))
    albedo = torch.rand(67, 3)
    lights = [sample_light(Random(seed)) for seed in range(67)]
    together = shade(normals, albedo, to_camera, light_rows(lights))
    for index, light in enumerate(lights):
        one = slice(index, index + 1)
        assert torch.equal(shade(normals[one], albedo[one], to_camera[one], light_rows([light])), together[one])
    shared = shade(normals, albedo, to_camera, light_rows(lights[:1]))
    assert torch.equal(shared[0], together[0])


def test_sampled_lights_shine_from_above_and_vary() -> None:
    lights = [sample_light(Random(seed)) for seed in range(500)]
    rows = light_rows(lights)
    assert torch.allclose(rows[:, :3].norm(dim=1), torch.ones(500), atol=1e-6)
    assert (rows[:, 1] > 0.2).all()
    assert rows[:, 3:6].min() >= 0
    assert rows[:, 3].std() > 0.05
    assert rows[:, 4].std() > 0.08
    assert 0.2 < (rows[:, 6] > 0).float().mean() < 0.6


def test_a_light_without_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="direction: expected a finite vector that is not zero"):
        light_rows([Light((0, 0, 0), 1, 1, 1, 1)])
