"""The analytic ray caster against marching through the inside test, and batch independence."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from shape_mesh import tessellated

from jc3d.data import meshes
from jc3d.data.camera_protocol import sample_cameras
from jc3d.data.counter_rng import Random
from jc3d.data.procedural import CATEGORIES, Kind, Shape, cast, make_object, occupancy, render
from jc3d.data.procedural.builder import Builder
from jc3d.data.procedural.primitives import contains
from jc3d.data.procedural.voxel_shape import voxel_shape
from jc3d.data.shading import Light, sample_light
from jc3d.geometry.cameras import Camera, camera_frames, camera_rays

GREY = (0.6, 0.5, 0.4)


def one_of_each() -> Shape:
    builder = Builder()
    builder.box((0, 0, 0), (1, 0.2, 0.6), GREY, taper=(0.7, 0.5), lean=(0, 0.1))
    builder.box((0.3, 0.3, -0.2), (0.3, 0.4, 0.3), GREY, taper=0.0)
    builder.bevel((0, 0.3, 0), (0.3, 0.3, 0.5), GREY, turn=[("y", 30.0)])
    builder.ellipsoid((0.3, 0.6, 0), (0.3, 0.4, 0.2), GREY, turn=[("z", 30.0)])
    builder.cylinder((-0.3, 0.6, 0), (0.2, 0.5, 0.3), GREY, taper=0.3, lean=(0.2, 0.0))
    builder.cylinder((-0.3, 0.25, -0.2), (0.3, 0.3, 0.3), GREY, taper=0.0)
    builder.cylinder((-0.3, 0.2, 0.4), (0.2, 0.25, 0.25), GREY, along="x")
    builder.cylinder((0.3, -0.2, 0.2), (0.2, 0.2, 0.25), GREY, taper=2.0)
    builder.beam((0, 0, 0), (0.5, 0.9, 0.4), 0.05, GREY)
    return builder.shape("all", 0)


def march(shape: Shape, camera: Camera, size: int, steps: int = 1500) -> np.ndarray:
    """Depth along the camera's axis at which each ray is first inside a part, by small steps; inf for a miss."""
    origin, direction = camera_rays([camera], torch.tensor([shape.diagonal]), size)
    origin, direction = origin[0].double().numpy(), direction[0].double().numpy()
    forward = -origin / np.linalg.norm(origin)
    direction = direction / (direction @ forward)[..., None]
    near = np.linalg.norm(origin) - shape.diagonal / 2
    first = np.full((size, size), np.inf)
    for step in range(steps):
        depth = near + shape.diagonal * (step + 0.5) / steps
        points = origin + depth * direction
        inside = np.zeros((size, size), dtype=bool)
        for kind, matrix, taper in zip(shape.kind, shape.world_to_part, shape.taper, strict=True):
            local = np.einsum("ij,hwj->ihw", matrix[:, :3], points) + matrix[:, 3, None, None]
            inside |= contains(int(kind), taper, local)
        first = np.where(inside & np.isinf(first), depth, first)
    return first


def assert_agrees(shape: Shape, camera: Camera, size: int = 40, steps: int = 1500) -> None:
    marched = march(shape, camera, size, steps)
    hits = cast([shape], [[camera]], size)
    depth = hits.depth[0].double().numpy()
    missed = np.isinf(depth)
    assert np.array_equal(missed, (hits.part[0] < 0).numpy())
    # Marching misses chords shorter than a step, and only those: never the other way round but for a grazing ray.
    assert (missed & ~np.isinf(marched)).sum() <= 1
    assert (~missed & np.isinf(marched)).sum() <= 0.01 * size * size
    both = ~missed & ~np.isinf(marched)
    assert both.sum() > 0.02 * size * size
    step = shape.diagonal / steps
    late = marched[both] - depth[both]
    assert late.min() > -2e-4
    assert np.quantile(late, 0.99) < 1.5 * step
    assert np.median(late) == pytest.approx(step / 2, abs=0.3 * step)


@pytest.mark.parametrize("azimuth", [10.0, 100.0, 200.0, 300.0])
@pytest.mark.parametrize("elevation", [-40.0, 27.0, 80.0])
def test_every_primitive_agrees_with_marching(azimuth: float, elevation: float) -> None:
    assert_agrees(one_of_each(), Camera(azimuth, elevation, 0.7))


@pytest.mark.parametrize("category", CATEGORIES)
def test_families_agree_with_marching(category: str) -> None:
    assert_agrees(make_object(11, category), sample_cameras(Random(5), 1)[0], size=32, steps=800)


