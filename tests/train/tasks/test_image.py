"""Training of image codecs: iterations, loss and choice."""

from collections import Counter
from pathlib import Path

import pytest
import torch
import train_tiny
from torch import Tensor

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample
from jc3d.data.sources.shards import ShardSource
from jc3d.losses import compression_loss
from jc3d.models import RnnCompressor, create, load, preset, read_metadata
from jc3d.models.image.convlstm import CompressorOutput
from jc3d.models.validation_scores import validation_scores
from jc3d.train.tasks.image import ImageSettings, ImageTask, draw_iterations, validated_iterations
from jc3d.train.tasks.task import ScoreRow


def test_iterations_are_drawn_or_constant() -> None:
    """Random N in training, or one that is kept to ([J] appendix, Fig. 11); the same draw in any process."""
    config = preset("rnn-small")
    drawn = [draw_iterations(ImageSettings(), config, Random(0, step, 2)) for step in range(3_000)]
    assert drawn == [draw_iterations(ImageSettings(), config, Random(0, step, 2)) for step in range(3_000)]
    spent = {count: count * times for count, times in Counter(drawn).items()}
    assert spent.keys() == set(range(1, 9))
    assert max(spent.values()) < 1.5 * min(spent.values())  # every number gets an equal share of the time
    late = {draw_iterations(ImageSettings(min_iterations=7), config, Random(0, step)) for step in range(50)}
    assert late == {7, 8}
    assert draw_iterations(ImageSettings(iterations=3), config, Random(0)) == 3
    assert draw_iterations(ImageSettings(), config, None) == 8
    assert validated_iterations(ImageSettings(), config) == [1, 8]
    assert validated_iterations(ImageSettings(iterations=3), config) == [3]


def test_a_run_with_constant_iterations_trains_and_validates_at_them(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("lightning", reason="the train extra is not installed")
    from jc3d.train import train

    seen: list[int] = []
    forward = RnnCompressor.forward

    def watched(self: RnnCompressor, images: Tensor, iterations: int) -> CompressorOutput:
        if self.training:
            seen.append(iterations)
        return forward(self, images, iterations)

    monkeypatch.setattr(RnnCompressor, "forward", watched)
    changes = {"batch_size": 1, "max_views": 1, "val_objects": 1, "checkpoint_every": 6, "iterations": 3}
    path = train(train_tiny.config(shards, tmp_path, "rnn-small", **changes))
    assert seen == [3] * 6
    monkeypatch.setattr(RnnCompressor, "forward", forward)
    model, views = load(path), ShardSource(shards / "val").get(0, 0, 5).views / 255
    with torch.no_grad():  # what chose the weights: the iterations that were trained, with weights as they are stored
        l1 = (model(views, 3).images - views).abs().mean()
    scores = {score.measure: score.mean for score in validation_scores(read_metadata(path)["info"])}
    assert scores["l1"] == pytest.approx(float(l1), abs=2e-3)


class Still:
    """A stand-in for a codec: gives back grey images, and remembers for how many iterations."""

    config = preset("rnn-small")

    def __call__(self, images: Tensor, iterations: int) -> CompressorOutput:
        self.iterations = iterations
        return CompressorOutput(torch.empty(0), torch.full((iterations, *images.shape), 0.5))


def test_loss_and_scores_weigh_alike(batch: ObjectSample) -> None:
    settings, model = ImageSettings(ssim_weight=0.5, colour_weight=2.0), Still()
    task = ImageTask(settings, create("rnn-small"))
    targets = batch.views.flatten(0, 1) / 255
    losses = task.loss(model, batch, Random(0, 7))
    assert model.iterations == draw_iterations(settings, model.config, Random(0, 7, 2))
    expected = compression_loss(torch.full((1, 4, 3, 128, 128), 0.5), targets, 0.5, 2.0)
    torch.testing.assert_close(losses.total, expected)
    l1, loss = task.scores(model, batch)
    assert model.iterations == 8
    assert (l1.measure, loss.measure, l1.count, loss.count) == ("l1", "loss", 2, 2)
    assert loss.mean == pytest.approx(float(expected), rel=1e-5)
    assert l1.mean == pytest.approx(float((targets - 0.5).abs().mean()), rel=1e-5)
    task.calibrate(model, batch)
    assert model.iterations == 8


def test_the_least_loss_is_the_best() -> None:
    task = ImageTask(ImageSettings(), create("rnn-small"))
    rows = [ScoreRow("l1", 9.0, 2), ScoreRow("loss", 0.25, 2, source="a"), ScoreRow("loss", 0.75, 100, source="b")]
    assert task.selection(rows) == -0.5  # sources weigh alike
