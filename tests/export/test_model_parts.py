"""Exported parts: equal to the models in onnxruntime and as torch.export programs, and of standard operators alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from jc3d import infer
from jc3d.codec import Codes
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.errors import MissingExtraError
from jc3d.export.model_parts import FORMAT, OPSET, SUFFIXES, export_part, metadata, parts_of
from jc3d.io.atomic import atomic_write
from jc3d.models import R2N2, Implicit, ImplicitConfig, R2N2Config, ReceiverState, create, load
from jc3d.models.registry import build

onnx = pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
pytest.importorskip("onnxscript", reason="the extra 'onnx' is not installed")

PARTS = ("encoder", "step", "decoder")
PACKAGED = ("implicit-384", "r2n2-small")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "export.md"

# The paper's architecture (max-pooling, a matrix into the gates, 4³ units) with few channels.
NARROW = {
    "encoder_channels": (8, 8, 8, 8, 8, 8),
    "hidden_channels": 8,
    "up_channels": (8, 8, 8),
    "head_channels": (8,),
}
CONFIGS = {
    "narrow-r2n2": R2N2Config(name="narrow-r2n2", code_size=30, **NARROW),  # type: ignore[arg-type]
    # No multiple of eight: the last byte has bits that are not used.
    "narrow-implicit": ImplicitConfig(name="narrow-implicit", code_size=30, **NARROW),  # type: ignore[arg-type]
}
MODELS = (*PACKAGED, *CONFIGS)
PROGRAMS = ("implicit-384", *CONFIGS)  # whose .pt2 files are tested


@pytest.fixture(scope="module")
def models() -> dict[str, R2N2]:
    torch.manual_seed(0)
    narrow = {name: build(config).freeze() for name, config in CONFIGS.items()}
    return {name: load(name) for name in PACKAGED} | narrow


@pytest.fixture(scope="module")
def exported(models: dict[str, R2N2], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The path of a part of a model, written at the first call; as ONNX, or with another suffix."""
    folder = tmp_path_factory.mktemp("exported")

    def path(name: str, part: str, suffix: str = ".onnx") -> Path:
        file = folder / f"{name}-{part}{suffix}"
        if not file.exists():
            export_part(file, models[name], part)
        return file

    return path


@pytest.fixture(scope="module")
def views() -> Tensor:
    """(20, 3, 128, 128): four objects that no packaged model was trained on."""
    source = ProceduralSource("test")
    return torch.cat([source.get(index, 0, 5).views for index in range(4)]).float() / 255


def codes_of(model: R2N2, views: Tensor) -> Tensor:
    return model.compress(views)[:, 0] if isinstance(model, Implicit) else model.encode(views)


def start(model: R2N2, rows: int) -> dict[str, Tensor]:
    """The state before the first view."""
    values = {"h": 0.0, "c": 0.0, "skip_features": -torch.inf}
    inputs = parts_of(model)["step"].inputs
    return {name: torch.full((rows, *inputs[name].shape[1:]), values[name]) for name in inputs if name in values}


def check_stream(model: R2N2, codes: Tensor, step: Callable[..., Any], decoder: Callable[..., Any]) -> None:
    """Feeds codes (B, V, ...) view by view to exported parts and to the model."""
    binary = isinstance(model, Implicit)
    signs = model.config.code_size
    state, expected = start(model, len(codes)), None
    for code in codes.unbind(1):
        state = dict(zip(state, step(codes=code, **state), strict=True))
        numbers = torch.from_numpy(np.unpackbits(code.numpy(), axis=1)[:, :signs]).float() * 2 - 1 if binary else code
        expected = model.step(numbers, expected)
        for name, tensor in state.items():
            # Details are read bilinearly where the pose puts them: 8e-5 apart was seen.
            tolerance = 1e-3 if name == "skip_features" else 1e-4
            torch.testing.assert_close(tensor, getattr(expected, name), rtol=0, atol=tolerance)
        (grid,) = decoder(**{name: state[name] for name in parts_of(model)["decoder"].inputs})
        torch.testing.assert_close(grid, model.occupancy(expected), rtol=0, atol=1e-5)
    assert isinstance(expected, ReceiverState)


