"""Training of models that give images and shapes."""

import pytest
import torch
from torch import Tensor

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample
from jc3d.losses import compression_loss, occupancy_loss
from jc3d.models import CodeReading, create, preset
from jc3d.nn.gates import CodeFeatures
from jc3d.train.tasks.joint import JointSettings, JointTask
from jc3d.train.tasks.task import ScoreRow


class Fixed:
    """A stand-in for a model: grey images, and logits that agree with a grid the more, the more iterations."""

    config = preset("direct")

    def __init__(self, grid: Tensor) -> None:
        self.margin = grid.float() - 0.5
        self.reconstruction = self

    def logits_of(self, iterations: int) -> Tensor:
        margin = self.margin if iterations == 8 else torch.ones_like(self.margin)
        return torch.stack((-margin, margin), dim=1)

    def read_views(self, views: Tensor, iterations: int) -> tuple[CodeReading, Tensor]:
        self.iterations = iterations
        return CodeReading(CodeFeatures(torch.empty(4)), 2), torch.full((iterations, 4, 3, 128, 128), 0.5)

    def logits(self, reading: CodeReading, poses: Tensor | None = None) -> Tensor:
        return self.logits_of(self.iterations)

    def __call__(self, views: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
        reading, images = self.read_views(views, iterations)
        return self.logits(reading), images

    def logits_at(self, views: Tensor, iterations: list[int]) -> tuple[list[Tensor], Tensor]:
        return [self.logits_of(each) for each in iterations], torch.full((max(iterations), 4, 3, 128, 128), 0.5)


@pytest.fixture
def task() -> JointTask:
    settings = JointSettings(compression_weight=3.0, iou_weight=0.5, ssim_weight=0.2, iterations=8)
    return JointTask(settings, create("direct"))


def test_the_loss_is_that_of_images_and_of_the_grid(task: JointTask, batch: ObjectSample) -> None:
    model, targets = Fixed(batch.grid), batch.views.flatten(0, 1) / 255
    losses = task.loss(model, batch, Random(0))
    of_images = compression_loss(torch.full((8, 4, 3, 128, 128), 0.5), targets, 0.2)
    of_grid = occupancy_loss(model.logits_of(8), batch.grid, batch.ambiguous_front, 0.5)
    torch.testing.assert_close(losses.total, 3.0 * of_images + of_grid)
    torch.testing.assert_close(losses.parts["image-loss"], of_images)
    assert losses.parts.keys() == {"image-loss"}


def test_scores_are_of_the_lowest_and_the_highest_rate(batch: ObjectSample) -> None:
    task, model = JointTask(JointSettings(), create("direct")), Fixed(batch.grid)
    low, high, l1 = task.scores(model, batch)
    assert [(row.measure, row.iterations, row.count) for row in (low, high, l1)] == [
        ("miou", 1, 2),
        ("miou", 8, 2),
        ("l1", None, 2),
    ]
    assert high.mean == 1.0
    assert low.mean == pytest.approx(float(batch.grid.float().mean()), abs=1e-4)
    assert l1.mean == pytest.approx(float((batch.views / 255 - 0.5).abs().mean()), rel=1e-5)
    assert [row.name for row in (low, high, l1)] == ["miou-1", "miou-8", "l1"]


def test_the_highest_mean_over_rates_and_sources_is_the_best(task: JointTask) -> None:
    rows = [ScoreRow("miou", value, 1, n, source) for value, n, source in ((0.5, 1, "a"), (0.7, 8, "a"), (0.9, 1, "b"))]
    assert task.selection([*rows, ScoreRow("l1", 5.0, 1)]) == pytest.approx(0.7)


def test_what_reconstructs_learns_at_its_own_rate() -> None:
    model = create("direct")
    task = JointTask(JointSettings(reconstruction_lr_scale=0.3, gate_lr_scale=0.1), model)
    scales = {name: task.lr_scale(name, parameter) for name, parameter in model.named_parameters()}
    assert {scale for name, scale in scales.items() if name.startswith("reconstruction.")} == {0.3}
    assert {scale for name, scale in scales.items() if name.startswith("compressor.")} == {1.0}


def test_norms_see_as_many_iterations_as_a_step_draws(batch: ObjectSample) -> None:
    task, model = JointTask(JointSettings(), create("direct")), Fixed(batch.grid)
    seen = set()
    for step in range(40):
        task.calibrate(model, batch, Random(step))
        seen.add(model.iterations)
    assert len(seen) > 4
    task.calibrate(model, batch)
    assert model.iterations == 8
