"""Training with Lightning: ``jc3d train``; several processes by ``torchrun``.

What a step sees is a function of the seed and the step's number alone (objects, views, lights), never of the process
that happens to run it. So a resumed run continues the same sequence, and N processes see what one would.
"""

from __future__ import annotations

import math
import os
import pickle
import re
import shlex
import statistics
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from jc3d._version import __version__
from jc3d.data.counter_rng import Random
from jc3d.data.samples import ObjectSample, Source, stack
from jc3d.data.sources.spec import SourceSpec
from jc3d.errors import require_extra
from jc3d.losses import compression_loss, occupancy_loss
from jc3d.metrics import best_quarter_turn, iou
from jc3d.models import (
    R2N2,
    Joint,
    Model,
    RnnCompressor,
    create,
    fold_norms,
    load,
    preset,
    save_weights,
    unfold_norms,
)
from jc3d.nn.batch_norm import recalibrated_norms
from jc3d.train.optim import MuonAdamW, has_bfloat16_products, is_matrix
from jc3d.train.pose_teacher import PoseTeacher

L = require_extra("lightning", "train")

Precision = Literal["32-true", "bf16-mixed"]

_VALIDATION_VIEWS = 5
_GRADIENT_NORM = 1.0
_CALIBRATION_OBJECTS = 32
_MEASURED_OBJECTS = 256  # give the norms their statistics before a validation; fewer if an epoch has fewer
_FREE_SETTINGS = {"out", "init", "resume", "progress", "threads", "workers"}  # may differ when a run is resumed


