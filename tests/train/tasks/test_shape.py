"""Training of models that reconstruct: whose poses place the views, what is scored, and which layers learn slowly."""

import pytest
import torch
from torch import Tensor, nn

from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample
from jc3d.losses import occupancy_loss, pose_loss
from jc3d.metrics import iou
from jc3d.models import CodeReading, create
from jc3d.nn.gates import CodeFeatures
from jc3d.nn.pose_head import AZIMUTH_BINS
from jc3d.train import TrainConfig
from jc3d.train.schedule import make_optimizer
from jc3d.train.tasks.registry import make_task
from jc3d.train.tasks.shape import ShapeSettings, ShapeTask, gate_layers, make_target, teacher_forced
from jc3d.train.tasks.task import ScoreRow


class Fixed:
    """A stand-in for a model: the same grids for all views, and pose scores if it has any."""

    def __init__(self, grids: Tensor, scores: Tensor | None = None) -> None:
        self.grids, self.scores = grids, scores
        self.poses: Tensor | None = None
        self.reconstruction = self

    def read_views(self, views: Tensor) -> CodeReading:
        assert views.shape == (2, 2, 3, 128, 128)
        assert 0 <= views.min() < views.max() <= 1
        return CodeReading(CodeFeatures(torch.empty(4), pose_scores=self.scores), 2)

    def logits(self, reading: CodeReading, poses: Tensor | None = None) -> Tensor:
        self.poses = poses
        return self.grids

    def __call__(self, views: Tensor) -> Tensor:
        return self.logits(self.read_views(views))


@pytest.fixture
def task() -> ShapeTask:
    return ShapeTask(ShapeSettings(pose_weight=0.5, iou_weight=0.25, teacher_forcing=1.0), create("r2n2-small"))


@pytest.mark.parametrize("world", [1, 2])
def test_processes_share_one_draw_of_the_objects_placed_by_their_poses(
    world: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen(count: int) -> Tensor:
        empty = torch.zeros(count, 1, 3)
        objects = ObjectSample(empty, empty, empty, torch.zeros(count, dtype=torch.bool), empty)
        return teacher_forced(ShapeSettings(teacher_forcing=0.5), objects, Random(0, 3))

    whole = chosen(64)
    assert 16 < whole.sum() < 48
    monkeypatch.setenv("WORLD_SIZE", str(world))
    parts = []
    for rank in range(world):
        monkeypatch.setenv("RANK", str(rank))
        parts.append(chosen(64 // world))
    assert torch.equal(torch.cat(parts), whole)


def test_the_loss_without_poses_is_that_of_the_grid(task: ShapeTask, batch: ObjectSample) -> None:
    logits = torch.randn(2, 2, 32, 32, 32)
    model = Fixed(logits)
    losses = task.loss(model, batch, Random(0))
    torch.testing.assert_close(losses.total, occupancy_loss(logits, batch.grid, batch.ambiguous_front, 0.25))
    assert model.poses is None
    assert losses.parts == {}


def test_poses_are_told_and_taught(task: ShapeTask, batch: ObjectSample) -> None:
    torch.manual_seed(0)
    batch = batch._replace(ambiguous_front=torch.tensor([False, False]))
    model = Fixed(torch.randn(2, 2, 32, 32, 32), torch.randn(4, AZIMUTH_BINS + 2))
    losses = task.loss(model, batch, Random(0))
    torch.testing.assert_close(model.poses, batch.poses)  # all are teacher-forced
    of_poses = pose_loss(model.scores.unflatten(0, (2, 2)), batch.poses)
    torch.testing.assert_close(losses.parts["pose-loss"], of_poses)
    of_grid = occupancy_loss(model.grids, batch.grid, batch.ambiguous_front, 0.25)
    torch.testing.assert_close(losses.total, of_grid + 0.5 * of_poses)


@pytest.mark.parametrize(
    ("scores", "unknown", "ambiguous"), [(False, False, True), (True, True, True), (True, False, False)]
)
def test_any_turn_is_right_of_what_nothing_places(
    batch: ObjectSample, scores: bool, unknown: bool, ambiguous: bool
) -> None:
    batch = batch._replace(ambiguous_front=torch.tensor([False, True]))
    if unknown:
        batch = batch._replace(poses=torch.full_like(batch.poses, torch.nan))
    told = torch.randn(2, 2, AZIMUTH_BINS + 2) if scores else None
    target = make_target(ShapeSettings(), told, batch, Random(0))
    assert target.ambiguous_front.tolist() == [False, ambiguous]


def test_an_ambiguous_front_scores_by_its_best_turn(task: ShapeTask, batch: ObjectSample) -> None:
    turned = torch.rot90(batch.grid, 1, dims=(-1, -3)).float()
    margin = turned - 0.5
    (row,) = task.scores(Fixed(torch.stack((-margin, margin), dim=1)), batch)
    assert (row.measure, row.iterations, row.count) == ("miou", None, 2)
    assert row.mean == pytest.approx((1 + float(iou(turned[1], batch.grid[1]))) / 2)
    assert row.mean < 0.7


def test_the_highest_mean_over_sources_is_the_best(task: ShapeTask) -> None:
    assert task.selection([ScoreRow("miou", 0.5, 1, source="a"), ScoreRow("miou", 0.7, 9, source="b")]) == 0.6


@pytest.mark.parametrize(
    ("preset", "prefix"),
    [
        ("r2n2-paper", ""),
        ("r2n2-small", None),
        ("direct-recurrent", "reconstruction."),
        ("direct", None),
        ("rnn-small", None),
    ],
)
def test_layers_about_a_matrix_into_the_gates_are_found(preset: str, prefix: str | None) -> None:
    with torch.device("meta"):
        found = gate_layers(create(preset))
    assert found == (() if prefix is None else tuple(f"{prefix}{part}." for part in ("head", "gates", "recurrence")))


def test_they_learn_slowly_and_by_adamw() -> None:
    config = TrainConfig(preset="direct-recurrent", gate_lr_scale=0.25, reconstruction_lr_scale=0.5, learning_rate=1.0)
    model = create(config.preset)
    names = {parameter: name for name, parameter in model.named_parameters()}
    groups = make_optimizer(config, make_task(config.task, model), model).param_groups
    found = {names[each]: (group["lr"], group["muon"]) for group in groups for each in group["params"]}
    assert found["reconstruction.gates.linear.weight"] == (0.125, False)
    assert found["reconstruction.recurrence.conv3d.weight"] == (0.125, False)
    assert found["reconstruction.decoder.layers.0.conv.weight"] == (0.5, True)
    assert found["compressor.expand.weight"] == (1.0, True)
    assert found.keys() == set(names.values())


def test_norms_see_the_views(task: ShapeTask, batch: ObjectSample) -> None:
    seen = []
    task.calibrate(lambda views: seen.append(views), batch)  # type: ignore[arg-type]
    assert torch.equal(seen[0], batch.views / 255)


def test_a_model_without_gates_has_no_slow_layers() -> None:
    assert gate_layers(nn.Linear(2, 2)) == ()
