"""The command line: what it writes, what it says, and one line with exit code 2 for bad input."""

from __future__ import annotations

import dataclasses
import errno
import inspect
import json
import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import jc3d.cli
import jc3d.io.atomic
from jc3d import infer
from jc3d.cli import main
from jc3d.codec import Codes
from jc3d.models import create, load, save_weights

pytestmark = pytest.mark.usefixtures("weights")


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    """Three image files of different kinds and sizes."""
    generator = np.random.default_rng(0)
    modes = {"a.png": ("RGB", (128, 128)), "b.jpg": ("L", (127, 137)), "c.png": ("RGBA", (200, 100))}
    for name, (mode, size) in modes.items():
        pixels = Image.fromarray(generator.integers(0, 256, (6, 6, 4), np.uint8), "RGBA").resize(size)
        pixels.convert(mode).save(tmp_path / name)
    return [str(tmp_path / name) for name in modes]


@pytest.fixture
def codes_file(tmp_path: Path, images: list[str]) -> Path:
    path = tmp_path / "object.jc3d"
    infer.encode(images, model="toy").save(path)
    return path


def clear_caches() -> None:
    """After the folder of weights has changed."""
    import_module("jc3d.models.packaged")._names_by_fingerprint.cache_clear()
    jc3d.infer.packaged._packaged_codec.cache_clear()