@dataclass(frozen=True)
class TrainConfig:
    """Everything a training run depends on.

    Attributes:
        preset: architecture, a key of :data:`jc3d.models.PRESETS`.
        init: weights to start from, none for fresh ones: packaged models' names or files, or ``PART=`` and one of these
            for a part of the model, such as ``compressor=rnn-small``. Of another architecture those are taken that have
            the same name and shape (a kernel with fewer inputs is one that ignores the others); the run's provenance
            says how many of how many.
        frozen: parts of the model that stay as they are, such as ``compressor``: they run as in inference, whose codes
            are signs and not draws.
        out: folder of checkpoints, logs and the final ``PRESET.safetensors``; if empty, ``runs/PRESET``.
        data: training sources, see :mod:`jc3d.data.sources`.
        val_data: validation sources; their mean score picks the best checkpoint: mIoU (of codes of several iterations,
            the mean of the lowest and the highest rate), or of image codecs the negative image loss.
        steps: optimiser steps.
        batch_size: objects a step, over all processes.
        learning_rate: peak of the rate of Muon and AdamW: linear warm-up, then a cosine down to zero.
        gate_rate: share of it for the layers between encoder and gates where the code enters by a matrix, which nothing
            normalises: with ±1 inputs one step can move a pre-activation by K times its rate.
        reconstruction_rate: share of it for what reconstructs in a joint model: below 1 where that starts from trained
            weights and the compressor does not.
        iterations: of the codes, where the model has several: 0 draws 1 to the most anew each step, n with a weight
            of 1 / n, so that every number gets an equal share of the time; a number keeps to it ([J] Fig. 11).
        min_iterations: fewest that are drawn. More of them give the later iterations more weight.
        ssim_weight: weight of 1 - SSIM in the image loss; 0 is the paper's.
        colour_weight: weight of the square of colour differences in it; 0 is the paper's.
        compression_weight: weight of the image loss beside the occupancy loss, where a model has both ([J] eq. 16).
        iou_weight: weight of the soft IoU beside the cross-entropy, see :func:`jc3d.losses.occupancy_loss`.
        pose_weight: weight of the loss of the poses, where the model tells them.
        forced: share of the objects that are placed by their true poses, see :mod:`jc3d.train.pose_teacher`.
        warmup: steps of the warm-up.
        weight_decay: decoupled.
        min_views: fewest views of an object in a step (the number is drawn anew each step).
        max_views: most.
        val_objects: objects validated on, from each source.
        checkpoint_every: steps between checkpoints, each with a validation; a kill loses no more than these.
        precision: Lightning's name, such as ``32-true`` or ``bf16-mixed``, which is slower where the processor does not
            multiply bfloat16 in hardware.
        seed: seeds the weights and the data.
        workers: processes that load data, for each training process.
        threads: torch threads of each training process; 0 leaves torch's own choice.
        resume: continue from the last checkpoint in ``out`` if there is one.
        progress: show a progress bar.
    """

    preset: str = "implicit-384"
    init: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    out: Path = Path()
    data: tuple[str, ...] = ("procedural",)
    val_data: tuple[str, ...] = ("procedural",)
    steps: int = 12_000
    batch_size: int = 16
    learning_rate: float = 2e-3
    gate_rate: float = 0.1
    reconstruction_rate: float = 1.0
    iterations: int = 0
    min_iterations: int = 1
    ssim_weight: float = 0.0
    colour_weight: float = 0.0
    compression_weight: float = 10.0
    iou_weight: float = 0.5
    pose_weight: float = 0.2
    forced: float = 0.5
    warmup: int = 300
    weight_decay: float = 0.02
    min_views: int = 1
    max_views: int = 5
    val_objects: int = 128
    checkpoint_every: int = 1_000
    precision: Precision = "32-true"
    seed: int = 0
    workers: int = 1
    threads: int = 0
    resume: bool = True
    progress: bool = True

    def __post_init__(self) -> None:
        if self.out == Path():
            object.__setattr__(self, "out", Path("runs") / self.preset)  # how a frozen dataclass sets its own fields
        most = preset(self.preset).max_iterations  # an unknown name is said before Lightning starts talking
        if not 1 <= self.min_iterations <= most:
            expected = f"1 to {most}, the most of {self.preset}"
            raise ValueError(f"min_iterations: expected {expected}, got {self.min_iterations}")
        if self.iterations and self.min_iterations > 1:
            raise ValueError(
                f"min_iterations: expected 1 where iterations are constant, got {self.min_iterations} and "
                f"iterations {self.iterations}"
            )
        for name in ("init", "frozen", "data", "val_data"):
            if not isinstance(getattr(self, name), tuple):
                raise ValueError(f"{name}: expected a tuple of texts, got {getattr(self, name)!r}")
        if self.precision not in get_args(Precision):
            raise ValueError(f"precision: expected one of {', '.join(get_args(Precision))}, got {self.precision!r}")
        if not 0 <= self.iterations <= most:
            raise ValueError(f"iterations: expected 0 to {most}, the most of {self.preset}, got {self.iterations}")
        positive = (
            "steps",
            "batch_size",
            "learning_rate",
            "gate_rate",
            "reconstruction_rate",
            "min_views",
            "val_objects",
            "checkpoint_every",
        )
        for name in positive:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected more than 0, got {getattr(self, name)}")
        for name in (
            "ssim_weight",
            "colour_weight",
            "compression_weight",
            "iou_weight",
            "pose_weight",
            "forced",
            "warmup",
            "weight_decay",
            "workers",
            "threads",
        ):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if self.forced > 1:
            raise ValueError(f"forced: expected a share, at most 1, got {self.forced}")
        if self.steps % self.checkpoint_every:
            every = self.checkpoint_every
            raise ValueError(f"steps: expected a multiple of checkpoint_every = {every}, got {self.steps}")
        if self.max_views < self.min_views:
            raise ValueError(f"max_views: expected at least min_views = {self.min_views}, got {self.max_views}")


class Visit(NamedTuple):
    """One look at one object: what the sampler asks of the data set."""

    source: int
    item: int
    draw: int
    views: int


class Mixture(Dataset[ObjectSample]):
    """Several sources as one data set, indexed by :class:`Visit`; ``augmented``: every object is jittered."""

    def __init__(self, sources: list[Source], augmented: bool) -> None:
        self.sources = sources
        self.augmented = augmented

    def __getitem__(self, visit: Visit) -> ObjectSample:
        """Looks."""
        sample = self.sources[visit.source].get(visit.item, visit.draw, visit.views)
        return jitter(sample, Random(visit.draw, visit.item)) if self.augmented else sample