def test_known_depths_and_parts() -> None:
    builder = Builder()
    builder.box((0, 0, 0), (1, 1, 1), GREY)
    builder.ellipsoid((0, 0, 0.4), (0.4, 0.4, 0.4), GREY)
    shape = builder.shape("test", 0)
    hits = cast([shape], [[Camera(180.0, 0.0, 1.0), Camera(0.0, 0.0, 1.0)]], 33)
    scale = 1.0 / 1.1  # the ball sticks out by a tenth
    distance = 1.75 * shape.diagonal
    assert hits.part[0, 16, 16] == 0
    assert hits.depth[0, 16, 16] == pytest.approx(distance - 0.5, abs=1e-5)
    assert hits.part[1, 16, 16] == 1
    assert hits.depth[1, 16, 16] == pytest.approx(distance - 0.5, abs=1e-5)
    beside = round(16 + 33 / 2 * (0.45 * scale) / (16 / 35) / (distance - 0.5 + 0.1 * scale))
    assert hits.part[1, 16, beside] == 0
    assert hits.depth[1, 16, beside] == pytest.approx(distance - 0.5 + 0.1 * scale, abs=1e-5)


def test_equal_depth_goes_to_the_lower_part() -> None:
    builder = Builder()
    builder.box((0, 0, 0), (1, 1, 1), GREY)
    builder.box((0, 0, 0), (1, 1, 1), (1, 0, 0))
    hits = cast([builder.shape("test", 0)], [[Camera(30.0, 20.0, 0.8)]], 32)
    assert set(hits.part.unique().tolist()) == {-1, 0}


def test_a_view_is_the_same_alone_and_in_any_batch() -> None:
    shapes = [make_object(seed, category) for seed, category in enumerate(CATEGORIES)]
    cameras = [sample_cameras(Random(seed), 3) for seed in range(len(shapes))]
    lights = [sample_light(Random(seed, 1)) for seed in range(len(shapes))]
    together = render(shapes, cameras, lights)
    for index in range(len(shapes)):
        alone = render([shapes[index]], [[cameras[index][2]]], [lights[index]])
        assert torch.equal(alone[0, 0], together[index, 2]), CATEGORIES[index]


def test_threads_do_not_change_views() -> None:
    shape, cameras, light = make_object(4, "chair"), sample_cameras(Random(1), 6), sample_light(Random(2))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = render([shape], [cameras], [light])
        torch.set_num_threads(4)
        four = render([shape], [cameras], [light])
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(one, four)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that this PyTorch can use")
def test_a_gpu_draws_the_same_views() -> None:
    shapes = [make_object(seed, category) for seed, category in enumerate(CATEGORIES)]
    cameras = [sample_cameras(Random(seed), 2) for seed in range(len(shapes))]
    lights = [sample_light(Random(seed, 1)) for seed in range(len(shapes))]
    gpu = render(shapes, cameras, lights, device="cuda").cpu()
    cpu = render(shapes, cameras, lights)
    # Fused multiply-adds decide a few rays that graze an edge the other way.
    assert ((gpu.int() - cpu.int()).abs().amax(2) > 1).float().mean() < 2e-3


def test_right_of_the_image_is_x_when_seen_from_the_front() -> None:
    builder = Builder()
    builder.box((0, 0, 0), (1, 0.2, 0.2), (0.5, 0.5, 0.5))
    builder.box((0.4, 0.2, 0), (0.2, 0.3, 0.2), (1.0, 0.0, 0.0))
    image = render([builder.shape("test", 0)], [[Camera(0.0, 10.0, 0.7)]], [Light((0, 1, 1), 0.6, 0.3, 0.1, 0.0)])[0, 0]
    red = (image[0].int() - image[1].int()) > 60
    rows, columns = torch.nonzero(red, as_tuple=True)
    assert columns.float().mean() > 80  # right
    grey = (image[0] < 250) & ~red
    assert rows.float().mean() < torch.nonzero(grey)[:, 0].float().mean()  # above


def test_the_background_is_white_and_the_light_lights() -> None:
    shape, camera = make_object(3, "cabinet"), Camera(30.0, 27.0, 0.8)
    dim = render([shape], [[camera]], [Light((0, 1, 0), 0.3, 0.0, 0.0, 0.0)])[0, 0]
    bright = render([shape], [[camera]], [Light((0, 1, 0), 0.3, 0.6, 0.2, 0.0)])[0, 0]
    assert (dim[:, 0, 0] == 255).all()
    seen = cast([shape], [[camera]]).part[0] >= 0
    assert dim[:, seen].float().mean() < 0.8 * bright[:, seen].float().mean()
    far = torch.nn.functional.max_pool2d(seen.float()[None], 5, 1, 2)[0] == 0
    assert (bright[:, far] == 255).all()


