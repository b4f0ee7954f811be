"""A family that jc3d does not know: config, network, capability, task and measure in this one file, from end to end.

It codes an image as the mean colour of each of its quarters, twelve bits an iteration.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jc3d import cli, infer
from jc3d.codec import Codes
from jc3d.data.samples import ObjectSample
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.errors import CodesError
from jc3d.evaluate import Protocol as EvaluationProtocol
from jc3d.evaluate import Report, evaluate, tables
from jc3d.evaluate.measures import registry as measures_registry
from jc3d.evaluate.rows import Value
from jc3d.infer import Codec
from jc3d.models import create, load, registry
from jc3d.models.capabilities import ExportPart, capability
from jc3d.models.model import CodeFormat, Model, ModelConfig, check_iterations
from jc3d.nn import Binarizer
from jc3d.ops import pack_bits, unpack_bits
from jc3d.train import TrainConfig, train
from jc3d.train.settings import TaskSettings, setting
from jc3d.train.tasks import registry as task_registry
from jc3d.train.tasks.task import Losses, ScoreRow, Task, images_of

SIDE = 2  # quarters along each side
BITS = 3 * SIDE * SIDE


@dataclass(frozen=True)
class QuartersConfig(ModelConfig):
    """Architecture: how many numbers a code becomes on its way to an image."""

    width: int = 8
    max_iterations: int = 2

    def code_format(self, size: tuple[int, int]) -> CodeFormat:
        return CodeFormat(BITS, binary=True)


@capability("names the colour of an image")
@runtime_checkable
class NamesColour(Protocol):
    """Codes to the channel that an image has most of."""

    def colour(self, packed: Tensor) -> list[str]: ...


class Painter(nn.Module):
    """The codes of an iteration to the colours of the quarters."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, codes: Tensor) -> Tensor:
        return torch.sigmoid(self.decoder(unpack_bits(codes, BITS))).view(-1, 3, SIDE, SIDE)


