"""The poses of samples, by geometry: what a view shows as background is carved away, and the object stays."""

from pathlib import Path

import numpy as np
import pytest
import torch
from r2n2_writer import write_object

from jc3d.data.procedural import make_object
from jc3d.data.samples import ObjectSample, Source
from jc3d.data.sources.meshes import MeshSource
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.data.sources.r2n2 import R2N2Source
from jc3d.geometry.cameras import DISTANCE_UNIT, Camera
from jc3d.geometry.quarter_turns import quarter_turns
from jc3d.nn.unprojection import Unproject

OBJECTS, VIEWS = 5, 4


def r2n2_folder(root: Path) -> R2N2Source:
    """Procedural objects in the published layout; all of a category's first objects train."""
    made = ProceduralSource("val")
    for index in range(OBJECTS + 2):
        sample, shape = made.get(index, 0, VIEWS + 2), make_object(made.seeds[index])
        cameras = [Camera(a % 360, e, d / (DISTANCE_UNIT * shape.diagonal)) for a, e, d in sample.poses.tolist()]
        write_object(root, "03001627", f"{index:02d}", sample.views.numpy(), cameras, sample.grid.numpy())
    (root / "ShapeNetRendering" / "03001627" / "00" / "rendering" / "rendering_metadata.txt").unlink()
    return R2N2Source(root, "train")


def mesh_folder(root: Path) -> MeshSource:
    trimesh = pytest.importorskip("trimesh", reason="the extra 'mesh' is not installed")
    pytest.importorskip("embreex", reason="the extra 'mesh' is not installed")
    for index in range(OBJECTS):
        seat = trimesh.creation.box((1, 0.2, 0.5 + 0.1 * index))
        back = trimesh.creation.box((1, 1, 0.1)).apply_translation((0, 0.5, -0.2))
        (seat + back).export(root / f"{index}.ply")
    return MeshSource(root, "train")


@pytest.fixture(params=["procedural", "r2n2", "meshes"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    if request.param == "procedural":
        return ProceduralSource("train")
    return {"r2n2": r2n2_folder, "meshes": mesh_folder}[request.param](tmp_path)


def carve(sample: ObjectSample) -> tuple[float, float]:
    """The shares of the occupied and of the empty cells that some view shows as background."""
    background = (sample.views == 255).all(dim=1, keepdim=True).float()
    carved = (Unproject(32)(background, sample.poses)[:, 0] > 0.75).any(dim=0)
    return carved[sample.grid].float().mean().item(), carved[~sample.grid].float().mean().item()


def as_it_is(sample: ObjectSample) -> ObjectSample:
    return sample


def mirrored(sample: ObjectSample) -> ObjectSample:
    poses = sample.poses * torch.tensor([-1.0, 1.0, 1.0])
    return sample._replace(views=sample.views.flip(-1), grid=sample.grid.flip(0), poses=poses)


def turned(sample: ObjectSample) -> ObjectSample:
    poses = sample.poses + torch.tensor([90.0, 0.0, 0.0])
    return sample._replace(grid=quarter_turns(sample.grid)[1], poses=poses)


def test_poses_place_the_views_about_the_grid(source: Source) -> None:
    samples = [source.get(index, index, VIEWS) for index in range(OBJECTS)]
    known = [sample for sample in samples if sample.poses.isfinite().all()]
    assert len(known) >= OBJECTS - 1
    for change in (as_it_is, mirrored, turned):
        shares = np.array([carve(change(sample)) for sample in known])
        assert shares[:, 0].max() < 0.1, change  # thin parts stand half over the edge of what is seen
        assert shares[:, 0].mean() < 0.03, change
        assert shares[:, 1].mean() > 0.4, change
    # The same views placed wrongly carve the object itself: the test can fail.
    wrong = np.array([carve(s._replace(poses=s.poses + torch.tensor([90.0, 0.0, 0.0]))) for s in known])
    assert wrong[:, 0].mean() > 0.03


def test_poses_that_a_folder_does_not_tell_are_nan(tmp_path: Path) -> None:
    sample = r2n2_folder(tmp_path).get(0, 0, 2)
    assert sample.poses.shape == (2, 3)
    assert sample.poses.isnan().all()
