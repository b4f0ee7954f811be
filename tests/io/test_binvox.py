import io
from pathlib import Path

import numpy as np
import pytest

from jc3d.io.binvox import encode_binvox, read_binvox

HEADER = b"#binvox 1\ndim 2 2 2\ntranslate 0 0 0\nscale 1\ndata\n"


def grids():
    rng = np.random.default_rng(0)
    yield np.zeros((32, 32, 32), dtype=bool)
    yield np.ones((32, 32, 32), dtype=bool)
    yield rng.random((32, 32, 32)) < 0.5
    yield rng.random((32, 32, 32)) < 0.002  # runs longer than a byte counts
    yield rng.random((7, 7, 7)) < 0.3
    yield np.ones((1, 1, 1), dtype=bool)
    board = np.zeros(512, dtype=bool)
    board[255:510] = True  # runs of exactly 255
    yield board.reshape(8, 8, 8).transpose(0, 2, 1)


@pytest.mark.parametrize("grid", list(grids()))
def test_round_trip_is_exact(tmp_path: Path, grid):
    data = encode_binvox(grid, scale=0.1, translate=(1 / 3, -2e-17, 4.0))
    (tmp_path / "grid.binvox").write_bytes(data)
    back = read_binvox(tmp_path / "grid.binvox")
    assert np.array_equal(back.grid, grid)
    assert back.grid.dtype == np.bool_
    assert back.scale == 0.1
    assert back.translate == (1 / 3, -2e-17, 4.0)


def test_y_runs_fastest_then_z_then_x():
    grid = np.zeros((4, 4, 4), dtype=bool)
    grid[1, 2, 3] = True
    data = encode_binvox(grid)
    runs = np.frombuffer(data[data.index(b"data\n") + 5 :], dtype=np.uint8).reshape(-1, 2)
    before = (1 * 4 + 3) * 4 + 2  # (x·n + z)·n + y
    assert runs.tolist() == [[0, before], [1, 1], [0, 63 - before]]


def test_default_place_is_the_frame_of_the_project():
    back = read_binvox(encode_binvox(np.ones((2, 2, 2), dtype=bool)))
    assert back.translate == (-0.5, -0.5, -0.5)
    assert back.scale == 1.0


def test_agrees_with_trimesh_both_ways():
    trimesh = pytest.importorskip("trimesh", reason="extra `mesh` is not installed")
    from trimesh.exchange.binvox import export_binvox, load_binvox

    grid = np.random.default_rng(1).random((16, 16, 16)) < 0.3
    theirs = load_binvox(io.BytesIO(encode_binvox(grid)), axis_order="xzy")
    assert np.array_equal(np.asarray(theirs.matrix), grid)
    written = export_binvox(trimesh.voxel.VoxelGrid(grid), axis_order="xzy")
    assert np.array_equal(read_binvox(written).grid, grid)


def test_a_file_of_the_original_program_is_read():
    """Header lines in its order, with its integers."""
    grid = read_binvox(b"#binvox 1\ndim 2 2 2\ntranslate -0.5 0 1e-3\nscale 2\ndata\n\x00\x07\x01\x01").grid
    assert grid.sum() == 1
    assert grid[1, 1, 1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a file starting with"),
        (b"#binvox 2\n", "expected a file starting with"),
        (b"#binvox 1\ndim 2 2 2\n", "expected a header line"),
        (b"#binvox 1\ndata\n", "expected dim of at least 1, got none"),
        (b"#binvox 1\ndim 2 2 3\ndata\n", "expected 'dim n n n'"),
        (b"#binvox 1\ndim -2 -2 -2\ndata\n", "expected 'dim n n n'"),
        (b"#binvox 1\ndim 0 0 0\ndata\n", "expected dim of at least 1"),
        (b"#binvox 1\nscale nan\ndata\n", "expected a finite number, got b'nan'"),
        (b"#binvox 1\ntranslate 1 2 x\ndata\n", "expected a finite number, got b'x'"),
        (b"#binvox 1\n# no size\n\ndata\n", "expected dim of at least 1, got none"),
        (b"#binvox 1\nworld 1\ndata\n", "expected 'dim n n n'"),
        (b"#binvox 1\ndim " + b"9" * 500 + b"\n", "expected a header line"),
        (HEADER, "expected 2.3 = 8 cells, got 0"),
        (HEADER + b"\x01", "odd number of bytes"),
        (HEADER + b"\x01\x07", "expected 2.3 = 8 cells, got 7"),
        (HEADER + b"\x01\x09", "expected 2.3 = 8 cells, got 9"),
        (HEADER + b"\x02\x08", "expected cell values 0 and 1, got 2"),
        (HEADER.replace(b"2 2 2", b"999999999 999999999 999999999") + b"\x01\x08", "cells, got 8"),
    ],
)
def test_damage_is_named(data: bytes, message: str):
    with pytest.raises(ValueError, match=message):
        read_binvox(data)


def test_any_bytes_parse_or_raise_value_error():
    rng = np.random.default_rng(2)
    whole = encode_binvox(rng.random((8, 8, 8)) < 0.4)
    parsed = refused = 0
    for _ in range(1500):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(0, len(data))] = rng.integers(0, 256)
        if rng.random() < 0.3:
            data = data[: rng.integers(0, len(data))]
        try:
            assert read_binvox(bytes(data)).grid.dtype == np.bool_
            parsed += 1
        except ValueError:
            refused += 1
    assert parsed > 0
    assert refused > 0


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (np.zeros((2, 2, 3), dtype=bool), r"expected \(n, n, n\) bool, got \(2, 2, 3\)"),
        (np.zeros((2, 2, 2), dtype=np.float32), "bool, got .* float32"),
        (np.zeros((0, 0, 0), dtype=bool), "expected"),
    ],
)
def test_writer_refuses_other_grids(grid, message: str):
    with pytest.raises(ValueError, match=message):
        encode_binvox(grid)


def test_writer_refuses_nan_places():
    with pytest.raises(ValueError, match="expected finite numbers"):
        encode_binvox(np.ones((2, 2, 2), dtype=bool), scale=float("nan"))


def test_missing_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read_binvox(tmp_path / "none.binvox")