def fails(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Runs a command that must fail as bad input does; returns its one line."""
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("jc3d: ")
    return lines[0]


# Commands ------------------------------------------------------------------------------------------------------------


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    commands = ("encode", "reconstruct", "decode", "info", "demo", "models", "export", "train", "evaluate")
    for command in (*commands, "prerender", "data"):
        assert f" {command} " in shown
    assert main([]) == 0
    assert "Usage: jc3d" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from jc3d._version import __version__

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jc3d {__version__}\n"


def test_help_does_not_load_torch() -> None:
    code = "import sys; from jc3d.cli import main; main(['--help']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_encode_info_reconstruct(images: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "object.jc3d"
    assert main(["encode", *images, "-o", str(path), "--model", "toy"]) == 0
    assert "3 views" in capsys.readouterr().out
    assert Codes.load(path) == infer.encode(images, model="toy")

    assert main(["info", str(path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    codes = Codes.load(path)
    for fact in (
        "model toy",
        f"fingerprint {codes.fingerprint.hex()}",
        "views 3",
        "iterations 1",
        "820 bits a view",
        "128 x 128",
        "payload 309 bytes (103 a view)",
        "file 341 bytes",
        f"{codes.ratio_payload:.1f}:1 by payload, {codes.ratio_file:.1f}:1 by file",
    ):
        assert fact in shown

    grid = tmp_path / "grid.npz"
    voxels = tmp_path / "grid.binvox"
    assert main(["reconstruct", str(path), "-o", str(grid), "-o", str(voxels), "--threshold", "0.3"]) == 0
    assert "3 views reconstructed" in capsys.readouterr().out
    assert np.array_equal(np.load(grid)["occupancy"], infer.reconstruct(path).numpy())
    assert voxels.read_bytes().startswith(b"#binvox")


def test_encode_to_a_rate_and_decode(
    images: list[str], weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_weights(weights / "joint.safetensors", create("direct", seed=1), {"val_miou": 0.5})
    clear_caches()
    out = str(tmp_path / "o.jc3d")
    assert main(["encode", *images, "-o", out, "--model", "joint", "--iterations", "2"]) == 0
    codes = Codes.load(out)
    assert (codes.num_views, codes.iterations) == (3, 2)
    assert main(["encode", *images, "-o", out, "--model", "joint", "--num-bytes", str(32 + 3 * 128 * 3 + 100)]) == 0
    codes = Codes.load(out)
    assert codes.iterations == 3
    capsys.readouterr()
    assert main(["decode", out, "-o", str(tmp_path / "views")]) == 0
    assert "3 views decoded" in capsys.readouterr().out
    decoded = infer.decode(codes)
    for index in range(3):
        pixels = np.asarray(Image.open(tmp_path / "views" / f"view-{index}.png"))
        assert np.array_equal(pixels, (decoded[index] * 255).round().byte().permute(1, 2, 0).numpy())
    assert main(["decode", out, "-o", str(tmp_path / "coarse"), "--iterations", "1"]) == 0
    first = np.asarray(Image.open(tmp_path / "coarse" / "view-0.png"))
    coarse = infer.decode(codes.truncate(1))
    assert np.array_equal(first, (coarse[0] * 255).round().byte().permute(1, 2, 0).numpy())
    assert main(["reconstruct", out, "-o", str(tmp_path / "grid.npz"), "--iterations", "1"]) == 0
    grid = np.load(tmp_path / "grid.npz")["occupancy"]
    np.testing.assert_allclose(grid, infer.reconstruct(codes.truncate(1)).numpy(), atol=1e-6)


def test_a_file_that_has_arrived_in_part(
    images: list[str], weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_weights(weights / "joint.safetensors", create("direct", seed=1), {"val_miou": 0.5})
    clear_caches()
    data = infer.encode(images, "joint").to_bytes()
    (tmp_path / "part.jc3d").write_bytes(data[: 28 + 2 * 3 * 128 + 5])
    line = fails(capsys, "decode", tmp_path / "part.jc3d", "-o", tmp_path / "views")
    assert "--partial takes what has arrived" in line
    assert not (tmp_path / "views").exists()
    assert main(["decode", str(tmp_path / "part.jc3d"), "-o", str(tmp_path / "views"), "--partial"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"3 views decoded of 2 of 8 iterations, {len(data) - 28 - 773} bytes are missing" in shown
    assert main(["reconstruct", str(tmp_path / "part.jc3d"), "-o", str(tmp_path / "g.npz"), "--partial"]) == 0
    (tmp_path / "part.jc3d").write_bytes(data[:300])
    assert "which hold one of 8 iterations" in fails(
        capsys, "decode", tmp_path / "part.jc3d", "-o", tmp_path / "views", "--partial"
    )


def test_decode_says_which_models_can(codes_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = fails(capsys, "decode", codes_file, "-o", tmp_path / "views")
    assert "expected those of a model that decodes images, got those of implicit-480" in line
    assert "iterations: expected 1 to 1, got 2" in fails(
        capsys, "decode", codes_file, "-o", tmp_path / "views", "--iterations", "2"
    )


def test_info_of_an_unknown_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jc3d"
    Codes.from_tensor(torch.randn(2, 16), fingerprint=bytes(8), binary=False).save(path)
    assert main(["info", str(path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "model unknown" in shown
    assert "512 bits = 16 float32 numbers" in shown


def test_models_lists_presets_and_packaged_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert rows["toy"][:2] == ["820", "480:1"]
    assert rows["toy"][-1] == "0.123"
    assert "MB" in rows["toy"]
    assert rows["implicit-384"][:2] == ["1024", "384:1"]
    assert "MB" not in rows["implicit-384"]
    assert rows["r2n2-paper"][:2] == ["32768", "12:1"]


def test_demo_of_the_carried_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    assert main(["demo", "-o", str(out), "--model", "toy"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert {"codes.jc3d", "occupancy.npz"} <= {path.name for path in out.iterdir()}
    codes = Codes.load(out / "codes.jc3d")
    assert codes.num_views == 5
    assert np.array_equal(np.load(out / "occupancy.npz")["occupancy"], infer.reconstruct(codes).numpy())
    assert f"file {codes.num_bytes} bytes" in shown
    assert "object chair" in shown
    assert "with the best of four quarter turns" in shown
    for optional in ("mesh.obj", "mesh.glb", "reconstruction.png"):
        assert (out / optional).is_file() or f"not written: {optional}" in shown or "a mesh of" in shown


def test_demo_of_images(images: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    assert main(["demo", "-o", str(out), "--model", "toy", "--input", *images]) == 0
    assert Codes.load(out / "codes.jc3d") == infer.encode(images, model="toy")
    assert "the true shape is not known" in capsys.readouterr().out


def test_demo_of_several_meshes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trimesh = pytest.importorskip("trimesh", reason="the extra 'mesh' is not installed")
    pytest.importorskip("embreex", reason="the extra 'mesh' is not installed")
    for folder, name, sides in (
        ("one", "box.ply", (1, 2, 3)),
        ("two", "box.ply", (1, 1, 1)),
        ("two", "slab.obj", (4, 1, 4)),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        trimesh.creation.box(sides).export(tmp_path / folder / name)
    out = tmp_path / "demo"
    inputs = [str(tmp_path / "one" / "box.ply"), str(tmp_path / "two")]
    assert main(["demo", "-o", str(out), "--model", "toy", "--views", "2", "--input", *inputs]) == 0
    shown = capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["box", "box-2", "slab"]
    assert all(Codes.load(folder / "codes.jc3d").num_views == 2 for folder in out.iterdir())
    assert "mean" in shown


def test_export_writes_the_parts_that_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
    pytest.importorskip("onnxscript", reason="the extra 'onnx' is not installed")
    encoder, decoder = tmp_path / "encoder.onnx", tmp_path / "decoder.pt2"
    assert main(["export", "toy", "--encoder", str(encoder), "--decoder", str(decoder)]) == 0
    captured = capsys.readouterr()
    shown = " ".join(captured.out.split())
    for fact in (
        "encoder.onnx: the encoder of implicit-480",
        "ONNX, opset 18",
        "views float32 (N, 3, 128, 128)",
        "gives codes",
        f"size {encoder.stat().st_size} bytes",
        "decoder.pt2: the decoder of implicit-480",
        "torch.export",
        "h float32 (N, 32, 8, 8, 8), skip_features float32 (N, 32, 16, 16, 16)",
        f"fingerprint {load('toy').fingerprint.hex()}",
    ):
        assert fact in shown
    assert captured.err == ""
    assert {"jc3d.part": "encoder"}.items() <= {p.key: p.value for p in onnx.load(encoder).metadata_props}.items()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["decoder.pt2", "encoder.onnx"]


def test_train_has_an_option_for_every_field_of_its_config() -> None:
    pytest.importorskip("lightning", reason="the extra 'train' is not installed")
    from jc3d.train import TrainConfig

    options = inspect.signature(jc3d.cli.train).parameters
    assert list(options) == [field.name for field in dataclasses.fields(TrainConfig)]


def test_train_passes_what_is_given_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="the extra 'train' is not installed")
    import jc3d.train

    seen = []
    monkeypatch.setattr(jc3d.train, "train", lambda config: seen.append(config) or tmp_path)
    assert main(["train", "--preset", "r2n2-small", "--steps", "1000", "--data", "procedural@2", "--no-resume"]) == 0
    expected = jc3d.train.TrainConfig(
        preset="r2n2-small", out=Path("runs/r2n2-small"), steps=1000, data=("procedural@2",), resume=False
    )
    assert seen == [expected]


def test_evaluate_prints_and_writes_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    assert main(["evaluate", "--model", "toy", "--objects", "2", "--views", "1", "-o", str(report)]) == 0
    assert "all" in capsys.readouterr().out
    stored = json.loads(report.read_text())
    assert stored["objects"] == 2
    assert stored["protocol"]["views"] == [1]


def test_evaluate_takes_several_views_iterations_and_thresholds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    weights, report = tmp_path / "mine.safetensors", tmp_path / "report.json"
    save_weights(weights, create("direct"), {})
    several = {"--views": ("1", "2"), "--iterations": ("1", "2"), "--threshold": ("0.3", "0.4")}
    options = [word for name, values in several.items() for value in values for word in (name, value)]
    assert main(["evaluate", "--model", str(weights), "--objects", "1", *options, "-o", str(report)]) == 0
    shown = capsys.readouterr().out
    assert "2 decoded views" in shown
    assert "1 view, 2 iterations, τ = 0.3" in " ".join(shown.split())
    stored = json.loads(report.read_text())
    assert {name: stored["protocol"][name] for name in ("views", "iterations", "thresholds")} == {
        "views": [1, 2],
        "iterations": [1, 2],
        "thresholds": [0.3, 0.4],
    }
    assert len(stored["shapes"]) == 8
    assert len(stored["images"]) == 2


def test_evaluate_says_what_a_model_cannot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = fails(capsys, "evaluate", "--model", "toy", "--iterations", "2", "-o", tmp_path / "report.json")
    assert "iterations: expected 1 with implicit-480, which has one code a view, got 2" in message
    assert not (tmp_path / "report.json").exists()
    assert "views" in fails(capsys, "evaluate", "--model", "toy", "--views", "0")
    assert "views: expected a tuple of numbers, none twice" in fails(capsys, "evaluate", "--views", "1", "--views", "1")


def test_evaluate_has_an_option_for_every_field_of_its_protocol() -> None:
    from jc3d.evaluate import Protocol

    fields = {field.name for field in dataclasses.fields(Protocol)}
    assert set(inspect.signature(jc3d.cli.evaluate).parameters) == fields | {"model", "device", "output"}


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["unknown"], "No such command 'unknown'"),
        (["encode"], "Missing"),
        (["encode", "--nonsense"], "No such option"),
        (["info"], "Missing argument"),
        (["reconstruct", "a.jc3d", "-o", "a.npz", "--threshold", "2"], "threshold"),
        (["demo", "--views", "0"], "views"),
        (["demo", "--views", "many"], "--views"),
        (["train", "--precision", "8"], "precision"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in fails(capsys, *arguments)


def test_bad_images(images: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.jc3d"
    whole = Path(images[0]).read_bytes()
    contents = {"empty.png": b"", "text.png": b"hello\nworld\n", "cut.png": whole[: len(whole) // 2]}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for name in (*contents, "none.png"):
        assert name in fails(capsys, "encode", images[0], tmp_path / name, "-o", out, "--model", "toy")
        assert name in fails(capsys, "demo", "--input", tmp_path / name, "-o", tmp_path / "demo", "--model", "toy")
    assert "expected an image file" in fails(capsys, "encode", tmp_path, "-o", out, "--model", "toy")
    (tmp_path / "hollow").mkdir()
    assert "expected images or meshes" in fails(capsys, "demo", "-i", tmp_path / "hollow", "--model", "toy")
    assert not out.exists()


def test_a_huge_image_is_refused_before_it_is_decoded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huge.png")  # 400 megapixels in 50 kB
    line = fails(capsys, "encode", tmp_path / "huge.png", "-o", tmp_path / "a.jc3d", "--model", "toy")
    assert "huge.png: expected at most" in line


def test_a_broken_mesh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("trimesh", reason="the extra 'mesh' is not installed")
    (tmp_path / "broken.ply").write_bytes(b"ply\nnonsense")
    line = fails(capsys, "demo", "-i", tmp_path / "broken.ply", "-o", tmp_path / "demo", "--model", "toy")
    assert "broken.ply" in line


@pytest.mark.parametrize("command", ["info", "reconstruct"])
def test_bad_codes(command: str, codes_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = codes_file.read_bytes()
    flipped = bytearray(data)
    flipped[60] ^= 1
    out = tmp_path / "grid.npz"
    more = ["-o", out] if command == "reconstruct" else []
    cases = {
        b"": "magic",
        b"RIFF0000": "not a .jc3d file",
        data[:20]: "truncated",
        data[:-1]: "length",
        data + b"\0": "length",
        data[:24] + (2**31).to_bytes(4, "little") + data[28:]: "length",
        data[:4] + b"\2" + data[5:]: "version at byte 4: expected 1, got 2",
        bytes(flipped): "checksum",
    }
    for content, message in cases.items():
        path = tmp_path / "bad.jc3d"
        path.write_bytes(content)
        line = fails(capsys, command, path, *more)
        assert "bad.jc3d: " in line
        assert message in line
    assert "No such file" in fails(capsys, command, tmp_path / "none.jc3d", *more)
    assert "directory" in fails(capsys, command, tmp_path, *more)
    assert not out.exists()


def test_codes_of_another_model(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, own = tmp_path / "a.jc3d", tmp_path / "mine.safetensors"
    save_weights(own, create("implicit-384", seed=3), {})
    infer.encode(torch.rand(1, 3, 128, 128), model=own).save(path)
    fingerprint = Codes.load(path).fingerprint.hex()
    out = tmp_path / "a.npz"
    assert fingerprint in fails(capsys, "reconstruct", path, "-o", out)
    wrong = fails(capsys, "reconstruct", path, "-o", out, "--weights", weights / "toy.safetensors")
    assert f"got fingerprint {fingerprint}" in wrong
    assert main(["reconstruct", str(path), "-o", str(out), "--weights", str(own)]) == 0


def test_bad_models_and_devices(
    images: list[str], weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.jc3d"
    assert "got 'none'" in fails(capsys, "encode", *images, "-o", out, "--model", "none")
    (tmp_path / "bad.safetensors").write_bytes(b"\0" * 100)
    assert "bad.safetensors" in fails(capsys, "encode", *images, "-o", out, "--model", tmp_path / "bad.safetensors")
    assert "no such file" in fails(capsys, "encode", *images, "-o", out, "--model", tmp_path / "none.safetensors")
    whole = (weights / "toy.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-100])
    assert "damaged" in fails(capsys, "encode", *images, "-o", out, "--model", tmp_path / "cut.safetensors")
    (tmp_path / "other.safetensors").write_bytes(whole.replace(b"[96]", b"[95]", 1).replace(b"[64]", b"[63]", 1))
    assert "other.safetensors" in fails(capsys, "encode", *images, "-o", out, "--model", tmp_path / "other.safetensors")
    assert "device: " in fails(capsys, "encode", *images, "-o", out, "--model", "toy", "--device", "abacus")
    assert not out.exists()


def test_unwritable_outputs(
    images: list[str], codes_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "no" / "such"
    before = sorted(tmp_path.rglob("*"))
    assert str(nowhere) in fails(capsys, "encode", *images, "-o", nowhere / "a.jc3d", "--model", "toy")
    assert str(nowhere) in fails(capsys, "reconstruct", codes_file, "-o", nowhere / "a.npz")
    assert "directory" in fails(capsys, "encode", *images, "-o", tmp_path, "--model", "toy")
    assert ".nonsense" in fails(capsys, "reconstruct", codes_file, "-o", tmp_path / "a.nonsense")
    assert "object.jc3d" in fails(capsys, "demo", "-o", codes_file, "--model", "toy")
    assert sorted(tmp_path.rglob("*")) == before


def test_bad_exports(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, nowhere = tmp_path / "a.pt2", tmp_path / "no" / "such" / "a.pt2"
    before = sorted(tmp_path.rglob("*"))
    assert "Missing argument" in fails(capsys, "export")
    assert "expected at least one of --encoder, --step and --decoder" in fails(capsys, "export", "toy")
    assert "a file of its own" in fails(capsys, "export", "toy", "--step", out, "--decoder", out)
    assert "got '.txt'" in fails(capsys, "export", "toy", "--encoder", out, "--step", tmp_path / "a.txt")
    assert "got 'none'" in fails(capsys, "export", "none", "--encoder", out)
    assert "no such file" in fails(capsys, "export", tmp_path / "none.safetensors", "--encoder", out)
    assert str(nowhere) in fails(capsys, "export", "toy", "--encoder", nowhere)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert "pip install 'jc3d[onnx]'" in fails(capsys, "export", "toy", "--encoder", tmp_path / "a.onnx")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_place_that_takes_no_file_is_one_clear_line(
    code: int,
    images: list[str],
    codes_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise OSError(code, os.strerror(code), str(path))

    # The tests may run as root, who may write anywhere.
    monkeypatch.setattr(jc3d.io.atomic, "open", refuse, raising=False)
    for command in (
        ("encode", *images, "-o", tmp_path / "a.jc3d", "--model", "toy"),
        ("reconstruct", codes_file, "-o", tmp_path / "a.npz"),
        ("demo", "-o", tmp_path / "demo", "--model", "toy", "--input", *images),
    ):
        assert os.strerror(code) in fails(capsys, *command)
    assert not (tmp_path / "a.jc3d").exists()
    assert not (tmp_path / "a.npz").exists()


def test_an_interrupted_write_leaves_no_file(
    images: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.rglob("*"))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jc3d.io.atomic.os, "replace", interrupt)
    assert main(["encode", *images, "-o", str(tmp_path / "a.jc3d"), "--model", "toy"]) == 130
    assert capsys.readouterr().err == "jc3d: interrupted\n"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_terminated_write_leaves_no_file(images: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(jc3d.io.atomic.os, "fsync", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as caught:
        main(["encode", *images, "-o", str(tmp_path / "a.jc3d"), "--model", "toy"])
    assert caught.value.code == 143
    assert sorted(tmp_path.rglob("*")) == before
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_missing_extra_names_the_command_that_installs_it(
    codes_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "trimesh", None)
    line = fails(capsys, "reconstruct", codes_file, "-o", tmp_path / "a.obj", "--threshold", "0")
    assert "pip install 'jc3d[mesh]'" in line


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        main(["info", str(tmp_path / "none.jc3d"), "--debug"])


def test_errors_that_are_not_about_the_input_are_not_hidden(codes_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Codes, "load", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["info", str(codes_file)])


# Across processes ----------------------------------------------------------------------------------------------------


def test_codes_are_the_same_bytes_in_every_process_and_for_any_number_of_threads(
    weights: Path, images: list[str], tmp_path: Path
) -> None:
    model = str(weights / "toy.safetensors")
    outputs = []
    for threads in ("1", "2", "2"):
        path = tmp_path / f"{len(outputs)}.jc3d"
        subprocess.run(
            [sys.executable, "-m", "jc3d", "encode", *images, "-o", str(path), "--model", model],
            env={**os.environ, "OMP_NUM_THREADS": threads},
            check=True,
            capture_output=True,
        )
        outputs.append(path.read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]
    assert Codes.from_bytes(outputs[0]) == infer.encode(images, model=model)


def test_bad_input_is_one_line_in_a_real_process(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "jc3d", "info", str(tmp_path / "none.jc3d")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert run.stderr == f"jc3d: {tmp_path / 'none.jc3d'}: No such file or directory\n"
    assert run.stdout == ""