class Quarters(Model):
    """Mean colours to bits, bits to colours; the second iteration says the first's once more."""

    config: QuartersConfig
    task = "quarters"

    def __init__(self, config: QuartersConfig) -> None:
        super().__init__(config)
        self.encoder = nn.Linear(BITS, BITS)
        self.binarizer = Binarizer()
        self.decoder = nn.Sequential(nn.Linear(BITS, config.width), nn.Tanh(), nn.Linear(config.width, BITS))

    def forward(self, images: Tensor) -> Tensor:
        means = F.adaptive_avg_pool2d(images, SIDE).flatten(1)
        return self._images(self.binarizer(torch.tanh(self.encoder(means))), (images.shape[2], images.shape[3]))

    def _images(self, codes: Tensor, size: tuple[int, int]) -> Tensor:
        quarters = torch.sigmoid(self.decoder(codes)).view(-1, 3, SIDE, SIDE)
        return F.interpolate(quarters, size)

    @torch.inference_mode()
    def compress(self, images: Tensor, iterations: int | None = None, refinement_steps: int = 0) -> Tensor:
        count = self.config.max_iterations if iterations is None else iterations
        check_iterations(self.config, count)
        numbers = self.encoder(F.adaptive_avg_pool2d(images, SIDE).flatten(1))
        return pack_bits(torch.where(numbers >= 0, 1.0, -1.0)).unsqueeze(1).repeat(1, count, 1)

    @torch.inference_mode()
    def decompress(self, packed: Tensor, image_size: tuple[int, int]) -> Tensor:
        return self._images(unpack_bits(packed[:, -1], BITS), image_size)

    def colour(self, packed: Tensor) -> list[str]:
        means = self.decompress(packed, (SIDE, SIDE)).mean(dim=(2, 3))
        return [COLOURS[int(index)] for index in means.argmax(dim=1)]

    def export_parts(self) -> dict[str, ExportPart]:
        codes = torch.zeros(2, -(-BITS // 8), dtype=torch.uint8)
        return {"painter": ExportPart(Painter(self.decoder), {"codes": codes}, ("colours",), ops=("unpack_bits",))}


@dataclass(frozen=True)
class QuartersSettings(TaskSettings):
    """Settings of :class:`QuartersTask`.

    Attributes:
        power: of the differences that are minimised.
    """

    power: float = setting(2.0, above=0)


class QuartersTask(Task[Quarters, QuartersSettings]):
    """Views to views of few colours."""

    def loss(self, model: Quarters, batch: ObjectSample, rng: object) -> Losses:
        images = images_of(batch).flatten(0, 1)
        difference = (model(images) - images).abs().pow(self.settings.power).mean()
        return Losses(difference, {"difference": difference})

    def scores(self, model: Quarters, batch: ObjectSample) -> list[ScoreRow]:
        images = images_of(batch).flatten(0, 1)
        return [ScoreRow("l1", float((model(images) - images).abs().mean()), len(batch.views))]

    def selection(self, rows: Sequence[ScoreRow]) -> float:
        return -sum(row.mean for row in rows)

    def calibrate(self, model: Quarters, batch: ObjectSample, rng: object = None) -> None:
        model(images_of(batch).flatten(0, 1))


COLOURS = ("red", "green", "blue")
RULE = "1 of a view whose channel with the largest mean is named"


def named_colours(codec: Codec, codes: Codes) -> list[str]:
    return codec.require(NamesColour).colour(codec.packed(codes))


def colour_values(named: list[str], sample: ObjectSample, protocol: EvaluationProtocol) -> Iterator[Value]:
    channels = sample.views.float().mean(dim=(2, 3)).argmax(dim=1)
    for name, channel in zip(named, channels.tolist(), strict=True):
        yield Value("colour", float(name == COLOURS[channel]))


@pytest.fixture(autouse=True, scope="module")
def family() -> Iterator[None]:
    """Registers all of the above; gone after these tests."""
    registry.presets(), task_registry.tasks(), measures_registry.registered()
    tables_of = ((registry, "_families"), (registry, "_presets"), (task_registry, "_tasks"))
    with pytest.MonkeyPatch.context() as patch:
        for module, table in (*tables_of, (measures_registry, "_by_name")):
            patch.setattr(module, table, dict(getattr(module, table)))
        registry.register("quarters", QuartersConfig, presets=[QuartersConfig("quarters-small")])(Quarters)
        task_registry.register_task("quarters", QuartersSettings)(QuartersTask)
        register_measures = measures_registry.register_measures
        register_measures(NamesColour, receive=named_colours, rules={"colour": RULE})(colour_values)
        yield


@pytest.fixture(scope="module")
def views() -> Tensor:
    return ProceduralSource("test").get(25, 0, 2).views


@pytest.fixture(scope="module")
def trained(family: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of ten steps."""
    pytest.importorskip("lightning")
    settings = {"steps": 10, "checkpoint_every": 10, "batch_size": 2, "max_views": 1, "val_objects": 2, "power": 1.0}
    out = tmp_path_factory.mktemp("run")
    config = TrainConfig(preset="quarters-small", out=out, workers=0, progress=False, **settings)
    return train(config)


def test_it_is_trained_saved_and_loaded(trained: Path) -> None:
    model, fresh = load(trained), create("quarters-small")
    assert isinstance(model, Quarters)
    assert not torch.equal(model.encoder.weight, fresh.encoder.weight)
    assert load(trained).fingerprint == model.fingerprint != fresh.fingerprint


def test_it_codes_views_to_files_and_back(trained: Path, views: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "object.jc3d"
    codec = infer.load(trained)
    codec.encode(views).save(path)
    assert path.stat().st_size == Codes.load(path).num_bytes == 32 + 2 * 2 * 2
    images = infer.decode(path, weights=trained)
    assert images.shape == (2, 3, 128, 128)
    assert torch.equal(images, codec.decode(Codes.load(path)))
    assert images[0].flatten(1).unique(dim=1).shape[1] <= SIDE * SIDE


def test_it_is_evaluated(trained: Path) -> None:
    report = evaluate(trained, EvaluationProtocol(views=(1,), objects=2))
    (row,) = report.select(measure="l1", iterations=2)
    assert row.count == 2
    assert 0 < row.mean < 1
    assert {row.measure for row in report.rows} >= {"l1", "psnr", "ssim", "file_bytes"}
    assert "iou" not in {row.measure for row in report.rows}
    assert report.to_dict()["rules"]["colour"] == RULE


def test_its_own_measure_is_of_what_it_names(trained: Path) -> None:
    report = evaluate(trained, EvaluationProtocol(views=(1, 2), objects=3))
    codec, source, right = infer.load(trained), ProceduralSource("test"), []
    for index in range(3):
        views = source.get(index, 0, 2).views
        named = [COLOURS[channel] for channel in views.float().mean(dim=(2, 3)).argmax(dim=1).tolist()]
        right += [a == b for a, b in zip(named_colours(codec, codec.encode(views)), named, strict=True)]
    row = report.one(measure="colour", iterations=2, views=2)
    assert (row.count, row.group, row.total) == (6, "all", pytest.approx(sum(right)))
    assert report.one(measure="colour", iterations=2, views=1).count == 3


def test_it_is_on_the_command_line(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models"]) == 0
    assert "quarters-small" in capsys.readouterr().out
    assert cli.main(["train", "--help"]) == 0
    assert "--power" in capsys.readouterr().out
    assert cli.main(["evaluate", "--model", str(trained), "--objects", "2", "--views", "1"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 decoded views of 2 objects" in shown
    assert "quarters-small: colour" in shown
    assert RULE in shown


def test_no_measure_is_left_out_of_the_tables(trained: Path) -> None:
    report = evaluate(trained, EvaluationProtocol(views=(1,), objects=2))
    for kept, title in (
        ({"colour", "payload_bytes", "file_bytes"}, "quarters-small: colour"),
        ({"colour"}, "quarters-small: colour"),
        ({"payload_bytes", "file_bytes"}, "quarters-small: payload_bytes, file_bytes"),
    ):
        rows = tuple(row for row in report.rows if row.measure in kept)
        (table,) = tables(Report(report.identity, report.image_size, report.protocol, rows))
        assert table.title == title
        assert table.row_count == 2 * (len(kept) if "colour" not in kept else 1)


def test_two_measures_do_not_have_one_name() -> None:
    with pytest.raises(ValueError, match="rules: expected new names of measures, got colour"):
        measures_registry.register_measures(NamesColour, receive=named_colours, rules={"colour": ""})(colour_values)
    with pytest.raises(ValueError, match="rules: expected new names of measures, got none"):
        measures_registry.register_measures(NamesColour, receive=named_colours, rules={})(colour_values)


def test_a_part_of_its_own_is_exported(trained: Path, views: Tensor, tmp_path: Path) -> None:
    path, model = tmp_path / "painter.pt2", load(trained)
    assert cli.main(["export", str(trained), "--part", f"painter={path}"]) == 0
    program = torch.export.load(path)
    assert not [node for node in program.graph.nodes if "jc3d" in str(node.target)]
    packed = model.compress(views.float() / 255)
    colours, expected = program.module()(packed[:, -1]), model.decompress(packed, (SIDE, SIDE))
    torch.testing.assert_close(colours, expected, rtol=0, atol=1e-6)


def test_a_capability_of_its_own_is_asked_for_as_the_others(trained: Path, views: Tensor) -> None:
    codec = infer.load(trained)
    packed = torch.from_numpy(codec.encode(views).bits.copy()).transpose(0, 1)
    assert set(codec.require(NamesColour).colour(packed)) <= {"red", "green", "blue"}
    with pytest.raises(CodesError, match="a model that names the colour of an image, got those of rnn-small"):
        Codec(create("rnn-small")).require(NamesColour)
    with pytest.raises(CodesError, match="a model that reconstructs, got those of quarters-small"):
        codec.reconstruct(codec.encode(views))
