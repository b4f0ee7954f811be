"""The procedural renderer and voxeliser against the mesh ones (embree) on the same objects, one thread each.

extra_info says how many views or objects a call makes: views a second are ``views`` over the time.
"""

import pytest
import torch
from shape_mesh import tessellated

from jc3d.data import meshes
from jc3d.data.camera_protocol import sample_cameras
from jc3d.data.counter_rng import Random
from jc3d.data.procedural import CATEGORIES, augment, make_object, occupancy, render
from jc3d.data.shading import sample_light

VIEWS = 8


@pytest.fixture(scope="module")
def scene():
    """Objects of every family, their meshes, cameras and lights."""
    pytest.importorskip("embreex")
    shapes = [make_object(seed, category) for seed, category in enumerate(CATEGORIES)]
    cameras = [sample_cameras(Random(index), VIEWS) for index in range(len(shapes))]
    lights = [sample_light(Random(index, 1)) for index in range(len(shapes))]
    return shapes, [tessellated(shape) for shape in shapes], cameras, lights


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def bench_render(measure, benchmark, device, scene, one_thread):
    shapes, _, cameras, lights = scene
    benchmark.group = f"render {device}"
    benchmark.extra_info["views"] = VIEWS * len(shapes)
    measure(lambda: render(shapes, cameras, lights, device=device))


def bench_render_embree(benchmark, scene, one_thread):
    _, twins, cameras, lights = scene
    benchmark.group = "render cpu"
    benchmark.extra_info["views"] = VIEWS * len(twins)
    benchmark(lambda: [meshes.render(*scene) for scene in zip(twins, cameras, lights, strict=True)])


def bench_occupancy(benchmark, scene, one_thread):
    shapes = scene[0]
    benchmark.group = "occupancy"
    benchmark.extra_info["objects"] = len(shapes)
    benchmark(lambda: [occupancy(shape) for shape in shapes])


def bench_occupancy_mesh(benchmark, scene, one_thread):
    twins = scene[1]
    benchmark.group = "occupancy"
    benchmark.extra_info["objects"] = len(twins)
    benchmark(lambda: [meshes.occupancy(mesh) for mesh in twins])


def bench_make_object(benchmark):
    benchmark.group = "make"
    benchmark.extra_info["objects"] = len(CATEGORIES)
    benchmark(lambda: [make_object(3, category) for category in CATEGORIES])


def bench_augment(benchmark):
    shapes = [make_object(3, category) for category in CATEGORIES]
    benchmark.group = "make"
    benchmark.extra_info["objects"] = len(CATEGORIES)
    benchmark(lambda: [augment(shape, Random(5)) for shape in shapes])