class VisitSampler(Sampler[Visit]):
    """The visits of one process, a function of (seed, step) alone; an epoch is ``checkpoint_every`` steps.

    Args:
        config: the run.
        specs: the sources' shares.
        sizes: the sources' lengths.
        steps_done: asked at the start of every epoch, also after a resume.
    """

    def __init__(
        self, config: TrainConfig, specs: list[SourceSpec], sizes: list[int], steps_done: Callable[[], int]
    ) -> None:
        self.config = config
        self.weights = [spec.weight for spec in specs]
        self.sizes = sizes
        self.steps_done = steps_done
        self.rank, self.world = _rank_and_world()
        if config.batch_size % self.world:
            raise ValueError(f"batch_size: expected a multiple of the {self.world} processes, got {config.batch_size}")

    def __len__(self) -> int:
        return self.config.checkpoint_every * self.config.batch_size // self.world

    def __iter__(self) -> Iterator[Visit]:
        first = self.steps_done()
        local = self.config.batch_size // self.world
        for step in range(first, first + self.config.checkpoint_every):
            rng = Random(self.config.seed, step)
            views = rng.integers(self.config.min_views, self.config.max_views + 1)
            visits = [_draw_visit(rng, self.weights, self.sizes, views) for _ in range(self.config.batch_size)]
            yield from visits[self.rank * local : (self.rank + 1) * local]


def _draw_visit(rng: Random, weights: list[float], sizes: list[int], views: int) -> Visit:
    source = rng.choice(range(len(sizes)), weights)
    return Visit(source, rng.integers(0, sizes[source]), rng.integers(0, 2**31), views)


def _draw_iterations(config: TrainConfig, rng: Random) -> int:
    """Of the codes of one step, as the run's settings say."""
    if config.iterations:
        return config.iterations
    counts = range(config.min_iterations, preset(config.preset).max_iterations + 1)
    return rng.choice(counts, [1 / count for count in counts])


def jitter(sample: ObjectSample, rng: Random) -> ObjectSample:
    """Cheap augmentation of one object: perhaps mirrored, and its colours moved towards or away from white.

    A mirrored object seen from mirrored cameras is each image flipped left to right, the grid flipped along X, and the
    azimuths negated. Only objects whose front is arbitrary are mirrored: of the others some point to +X (a rifle's
    muzzle), and if half of them pointed to -X, no view would tell its azimuth.
    """
    views, grid, poses = sample.views, sample.grid, sample.poses
    if sample.ambiguous_front and rng.chance(0.5):
        views, grid, poses = views.flip(-1), grid.flip(0), poses * poses.new_tensor([-1.0, 1.0, 1.0])
    brightness = rng.uniform(0.75, 1.2)
    gain = torch.tensor([brightness * rng.uniform(0.9, 1.1) for _ in range(3)]).view(3, 1, 1)
    # Distance from white is scaled, so the white background stays white.
    levels = views.float().sub_(255).mul_(gain).add_(255).round_().clamp_(0, 255)
    return sample._replace(views=levels.to(torch.uint8), grid=grid, poses=poses)


