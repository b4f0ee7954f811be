"""Objects of a folder in the layout of 3D-R2N2, as samples."""

from pathlib import Path

import pytest
import torch
from r2n2_writer import object_of, write_folder

from jc3d.data.categories import SYNSETS
from jc3d.data.r2n2_folder import R2N2Folder
from jc3d.data.sources.r2n2 import R2N2Source
from jc3d.data.sources.spec import SourceSpec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path)


def test_sources_of_the_splits_are_disjoint_and_complete(folder: Path):
    keys = {split: R2N2Source(folder, split).keys for split in ("train", "val", "test")}
    together = sorted(key for part in keys.values() for key in part)
    assert together == sorted(R2N2Folder(folder).objects())
    assert [len(keys[split]) for split in ("train", "val", "test")] == [18, 2, 5]


def test_source_gives_samples_of_the_common_form(folder: Path):
    source = SourceSpec.parse(f"r2n2={folder}").open("test")
    assert len(source) == 5
    images, _, grid = object_of(16)
    sample = source.get(0, seed=1, views=3)
    assert sample.views.dtype == torch.uint8
    assert sample.views.shape == (3, 3, 128, 128)
    stored = [torch.from_numpy(image) for image in images]
    order = [next(i for i, image in enumerate(stored) if torch.equal(view, image)) for view in sample.views]
    assert sorted(order) == [0, 1, 2]  # each of them once
    assert torch.equal(sample.grid, torch.from_numpy(grid))
    assert int(sample.category) == list(SYNSETS).index("chair")
    assert not sample.ambiguous_front
    assert torch.equal(source.get(0, 1, 2).views, source.get(0, 1, 2).views)
    chosen = {source.get(0, seed, 1).views.numpy().tobytes() for seed in range(12)}
    assert len(chosen) > 1


@pytest.mark.parametrize("views", [0, 4])
def test_number_of_views_is_checked(folder: Path, views: int):
    with pytest.raises(ValueError, match=f"views: expected 1 to 3 .*, got {views}"):
        R2N2Source(folder, "test").get(0, 0, views)


def test_a_split_without_objects_is_refused(tmp_path: Path):
    (tmp_path / "ShapeNetRendering").mkdir()
    with pytest.raises(ValueError, match="r2n2: expected at least one train object"):
        R2N2Source(tmp_path, "train")
