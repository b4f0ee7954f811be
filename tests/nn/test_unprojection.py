"""Unprojection against the project's own cameras: a point must read the pixel that shows it."""

import pytest
import torch

from jc3d.data.procedural import make_object, occupancy, render
from jc3d.data.shading import Light
from jc3d.geometry.cameras import Camera, camera_rays, camera_rows
from jc3d.nn.unprojection import Unproject

CAMERAS = [Camera(0.0, 27.0, 0.8), Camera(100.0, 25.0, 0.65), Camera(-35.0, 30.0, 0.95), Camera(725.0, -10.0, 2.0)]
DIAGONAL = 1.3


def test_a_point_lies_on_the_ray_of_the_pixel_it_is_projected_to() -> None:
    unproject = Unproject(3)
    pixels, _ = unproject.project(camera_rows(CAMERAS, DIAGONAL))
    size = 4096
    origins, _ = camera_rays(CAMERAS, torch.tensor([DIAGONAL]), 1)
    for index, camera in enumerate(CAMERAS):
        _, directions = camera_rays([camera], torch.tensor([DIAGONAL]), size)
        column, row = ((pixels[index] + 1) / 2 * size).floor().long().unbind(1)
        ray = directions[0, row, column]
        to_point = unproject.points - origins[index]
        along = (to_point * ray).sum(dim=1, keepdim=True)
        assert (to_point - along * ray).norm(dim=1).max() < 2 * along.max() / size


def test_nearness_is_the_distance_towards_the_camera_in_halves() -> None:
    unproject = Unproject(2)
    _, nearness = unproject.project(torch.tensor([[0.0, 0.0, 2.0]]))  # from +Z, level
    torch.testing.assert_close(nearness[0], 2 * unproject.points[:, 2])


def test_features_are_read_bilinearly_at_the_projected_pixels() -> None:
    unproject = Unproject(4)
    poses = camera_rows(CAMERAS, DIAGONAL)
    ramp = (torch.arange(16) + 0.5) / 8 - 1  # the coordinate of each pixel's centre
    maps = torch.stack((ramp.expand(16, 16), ramp[:, None].expand(16, 16))).expand(len(poses), 2, 16, 16)
    volume = unproject(maps, poses)
    assert volume.shape == (len(poses), 3, 4, 4, 4)
    pixels, nearness = unproject.project(poses)
    inside = pixels.abs().amax(dim=2) < 1 - 1 / 16
    assert inside.float().mean() > 0.9
    read = volume[:, :2].flatten(2).transpose(1, 2)
    torch.testing.assert_close(read[inside], pixels[inside], rtol=0, atol=1e-5)
    torch.testing.assert_close(volume[:, 2].flatten(1), nearness)


def test_unprojected_silhouettes_carve_away_what_is_not_the_object() -> None:
    shape = make_object(5, "airplane")
    views = render([shape], [CAMERAS[:3]], [Light((0, 1, 0), 0.4, 0.2, 0.0, 0.0)])[0]
    background = (views == 255).all(dim=1, keepdim=True).float()
    unproject = Unproject(32)
    carved = (unproject(background, camera_rows(CAMERAS[:3], shape.diagonal))[:, 0] > 0.5).any(dim=0)
    occupied = torch.from_numpy(occupancy(shape))
    assert occupied.sum() > 300
    assert carved[occupied].float().mean() < 0.03  # the outermost cells may stand half over the edge
    assert carved[~occupied].float().mean() > 0.85


def test_autocast_does_not_coarsen_the_projection() -> None:
    unproject, poses = Unproject(8), camera_rows(CAMERAS, DIAGONAL)
    maps = torch.rand(len(poses), 2, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        coarse = unproject(maps, poses)
    torch.testing.assert_close(coarse, unproject(maps, poses))


@pytest.mark.parametrize("side", [1, 5])
def test_points_are_the_centres_of_cells(side: int) -> None:
    points = Unproject(side).points.view(side, side, side, 3)
    expected = (torch.arange(side) + 0.5) / side - 0.5
    for axis in range(3):
        torch.testing.assert_close(points[..., axis].movedim(axis, 0).reshape(side, -1)[:, 0], expected)
