from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from jc3d.data.camera_protocol import sample_cameras
from jc3d.data.categories import SYNSETS
from jc3d.data.counter_rng import Random
from jc3d.data.r2n2_folder import ObjectKey, R2N2Folder, write_object
from jc3d.data.sources.r2n2 import R2N2Source
from jc3d.data.sources.spec import SourceSpec
from jc3d.errors import ImageError
from jc3d.geometry.cameras import Camera
from jc3d.io.binvox import write_binvox

CHAIR, TABLE = SYNSETS["chair"], SYNSETS["table"]


def object_of(seed: int, views: int = 3):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (views, 3, 128, 128), dtype=np.uint8)
    return images, sample_cameras(Random(seed), views), rng.random((32, 32, 32)) < 0.2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(20):
        write_object(tmp_path, CHAIR, f"chair{number:02d}", *object_of(number))
    for number in range(5):
        write_object(tmp_path, TABLE, f"table{number}", *object_of(100 + number, views=4))
    return tmp_path


def test_written_objects_are_read_back_exactly(folder: Path):
    images, cameras, grid = object_of(7)
    key = ObjectKey(CHAIR, "chair07")
    opened = R2N2Folder(folder)
    assert np.array_equal(opened.views(key), images)
    assert np.array_equal(opened.views(key, [2, 0]), images[[2, 0]])
    assert np.array_equal(opened.grid(key), grid)
    for read, written in zip(opened.cameras(key), cameras, strict=True):
        assert (read.elevation, read.distance_ratio) == (written.elevation, written.distance_ratio)
        assert read.azimuth == pytest.approx(written.azimuth)


def test_names_are_those_of_the_published_archives(folder: Path):
    found = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and "chair03" in str(path)
    }
    rendering = f"ShapeNetRendering/{CHAIR}/chair03/rendering"
    names = {"00.png", "01.png", "02.png", "renderings.txt", "rendering_metadata.txt"}
    assert found == {f"{rendering}/{name}" for name in names} | {f"ShapeNetVox32/{CHAIR}/chair03/model.binvox"}
    assert (folder / rendering / "renderings.txt").read_text() == "00.png\n01.png\n02.png\n"


def test_metadata_azimuth_counts_from_x_to_z(tmp_path: Path):
    views, _, grid = object_of(0, views=2)
    write_object(tmp_path, CHAIR, "a", views, [Camera(90.0, 25.0, 0.7), Camera(0.0, 30.0, 0.9)], grid)
    text = (tmp_path / f"ShapeNetRendering/{CHAIR}/a/rendering/rendering_metadata.txt").read_text()
    rows = [[float(word) for word in line.split()] for line in text.splitlines()]
    assert rows == [[0.0, 25.0, 0.0, 0.7, 25.0], [90.0, 30.0, 0.0, 0.9, 25.0]]  # from +X, then from +Z


def test_split_is_the_first_four_fifths_of_each_category(folder: Path):
    opened = R2N2Folder(folder)
    train, test = opened.objects("train"), opened.objects("test")
    assert [key.object_id for key in train] == [f"chair{n:02d}" for n in range(16)] + [f"table{n}" for n in range(4)]
    assert [key.object_id for key in test] == [f"chair{n:02d}" for n in range(16, 20)] + ["table4"]
    assert len(opened.objects()) == 25


def test_sources_of_the_splits_are_disjoint_and_complete(folder: Path):
    keys = {split: R2N2Source(folder, split).keys for split in ("train", "val", "test")}
    together = sorted(key for part in keys.values() for key in part)
    assert together == sorted(R2N2Folder(folder).objects())
    assert [len(keys[split]) for split in ("train", "val", "test")] == [18, 2, 5]


def test_source_gives_samples_of_the_common_form(folder: Path):
    pytest.importorskip("jc3d.data.procedural", reason="the procedural generator is absent")
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


def test_categories_have_one_order():
    procedural = pytest.importorskip("jc3d.data.procedural", reason="the procedural generator is absent")
    assert tuple(SYNSETS) == tuple(procedural.CATEGORIES)


