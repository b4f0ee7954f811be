"""Training with Lightning: ``jc3d train``; several processes by ``torchrun``.

The loop knows steps, checkpoints and processes. What a model is trained for is a task's (:mod:`jc3d.train.tasks`), what
a step sees :mod:`jc3d.train.sampling`'s.
"""

from __future__ import annotations

import math
import os
import statistics
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from jc3d.data.samples import ObjectSample
from jc3d.data.sources.spec import SourceSpec
from jc3d.errors import require_extra
from jc3d.models import Model, save_weights
from jc3d.models.validation_scores import ValidationScore, stored_scores
from jc3d.nn.batch_norm import recalibrated_norms
from jc3d.train import checkpoints
from jc3d.train.config import TrainConfig
from jc3d.train.optim import has_bfloat16_products
from jc3d.train.provenance import provenance
from jc3d.train.sampling import TrainingData, rank_and_world, training_loader, validation_loader
from jc3d.train.schedule import clip_gradients, make_optimizer, make_schedule
from jc3d.train.scores import ScoreSums
from jc3d.train.start import initial_model
from jc3d.train.step import losses_of_step
from jc3d.train.tasks.registry import make_task
from jc3d.train.tasks.task import ScoreRow

L = require_extra("lightning", "train")


class Training(L.LightningModule):  # type: ignore[misc, name-defined]
    """One model under training.

    Args:
        config: the run.
        model: what learns.
        data: what it learns from.
        taken: of other weights, in words.
    """

    def __init__(self, config: TrainConfig, model: Model, data: TrainingData, taken: str = "") -> None:
        super().__init__()
        self.config = config
        self.model = model
        self.data = data
        self.task = make_task(config.task, model)
        self.provenance = provenance(config, taken)
        self.rows: list[ScoreRow] = []
        self._sums = ScoreSums()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps what the run depends on beside its state."""
        checkpoint[checkpoints.PROVENANCE] = self.provenance

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """A resumed run keeps the provenance it started with, and the best score so far, though its folder moved."""
        self.provenance = checkpoint[checkpoints.PROVENANCE]
        for state in checkpoint["callbacks"].values():
            if "dirpath" in state:  # Lightning forgets the scores of a folder of another name
                state["dirpath"] = str(checkpoints.folder_of(self.config))

    def training_step(self, batch: ObjectSample, _: int) -> Tensor:
        """One step on a batch of objects with equally many views."""
        losses = losses_of_step(self.task, self.model, batch, self.config.seed, self.global_step)
        size = len(batch.views)
        for name, part in losses.parts.items():
            self.log(f"train/{name}", part, sync_dist=True, batch_size=size)
        self.log("train/loss", losses.total, prog_bar=True, sync_dist=True, batch_size=size)
        return losses.total

    def on_validation_epoch_start(self) -> None:
        """Measures the norms' statistics, on the same objects every time."""
        self._sums = ScoreSums()
        if self.model.config.norm:
            with recalibrated_norms(self.model), self.trainer.precision_plugin.val_step_context():
                for batch, rng in self.data.calibration_batches():
                    moved = ObjectSample(*(tensor.to(self.device) for tensor in batch))
                    self.task.calibrate(self.model, moved, rng)

    def validation_step(self, batch: ObjectSample, _: int, dataloader_idx: int = 0) -> None:
        """Scores some objects of one source."""
        source = f"{SourceSpec.parse(self.config.val_data[dataloader_idx]).kind}-{dataloader_idx}"
        self._sums.add(self.task.scores(self.model, batch), source)

    def on_validation_epoch_end(self) -> None:
        """The task's choice among its scores picks the best checkpoint."""
        strategy = self.trainer.strategy
        self.rows = self._sums.rows(lambda sums: strategy.reduce(sums.to(self.device), reduce_op="sum").cpu())
        for row in self.rows:
            self.log(f"val/{row.name}-{row.source}", row.mean, prog_bar=True, sync_dist=True)
        self.log("val/score", self.task.selection(self.rows), prog_bar=True, sync_dist=True)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Clips the gradient's norm; Lightning's own clipping refuses fused optimizers."""
        clip_gradients(self.model)

    def configure_optimizers(self) -> dict[str, Any]:
        """Muon and AdamW, linear warm-up, cosine to zero."""
        optimizer = make_optimizer(self.config, self.task, self.model)
        schedule = make_schedule(self.config, optimizer)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


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
    data = TrainingData(config)
    resume_from = checkpoints.to_resume(config)
    model, taken = initial_model(config, data)
    training = Training(config, model, data, taken)
    train_loader = training_loader(data, steps_done=lambda: int(training.global_step))
    val_loaders = [validation_loader(config, SourceSpec.parse(text)) for text in config.val_data]
    trainer = _trainer(config)
    if checkpoints.step_of(resume_from) < config.steps:
        trainer.fit(training, train_loader, val_loaders, ckpt_path=resume_from, weights_only=True)
    path = config.out / f"{config.preset}.safetensors"
    _write_better(path, trainer, training, val_loaders)
    trainer.strategy.barrier()  # no process returns before the file is there
    return path


def _trainer(config: TrainConfig) -> Any:
    _rank, world = rank_and_world()
    local_world = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    folder, checkpoint = checkpoints.folder_of(config), L.pytorch.callbacks.ModelCheckpoint
    best = checkpoint(folder, checkpoints.BEST, monitor="val/score", mode="max", enable_version_counter=False)
    # With a monitor, Lightning's own save_last follows the best; a resume needs the newest.
    newest = checkpoint(folder, checkpoints.NEWEST, enable_version_counter=False, save_on_train_epoch_end=False)
    return L.Trainer(
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


def _write_better(path: Path, trainer: Any, training: Training, val_loaders: list[Any]) -> None:
    """Validates the best and the newest checkpoint and writes the weights of the better one."""
    best = -math.inf
    for name in (checkpoints.BEST, checkpoints.NEWEST):
        facts = checkpoints.load_weights(checkpoints.path_of(training.config, name), training.model)
        trainer.validate(training, val_loaders, verbose=False)
        score = training.task.selection(training.rows)
        if score > best and trainer.is_global_zero:
            best = score
            save_weights(path, training.model.cpu(), facts | stored_scores(_means(training.rows)))


def _means(rows: Sequence[ScoreRow]) -> list[ValidationScore]:
    """Of each score over the sources."""
    found: dict[tuple[str, int | None], list[float]] = {}
    for row in rows:
        found.setdefault((row.measure, row.iterations), []).append(row.mean)
    return [ValidationScore(*key, round(statistics.fmean(means), 4)) for key, means in found.items()]