def in_onnxruntime(path: Path) -> Callable[..., list[Tensor]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def call(**inputs: Tensor) -> list[Tensor]:
        return [torch.from_numpy(x) for x in session.run(None, {name: x.numpy() for name, x in inputs.items()})]

    return call


def encoder_in_onnxruntime(path: Path) -> Callable[[Tensor], Tensor]:
    call = in_onnxruntime(path)
    return lambda views: call(views=views)[0]


encoder_in: dict[str, Callable[[Path], Callable[[Tensor], Tensor]]] = {
    ".onnx": encoder_in_onnxruntime,
    ".pt2": lambda path: torch.export.load(path).module(),
}


# The files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", MODELS)
def test_onnx_files_are_of_the_standard_domain_and_say_what_they_are(
    models: dict[str, R2N2], exported: Callable[..., Path], name: str, part: str
) -> None:
    proto, names = onnx.load(exported(name, part)), parts_of(models[name])[part]
    onnx.checker.check_model(proto, full_check=True)
    assert [(item.domain, item.version) for item in proto.opset_import] == [("", OPSET)]
    assert {node.domain for node in proto.graph.node} <= {"", "ai.onnx"}
    assert not proto.functions
    assert {item.key: item.value for item in proto.metadata_props} == metadata(models[name], part)
    assert [value.name for value in proto.graph.input] == list(names.inputs)
    assert [value.name for value in proto.graph.output] == list(names.outputs)
    for value in (*proto.graph.input, *proto.graph.output):
        first, *others = value.type.tensor_type.shape.dim
        assert first.dim_param == "N"
        assert all(dim.dim_value for dim in others)
    assert b"stack_trace" not in exported(name, part).read_bytes()


def test_metadata(models: dict[str, R2N2]) -> None:
    model = models["narrow-implicit"]
    facts = metadata(model, "encoder")
    assert bytes.fromhex(facts.pop("jc3d.fingerprint")) == model.fingerprint
    assert facts == {
        "jc3d.format": str(FORMAT),
        "jc3d.part": "encoder",
        "jc3d.model": "narrow-implicit",
        "jc3d.code_kind": "bits",
        "jc3d.code_size": "30",
        "jc3d.code_bits": "30",
        "jc3d.image_size": "128",
        "jc3d.wire_format": "1",
    }
    assert metadata(models["narrow-r2n2"], "step")["jc3d.code_bits"] == "960"
    assert metadata(models["narrow-r2n2"], "step")["jc3d.code_kind"] == "float32"


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_torch_programs_are_of_torchs_operators_and_say_what_they_are(
    models: dict[str, R2N2], exported: Callable[..., Path], name: str, part: str
) -> None:
    extra = {"jc3d.json": ""}
    graph = torch.export.load(exported(name, part, ".pt2"), extra_files=extra).graph
    assert json.loads(extra["jc3d.json"]) == metadata(models[name], part)
    assert not [node for node in graph.nodes if "jc3d" in str(node.target) or "stack_trace" in node.meta]


def test_a_torch_program_runs_without_jc3d(models: dict[str, R2N2], views: Tensor, tmp_path: Path) -> None:
    export_part(tmp_path / "encoder.pt2", models["narrow-implicit"], "encoder")
    torch.save(views[:2], tmp_path / "views.pt")
    code = """
import sys, torch
encode = torch.export.load("encoder.pt2").module()
print(encode(torch.load("views.pt")).tolist(), "jc3d" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    codes, loaded = done.stdout.rsplit(" ", 1)
    assert np.array(json.loads(codes)).shape == (2, 4)
    assert loaded.strip() == "False"


# The encoder ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", ["implicit-384", "narrow-implicit"])
def test_packed_codes_are_those_of_the_model_but_for_rounding(
    models: dict[str, R2N2], exported: Callable[..., Path], views: Tensor, name: str, rows: int, suffix: str
) -> None:
    model, encode = models[name], encoder_in[suffix](exported(name, "encoder", suffix))
    assert isinstance(model, Implicit)
    packed = torch.cat([encode(part) for part in views.split(rows)])
    expected = model.compress(views)[:, 0]
    assert packed.shape == expected.shape
    assert packed.dtype == torch.uint8
    flipped = np.unpackbits((packed ^ expected).numpy(), axis=1)
    x = model.pre_activations(views).numpy()
    assert flipped[:, model.config.code_size :].sum() == 0
    flipped = flipped[:, : model.config.code_size].astype(bool)
    assert flipped.mean() < 1e-3
    assert (np.abs(x[flipped]) < 1e-5 * np.abs(x).max()).all()
    assert not (expected == expected[:1]).all()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", ["r2n2-small", "narrow-r2n2"])
def test_float_codes_are_those_of_the_model(
    models: dict[str, R2N2], exported: Callable[..., Path], views: Tensor, name: str, rows: int, suffix: str
) -> None:
    encode = encoder_in[suffix](exported(name, "encoder", suffix))
    codes = torch.cat([encode(part) for part in views.split(rows)])
    torch.testing.assert_close(codes, models[name].encode(views), rtol=0, atol=1e-4)


def test_a_pre_activation_of_zero_is_bit_1(tmp_path: Path) -> None:
    model = build(CONFIGS["narrow-implicit"])
    last = model.encoder.layers[-1].conv
    with torch.no_grad():
        last.weight.zero_()
        last.bias.zero_()
        last.bias[1] = -1.0  # the second of the channels of 2×2
    export_part(tmp_path / "encoder.onnx", model, "encoder")
    (codes,) = in_onnxruntime(tmp_path / "encoder.onnx")(views=torch.zeros(1, 3, 128, 128))
    assert codes.tolist() == [[0b11110000, 0b11111111, 0b11111111, 0b11111100]]


# The receiver --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_stream_in_onnxruntime(
    models: dict[str, R2N2], exported: Callable[..., Path], views: Tensor, name: str
) -> None:
    step, decoder = (in_onnxruntime(exported(name, part)) for part in ("step", "decoder"))
    codes = codes_of(models[name], views)
    check_stream(models[name], codes[:3].unsqueeze(0), step, decoder)
    check_stream(models[name], codes.unflatten(0, (4, 5))[:3, :2], step, decoder)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_stream_in_torch_programs(
    models: dict[str, R2N2], exported: Callable[..., Path], views: Tensor, name: str
) -> None:
    step, decoder = (torch.export.load(exported(name, part, ".pt2")).module() for part in ("step", "decoder"))

    def take(**inputs: Tensor) -> tuple[Tensor, ...]:
        state: tuple[Tensor, ...] = step(*inputs.values())
        return state

    def decode(**state: Tensor) -> tuple[Tensor]:
        return (decoder(*state.values()),)

    codes = codes_of(models[name], views)
    check_stream(models[name], codes[:3].unsqueeze(0), take, decode)
    check_stream(models[name], codes.unflatten(0, (4, 5))[:3, :2], take, decode)


# The page ------------------------------------------------------------------------------------------------------------


def snippet(name: str) -> dict[str, Any]:
    """What the page's code after ``<!-- name -->`` defines."""
    code = PAGE.read_text().split(f"<!-- {name} -->\n```python\n")[1].split("```")[0]
    defined: dict[str, Any] = {}
    exec(compile(code, f"{PAGE} {name}", "exec"), defined)
    return defined


@pytest.mark.parametrize("name", PACKAGED)
def test_the_camera_of_the_page_writes_what_jc3d_reads(
    models: dict[str, R2N2], exported: Callable[..., Path], views: Tensor, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "object.jc3d"
    snippet("camera")["write_jc3d"](path, exported(name, "encoder"), views[:5].numpy())
    codes, ours = Codes.load(path), infer.encode(views[:5], model=name)
    assert codes.num_bytes == ours.num_bytes
    assert codes.fingerprint == ours.fingerprint
    difference = (codes.to_tensor() - ours.to_tensor()).abs()
    assert (difference > 1e-4).float().mean() < 1e-3
    torch.testing.assert_close(infer.reconstruct(path), infer.reconstruct(ours), rtol=0, atol=1e-2)


@pytest.mark.parametrize("name", ["implicit-384", "narrow-r2n2"])
def test_the_receiver_of_the_page_reconstructs(
    models: dict[str, R2N2], exported: Callable[..., Path], views: Tensor, name: str
) -> None:
    model = models[name]
    codes = codes_of(model, views[:5])
    grid = snippet("receiver")["occupancy_of"](codes.numpy(), exported(name, "step"), exported(name, "decoder"))
    numbers = model.encode(views[:5])[None]
    torch.testing.assert_close(torch.from_numpy(grid), model.reconstruct(numbers)[0], rtol=0, atol=1e-5)


def test_the_page_states_the_opset() -> None:
    assert f"opset {OPSET}" in PAGE.read_text()


# Bad input -----------------------------------------------------------------------------------------------------------


def test_bad_arguments(models: dict[str, R2N2], tmp_path: Path) -> None:
    model = models["narrow-r2n2"]
    with pytest.raises(ValueError, match=r"expected a name ending in .onnx or .pt2, got '.txt'"):
        export_part(tmp_path / "a.txt", model, "encoder")
    with pytest.raises(ValueError, match="part: expected one of encoder, step, decoder, got 'all'"):
        export_part(tmp_path / "a.pt2", model, "all")
    with pytest.raises(ValueError, match="model: expected one that can be exported in parts, got rnn-small"):
        export_part(tmp_path / "a.pt2", create("rnn-small"), "encoder")
    with pytest.raises(FileNotFoundError):
        export_part(tmp_path / "none" / "a.pt2", model, "encoder")
    assert not list(tmp_path.iterdir())


def test_onnx_needs_its_extra_and_torch_programs_do_not(
    models: dict[str, R2N2], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'jc3d\[onnx\]'"):
        export_part(tmp_path / "a.onnx", models["narrow-r2n2"], "decoder")
    export_part(tmp_path / "a.pt2", models["narrow-r2n2"], "decoder")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt2"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failed_write_leaves_what_was_there(
    models: dict[str, R2N2], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    with atomic_write(path) as file:
        file.write(b"before")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("jc3d.io.atomic.os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        export_part(path, models["narrow-r2n2"], "decoder")
    assert path.read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 1