def test_published_images_with_alpha_are_read(folder: Path):
    path = folder / f"ShapeNetRendering/{CHAIR}/chair00/rendering/00.png"
    image = Image.new("RGBA", (137, 137), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (40, 40, 97, 97))
    image.save(path)
    view = R2N2Folder(folder).views(ObjectKey(CHAIR, "chair00"), [0])[0]
    assert view[:, 0, 0].tolist() == [255, 255, 255]
    assert view[:, 64, 64].tolist() == [200, 0, 0]


def test_whole_categories_pass_the_check(folder: Path):
    problems = R2N2Folder(folder).check()
    missing = [f"{synset} ({name}): no objects" for name, synset in SYNSETS.items() if name not in ("chair", "table")]
    assert problems == missing


def test_check_names_what_is_missing_or_damaged(folder: Path):
    renderings, voxels = folder / "ShapeNetRendering" / CHAIR, folder / "ShapeNetVox32" / CHAIR
    (renderings / "chair00/rendering/01.png").unlink()
    (renderings / "chair01/rendering/renderings.txt").unlink()
    (renderings / "chair02/rendering/rendering_metadata.txt").write_text("1 2 3\n")
    (voxels / "chair03/model.binvox").unlink()
    (voxels / "chair04/model.binvox").write_bytes(b"#binvox 1\n")
    write_binvox(voxels / "chair05/model.binvox", np.ones((16, 16, 16), dtype=bool))
    (voxels / "extra").mkdir()
    (renderings / "chair06/rendering/rendering_metadata.txt").write_text("1 2 3 4 5\n")
    seen = []
    problems = "\n".join(R2N2Folder(folder).check(seen.append))
    for part in (
        "chair00/rendering/01.png: missing",
        "chair01/rendering/renderings.txt: missing",
        "chair02/rendering/rendering_metadata.txt: expected five numbers a line, got [3]",
        "chair03/model.binvox: expected a .binvox file, got nothing there",
        "chair04/model.binvox: expected a header line",
        "chair05/model.binvox: expected 32^3 cells, got (16, 16, 16)",
        "chair06/rendering/rendering_metadata.txt: not one line an image",
        f"ShapeNetVox32/{CHAIR}/extra: no renderings of it",
    ):
        assert part in problems
    assert len(problems.splitlines()) == 8 + 11  # and the eleven categories that are not there
    assert seen == list(range(1, 26))


def test_damaged_view_raises(folder: Path):
    path = folder / f"ShapeNetRendering/{CHAIR}/chair00/rendering/00.png"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ImageError, match=r"00\.png: expected"):
        R2N2Folder(folder).views(ObjectKey(CHAIR, "chair00"))


def test_listing_cannot_leave_the_folder(folder: Path):
    (folder / f"ShapeNetRendering/{CHAIR}/chair00/rendering/renderings.txt").write_text("../../secret.png\n")
    with pytest.raises(ValueError, match="expected file names without folders"):
        R2N2Folder(folder).view_paths(ObjectKey(CHAIR, "chair00"))


def test_folder_without_renderings_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="got no ShapeNetRendering"):
        R2N2Folder(tmp_path)
    (tmp_path / "ShapeNetRendering").mkdir()
    with pytest.raises(ValueError, match="r2n2: expected at least one train object"):
        R2N2Source(tmp_path, "train")


@pytest.mark.parametrize("views", [0, 4])
def test_number_of_views_is_checked(folder: Path, views: int):
    with pytest.raises(ValueError, match=f"views: expected 1 to 3 .*, got {views}"):
        R2N2Source(folder, "test").get(0, 0, views)


def test_writer_checks_its_arguments(tmp_path: Path):
    views, cameras, grid = object_of(0)
    with pytest.raises(ValueError, match="views: expected"):
        write_object(tmp_path, CHAIR, "a", views.astype(np.float32), cameras, grid)
    with pytest.raises(ValueError, match="cameras: expected one for each of 3 views, got 2"):
        write_object(tmp_path, CHAIR, "a", views, cameras[:2], grid)
    with pytest.raises(ValueError, match=r"grid: expected \(32, 32, 32\)"):
        write_object(tmp_path, CHAIR, "a", views, cameras, grid[:16])
    for name in ("../a", "", "..", "a/b"):
        with pytest.raises(ValueError, match="object_id: expected a plain folder name"):
            write_object(tmp_path, CHAIR, name, views, cameras, grid)
    assert not any(tmp_path.iterdir())