class Training(L.LightningModule):  # type: ignore[misc, name-defined]
    """One model under training."""

    def __init__(self, config: TrainConfig, model: Model, sources: list[Source], taken: str = "") -> None:
        super().__init__()
        self.config = config
        self.model = model
        self.sources = sources
        self.provenance = _provenance(config) | ({"init": taken} if taken else {})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps what the run depends on beside its state."""
        checkpoint["jc3d"] = self.provenance

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """A resumed run keeps the provenance it started with, and the best score so far, though its folder moved."""
        self.provenance = checkpoint["jc3d"]
        for state in checkpoint["callbacks"].values():
            if "dirpath" in state:  # Lightning forgets the scores of a folder of another name
                state["dirpath"] = str(self.config.out / "checkpoints")

    def training_step(self, batch: ObjectSample, _: int) -> Tensor:
        """One step on a batch of objects with equally many views."""
        # The binarizer's draws follow torch's generator: seeded by step, a resumed run repeats them, and processes
        # that are seeded alike share one draw for the whole batch.
        torch.manual_seed(Random(self.config.seed, self.global_step).integers(0, 2**62))
        loss = self._loss(batch)
        self.log("train/loss", loss, prog_bar=True, sync_dist=True, batch_size=len(batch.grid))
        return loss

    def _loss(self, batch: ObjectSample) -> Tensor:
        """What the model has to lose: images, occupancy, poses."""
        model, views, config = self.model, batch.views.float() / 255, self.config
        if isinstance(model, RnnCompressor):
            flat = views.flatten(0, 1)
            decoded = model(flat, self._iterations()).images
            return compression_loss(decoded, flat, config.ssim_weight, config.colour_weight)
        teacher = PoseTeacher(batch.grid, batch.poses, batch.ambiguous_front, self._forced(len(batch.grid)))
        loss = views.new_zeros(())
        if isinstance(model, Joint):
            logits, images = model(views, self._iterations(), teacher)
            image_loss = compression_loss(images, views.flatten(0, 1), config.ssim_weight, config.colour_weight)
            self.log("train/image-loss", image_loss, sync_dist=True, batch_size=len(batch.grid))
            loss = config.compression_weight * image_loss
        else:
            logits = model(views, teacher)
        loss = loss + occupancy_loss(logits, teacher.grid, teacher.free_target, config.iou_weight)
        if teacher.scores is not None:
            pose_loss = teacher.loss()
            self.log("train/pose-loss", pose_loss, sync_dist=True, batch_size=len(batch.grid))
            loss = loss + config.pose_weight * pose_loss
        return loss

    def _iterations(self) -> int:
        """Of this step's codes, the same in all processes."""
        return _draw_iterations(self.config, Random(self.config.seed, self.global_step, 2))

    def _forced(self, count: int) -> Tensor:
        """Which of this process's objects are placed by their true poses: its share of one draw for the whole batch."""
        rank, world = _rank_and_world()
        rng = Random(self.config.seed, self.global_step, 1)
        draws = [rng.chance(self.config.forced) for _ in range(count * world)]
        return torch.tensor(draws[rank * count : (rank + 1) * count], device=self.device)

    def on_validation_epoch_start(self) -> None:
        """Measures the norms' statistics, the same objects every time."""
        if not self.model.config.norm:
            return
        config, (rank, world) = self.config, _rank_and_world()
        local = config.batch_size // world
        rng = Random(config.seed, -1)
        objects = Mixture(self.sources, augmented=True)
        shares = [SourceSpec.parse(text).weight for text in config.data]
        sizes = [len(source) for source in self.sources]
        with recalibrated_norms(self.model), self.trainer.precision_plugin.val_step_context():
            for _ in range(min(config.checkpoint_every, max(1, _MEASURED_OBJECTS // config.batch_size))):
                visits = [_draw_visit(rng, shares, sizes, config.max_views) for _ in range(config.batch_size)]
                batch = stack([objects[visit] for visit in visits[rank * local : (rank + 1) * local]])
                views = batch.views.to(self.device).float() / 255
                if isinstance(self.model, Joint):
                    self.model(views, _draw_iterations(config, rng))
                else:
                    self.model(views)

    def validation_step(self, batch: ObjectSample, _: int, dataloader_idx: int = 0) -> None:
        """With five views mIoU at τ = 0.4, the best turn where a front is ambiguous; residuals of images."""
        name = f"{SourceSpec.parse(self.config.val_data[dataloader_idx]).kind}-{dataloader_idx}"
        for kind, scores in self._scores(batch.views.float() / 255, batch).items():
            where, size = f"val/{kind}-{name}", len(batch.grid)
            self.log(where, scores, add_dataloader_idx=False, sync_dist=True, batch_size=size, prog_bar=True)

    def _scores(self, views: Tensor, batch: ObjectSample) -> dict[str, Tensor]:
        model, flat = self.model, views.flatten(0, 1)
        if isinstance(model, R2N2):
            return {"miou": _miou(model(views), batch)}
        # What a run with a constant number of iterations never sees does not choose its weights.
        rates = [self.config.iterations] if self.config.iterations else sorted({1, model.config.max_iterations})
        if isinstance(model, RnnCompressor):
            decoded = model(flat, rates[-1]).images
            loss = compression_loss(decoded, flat, self.config.ssim_weight, self.config.colour_weight)
            return {"l1": compression_loss(decoded, flat), "loss": loss}
        assert isinstance(model, Joint)
        logits, images = model.logits_at(views, rates)
        mious = {f"miou-{rate}": _miou(each, batch) for rate, each in zip(rates, logits, strict=True)}
        return mious | {"l1": compression_loss(images, flat)}

    def on_validation_epoch_end(self) -> None:
        """The mean over the sources picks the best checkpoint."""
        metrics = self.trainer.callback_metrics
        kind, sign = ("val/loss-", -1) if isinstance(self.model, RnnCompressor) else ("val/miou-", 1)
        scores = [value for key, value in metrics.items() if key.startswith(kind)]
        self.log("val/score", sign * torch.stack(scores).mean(), prog_bar=True, sync_dist=True)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Clips the gradient's norm; Lightning's own clipping refuses fused optimizers."""
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _GRADIENT_NORM)

    def configure_optimizers(self) -> dict[str, Any]:
        """Muon and AdamW, linear warm-up, cosine to zero."""
        config = self.config
        slow = _unnormalised(self.model)
        groups: dict[tuple[float, float, bool], list[Tensor]] = {}
        for name, parameter in self.model.named_parameters():
            if not parameter.requires_grad:
                continue
            rate, is_slow = config.learning_rate, name.startswith(slow)
            if is_slow:
                rate *= config.gate_rate
            if isinstance(self.model, Joint) and name.startswith("reconstruction."):
                rate *= config.reconstruction_rate
            decay = config.weight_decay if parameter.dim() > 1 else 0.0
            muon = is_matrix(parameter) and not is_slow
            groups.setdefault((rate, decay, muon), []).append(parameter)
        optimizer = MuonAdamW(
            {"params": members, "lr": rate, "weight_decay": decay, "muon": muon}
            for (rate, decay, muon), members in groups.items()
        )

        def factor(step: int) -> float:
            if step < config.warmup:
                return (step + 1) / config.warmup
            progress = (step - config.warmup) / max(1, config.steps - config.warmup)
            return 0.5 * (1 + math.cos(min(1.0, progress) * math.pi))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _unnormalised(model: Model) -> tuple[str, ...]:
    """Prefixes of the layers that learn at ``gate_rate``: those about a matrix into the gates."""
    parts = ("head.", "gates.", "recurrence.")
    if isinstance(model, RnnCompressor):
        return ()
    if isinstance(model, Joint):
        if model.config.reconstruction.unproject_channels:
            return ()
        return tuple(f"reconstruction.{part}" for part in parts)
    assert isinstance(model, R2N2)
    return () if model.config.unproject_channels else parts


def _miou(logits: Tensor, batch: ObjectSample) -> Tensor:
    """The mean over a batch."""
    logits = logits.float()
    prob = torch.sigmoid(logits[:, 1] - logits[:, 0])
    best, _turns = best_quarter_turn(prob, batch.grid)
    return torch.where(batch.ambiguous_front, best, iou(prob, batch.grid)).mean()


def train(config: TrainConfig) -> Path:
    """Trains a model and writes its weights.

    Args:
        config: the run.

    The best and the newest checkpoint are validated once more in the end, and the better one's weights are written. For
    a run that is finished already that is all.

    Returns:
        The path of the weights, ``out/PRESET.safetensors``.

    Raises:
        ValueError: a bad config or source.
        MissingExtraError: Lightning is not installed.
    """
    on_cpu = not torch.cuda.is_available()
    if config.precision == "bf16-mixed" and on_cpu and not has_bfloat16_products(torch.device("cpu")):
        warnings.warn("precision: this CPU emulates bfloat16; 32-true is several times as fast here", stacklevel=2)
    if config.threads:
        torch.set_num_threads(config.threads)
    train_specs = [SourceSpec.parse(text) for text in config.data]
    sources = [spec.open("train") for spec in train_specs]
    for source in sources:
        source.get(0, 0, config.max_views)  # a source that cannot give what a step will ask for says so now
    folder = config.out / "checkpoints"
    last = folder / "last.ckpt"
    resume_from = last if config.resume and last.is_file() else None
    if resume_from is not None:
        _check_resumable(config, resume_from)
    model, taken = _initial_model(config, sources)
    model.train()
    for part in config.frozen:
        _part(model, part, "frozen").requires_grad_(False).eval()
    training = Training(config, model, sources, taken)
    sizes = [len(source) for source in sources]
    sampler = VisitSampler(config, train_specs, sizes, steps_done=lambda: int(training.global_step))
    train_loader = _loader(config, Mixture(sources, augmented=True), sampler, config.batch_size // sampler.world)
    val_loaders = [_validation_loader(config, SourceSpec.parse(text)) for text in config.val_data]

    checkpoint = L.pytorch.callbacks.ModelCheckpoint
    best = checkpoint(folder, "best", monitor="val/score", mode="max", enable_version_counter=False)
    # With a monitor, Lightning's own save_last follows the best; a resume needs the newest.
    newest = checkpoint(folder, "last", enable_version_counter=False, save_on_train_epoch_end=False)
    world = sampler.world
    local_world = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    trainer = L.Trainer(
        max_steps=config.steps,
        precision=config.precision,
        devices=local_world if world > 1 else 1,
        num_nodes=world // local_world,
        # A step with one view does not touch the hidden convolution.
        strategy="ddp_find_unused_parameters_true" if world > 1 else "auto",
        use_distributed_sampler=False,
        logger=L.pytorch.loggers.TensorBoardLogger(config.out, name="tensorboard", version=""),
        callbacks=[best, newest, L.pytorch.callbacks.LearningRateMonitor()],
        enable_progress_bar=config.progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=min(50, config.checkpoint_every),
    )
    if _step_of(resume_from) < config.steps:
        trainer.fit(training, train_loader, val_loaders, ckpt_path=resume_from, weights_only=True)

    path = config.out / f"{config.preset}.safetensors"
    _write_better(path, trainer, training, val_loaders, (folder / "best.ckpt", last))
    trainer.strategy.barrier()  # no process returns before the file is there
    return path


def _write_better(
    path: Path, trainer: Any, training: Training, val_loaders: list[Any], checkpoints: tuple[Path, ...]
) -> None:
    """Validates checkpoints and writes the weights of the best."""
    best = -math.inf
    for checkpoint in checkpoints:
        state = torch.load(checkpoint, weights_only=True, map_location="cpu")
        prefix = "model."
        training.model.load_state_dict({key.removeprefix(prefix): value for key, value in state["state_dict"].items()})
        found = {key: value for scores in trainer.validate(training, val_loaders, verbose=False)
                 for key, value in scores.items()}  # fmt: skip
        if found["val/score"] > best and trainer.is_global_zero:
            best = found["val/score"]
            info = state["jc3d"] | {"steps": state["global_step"]} | _means(found)
            save_weights(path, training.model.cpu(), info)


def _means(found: dict[str, float]) -> dict[str, float]:
    """Of each kind of score over the sources: ``val_l1``, ``val_miou``, or of each rate ``val_miou_1`` and so on."""
    kinds: dict[str, list[float]] = {}
    for key, value in found.items():
        match = re.fullmatch(r"val/(miou|miou-\d+|l1)-[a-z0-9]+-\d+", key)
        if match:
            kinds.setdefault(f"val_{match[1]}".replace("-", "_"), []).append(value)
    return {kind: round(statistics.fmean(values), 4) for kind, values in kinds.items()}


def _step_of(checkpoint_path: Path | None) -> int:
    """The step a checkpoint was saved at; 0 if there is none."""
    if checkpoint_path is None:
        return 0
    return int(torch.load(checkpoint_path, weights_only=True, map_location="cpu")["global_step"])


def _check_resumable(config: TrainConfig, path: Path) -> None:
    """A checkpoint goes on only under the settings it was made with.

    Raises:
        ValueError: it cannot be read, or a setting that changes the result differs.
    """
    try:
        stored = torch.load(path, weights_only=True, map_location="cpu")["jc3d"]["config"]
    except (OSError, RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise ValueError(f"resume: {path} is damaged or no checkpoint of ours ({error})") from error
    for name, value in _as_json(config).items():
        if name not in _FREE_SETTINGS and stored.get(name) != value:
            was = repr(stored[name]) if name in stored else "no such setting"
            raise ValueError(f"{name}: expected {was} as in {path}, got {value!r}; give another folder or --no-resume")


def _initial_model(config: TrainConfig, sources: list[Source]) -> tuple[Model, str]:
    """Fresh weights, those of ``config.init`` over them, normalisations put back; and what was taken of them."""
    fresh = create(config.preset, config.seed)
    if not config.init:
        return fresh, ""
    norm = fresh.config.norm
    model = fold_norms(fresh) if norm else fresh
    said = []
    for text in config.init:
        part, _, name = text.rpartition("=")
        target: nn.Module = model
        if part:
            target = _part(model, part, "init")
        count = _take(target, load(name))
        if not count:
            raise ValueError(f"init: expected weights that fit {config.preset}, got {text!r}, of which none does")
        said.append(f"{count} of {len(target.state_dict())} tensors of {text}")
    if norm:
        draws = [(source, index) for index in range(_CALIBRATION_OBJECTS // len(sources)) for source in sources]
        samples = [source.get(index % len(source), config.seed, config.max_views) for source, index in draws]
        views = stack(samples).views.float() / 255
        joint = isinstance(model, Joint)
        model = unfold_norms(model, lambda each: each(views, each.config.max_iterations) if joint else each(views))
    return model.requires_grad_(True), ", ".join(said)


def _part(model: Model, name: str, argument: str) -> nn.Module:
    """The part of a model that an argument names."""
    parts = dict(model.named_children())
    if name not in parts:
        raise ValueError(f"{argument}: expected a part among {', '.join(parts)}, got {name!r}")
    return parts[name]


def _take(target: nn.Module, source: nn.Module) -> int:
    """Copies the tensors that have the same name and shape, or are kernels of fewer inputs; says how many."""
    stored = source.state_dict()
    count = 0
    with torch.no_grad():
        for name, tensor in target.state_dict().items():
            other = stored.get(name)
            if other is None or other.dim() != tensor.dim() or (other.dim() < 2 and other.shape != tensor.shape):
                continue
            if other.shape == tensor.shape:
                tensor.copy_(other)
            elif len(other) == len(tensor) and other.shape[2:] == tensor.shape[2:] and other.shape[1] < tensor.shape[1]:
                tensor.zero_()[:, : other.shape[1]] = other
            else:
                continue
            count += 1
    return count


def _loader(config: TrainConfig, data: Mixture, sampler: Any, batch_size: int) -> DataLoader[ObjectSample]:
    return DataLoader(
        data,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=config.workers,
        collate_fn=stack,
        multiprocessing_context="spawn" if config.workers else None,
        persistent_workers=config.workers > 0,
    )


def _rank_and_world() -> tuple[int, int]:
    """This process's number and how many there are, as torchrun tells them."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def _validation_loader(config: TrainConfig, spec: SourceSpec) -> DataLoader[ObjectSample]:
    source = spec.open("val")
    rank, world = _rank_and_world()
    count = min(config.val_objects, len(source))
    visits = [Visit(0, index, 0, _VALIDATION_VIEWS) for index in range(count)][rank::world]
    if not visits:
        raise ValueError(f"val_objects: expected one for each of the {world} processes at least, got {count}")
    source.get(0, 0, _VALIDATION_VIEWS)
    loader: Any = _loader(config, Mixture([source], augmented=False), visits, batch_size=min(16, len(visits)))
    return loader  # type: ignore[no-any-return]


def _as_json(config: TrainConfig) -> dict[str, Any]:
    values = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(config).items()}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _provenance(config: TrainConfig) -> dict[str, Any]:
    """What a run starts from: settings, command, and the commit of the code that runs."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        except OSError:  # no git
            return ""

    # The repository around an installed package is somebody else's.
    ours = git("ls-files", "--error-unmatch", Path(__file__).name)
    commit = git("describe", "--always", "--dirty") if ours else ""
    return {
        "config": _as_json(config),
        "command": shlex.join(["jc3d", *sys.argv[1:]]),
        "commit": commit or f"jc3d {__version__}",
        "torch": str(torch.__version__),
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }
