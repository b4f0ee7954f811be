"""The folder layout of 3D-R2N2: read as it was written, and every damage named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from r2n2_writer import CHAIR, object_of, write_folder, write_object

from jc3d.data.categories import SYNSETS
from jc3d.data.r2n2_folder import ObjectKey, R2N2Folder
from jc3d.errors import ImageError
from jc3d.geometry.cameras import Camera
from jc3d.io.binvox import encode_binvox


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path)


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
    (voxels / "chair05/model.binvox").write_bytes(encode_binvox(np.ones((16, 16, 16), dtype=bool)))
    (voxels / "extra").mkdir()
    (renderings / "chair06/rendering/rendering_metadata.txt").write_text("1 2 3 4 5\n")
    seen = []
    problems = "\n".join(R2N2Folder(folder).check(progress=seen.append))
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


def test_check_decodes_images_where_asked(folder: Path):
    path = folder / f"ShapeNetRendering/{CHAIR}/chair00/rendering/01.png"
    path.write_bytes(path.read_bytes()[:100])
    opened = R2N2Folder(folder)
    assert not any("chair00" in problem for problem in opened.check())
    (found,) = (problem for problem in opened.check(decode=True) if "chair00" in problem)
    assert found.startswith(f"{path}: expected ")


def test_listing_cannot_leave_the_folder(folder: Path):
    (folder / f"ShapeNetRendering/{CHAIR}/chair00/rendering/renderings.txt").write_text("../../secret.png\n")
    with pytest.raises(ValueError, match="expected file names without folders"):
        R2N2Folder(folder).view_paths(ObjectKey(CHAIR, "chair00"))


def test_folder_without_renderings_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="got no ShapeNetRendering"):
        R2N2Folder(tmp_path)