def test_a_flat_face_has_one_colour_and_its_edges_are_soft() -> None:
    builder = Builder()
    builder.box((0, 0, 0), (1, 1, 1), GREY)
    image = render([builder.shape("test", 0)], [[Camera(0.0, 0.0, 0.9)]], [Light((0, 0, 1), 1.0, 0.0, 0.0, 0.0)])[0, 0]
    ambient = 0.85  # of a wall that faces the horizon
    assert image[:, 64, 64].tolist() == [math.floor(ambient * c * 255 + 0.5) for c in GREY]
    values = image[0, 64].unique()
    assert 3 <= len(values) <= 6


def test_wrong_lengths_are_refused() -> None:
    shape, camera, light = make_object(0), Camera(0.0, 27.0, 0.8), sample_light(Random(0))
    with pytest.raises(ValueError, match="lights: expected one for each of the 1 shapes, got 2"):
        render([shape], [[camera]], [light, light])
    with pytest.raises(ValueError, match="cameras: expected a list for each of the 1 shapes, got 0"):
        render([shape], [], [light])
    with pytest.raises(ValueError, match="cameras: expected the same number"):
        render([shape, shape], [[camera], []], [light, light])


def test_no_shapes_give_no_views() -> None:
    assert render([], [], []).shape == (0, 0, 3, 128, 128)
    assert render([make_object(0)], [[]], [sample_light(Random(0))]).shape == (1, 0, 3, 128, 128)


def test_a_camera_inside_the_object_does_not_crash() -> None:
    image = render([make_object(2, "cabinet")], [[Camera(20.0, 10.0, 0.01)]], [sample_light(Random(0))], 32)
    assert image.shape == (1, 1, 3, 32, 32)


def test_kinds_cover_what_is_solved() -> None:
    assert {int(kind) for kind in one_of_each().kind} == {int(kind) for kind in Kind}


@pytest.mark.parametrize("category", CATEGORIES)
def test_views_and_voxels_agree(category: str) -> None:
    size = 96
    for seed in (1, 2):
        shape = make_object(seed, category)
        grid = occupancy(shape)
        cameras = sample_cameras(Random(seed), 3)
        seen = cast([shape], [cameras], size).part >= 0
        voxels = voxel_shape(grid)
        moved = [Camera(c.azimuth, c.elevation, c.distance_ratio * shape.diagonal / voxels.diagonal) for c in cameras]
        drawn = cast([voxels], [moved], size).part >= 0
        # Voxels stick out by at most a cell's diagonal, and thin parts by about a cell: 6 pixels at this distance.
        grown = torch.nn.functional.max_pool2d(seen.float()[:, None], 13, 1, 6)[:, 0] > 0
        assert (drawn & ~grown).sum() == 0
        covered = torch.nn.functional.max_pool2d(drawn.float()[:, None], 13, 1, 6)[:, 0] > 0
        assert (seen & ~covered).float().sum() <= 0.002 * seen.float().sum()
        # Centres of cells inside the solid project onto the object itself.
        frames = camera_frames(cameras, torch.full((3,), shape.diagonal, dtype=torch.float64))
        centres = torch.from_numpy((np.argwhere(grid) + 0.5) / 32 - 0.5)
        for view in range(3):
            offset = centres - frames.origin[view]
            depth = offset @ frames.forward[view]
            columns = ((offset @ frames.right[view] / depth / (16 / 35) + 1) * size / 2 - 0.5).round().long()
            rows = ((1 - offset @ frames.up[view] / depth / (16 / 35)) * size / 2 - 0.5).round().long()
            close = torch.nn.functional.max_pool2d(seen[view].float()[None], 5, 1, 2)[0] > 0
            assert close[rows, columns].float().mean() > 0.97


@pytest.mark.parametrize("category", CATEGORIES)
def test_both_renderers_and_both_voxelisers_agree(category: str) -> None:
    pytest.importorskip("embreex")
    agreement = []
    for seed in range(5):
        shape, cameras, light = make_object(seed, category), sample_cameras(Random(seed), 2), sample_light(Random(seed))
        mesh = tessellated(shape)
        ours, theirs = occupancy(shape), meshes.occupancy(mesh)
        agreement.append((ours & theirs).sum() / (ours | theirs).sum())
        views = render([shape], [cameras], [light])[0].float()
        twin = torch.as_tensor(meshes.render(mesh, cameras, light)).float()
        # Edges are softened in different ways; faces have one colour.
        assert (views - twin).abs().mean() < 4.0
        assert ((views - twin).abs().amax(1) > 64).float().mean() < 0.02
    # Rules for thin parts differ in which of two neighbouring layers they take.
    assert np.median(agreement) > (0.85 if category == "watercraft" else 0.93)
