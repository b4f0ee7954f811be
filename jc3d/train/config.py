"""What a training run depends on."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from jc3d.errors import renamed_arguments
from jc3d.models import preset
from jc3d.train.settings import RENAMED, TaskSettings, check_ranges, setting
from jc3d.train.tasks.registry import settings_of, task_name, tasks

Precision = Literal["32-true", "bf16-mixed"]


@dataclass(frozen=True, init=False, kw_only=True)
class TrainConfig:
    """Everything a training run depends on: the settings of every run, and in ``task`` those of the preset's task.

    Both kinds are given alike, ``TrainConfig(preset="rnn-small", steps=2_000, ssim_weight=1.0)``: what is no setting of
    every run is one of the task.

    Attributes:
        preset: architecture, a key of :data:`jc3d.models.PRESETS`.
        init: weights to start from, none for fresh ones: packaged models' names or files, or ``PART=`` and one of these
            for a part of the model, such as ``compressor=rnn-small``. Of another architecture those are taken that have
            the same name and shape (a kernel with fewer inputs is one that ignores the others); the run's provenance
            says how many of how many.
        frozen: parts of the model that stay as they are, such as ``compressor``: they run as in inference, whose codes
            are signs and not draws.
        out: folder of checkpoints, logs and the final ``PRESET.safetensors``; if empty, ``runs/PRESET``.
        data: training sources: ``procedural``, or ``meshes=``, ``shards=`` or ``r2n2=FOLDER``, and ``@WEIGHT`` for a
            share in the mixture. See :mod:`jc3d.data.sources`.
        val_data: validation sources, in the same form as ``data``. Their mean score picks the best
            checkpoint, see the task.
        steps: optimiser steps.
        batch_size: objects a step, over all processes.
        learning_rate: its peak, for Muon and AdamW: linear warm-up, then a cosine down to zero.
        warmup: steps of the warm-up.
        weight_decay: decoupled weight decay.
        min_views: fewest views of an object in a step (the number is drawn anew each step).
        max_views: most views of an object in a step.
        val_objects: objects validated on, from each source.
        checkpoint_every: steps between checkpoints, each with a validation; a kill loses no more than these.
        precision: of the arithmetic: ``32-true`` is float32, ``bf16-mixed`` mostly bfloat16, which is slower where the
            processor does not multiply it in hardware. The names are Lightning's.
        seed: seeds the weights and the data.
        workers: processes that load data, for each training process.
        threads: torch threads of each training process; 0 leaves torch's own choice.
        resume: continue from the last checkpoint in ``out`` if there is one.
        progress: show a progress bar.
        task: the settings of the task that trains the preset, such as :class:`jc3d.train.tasks.shape.ShapeSettings`.

    Raises:
        ValueError: a setting out of range, or one that the preset's task does not have.
        TypeError: a setting that no task has.
    """

    preset: str = setting("implicit-384", help="Architecture, one of those that `jc3d models` lists.")
    init: tuple[str, ...] = setting((), may_change=True)
    frozen: tuple[str, ...] = setting(
        (),
        help="Part of the model that stays as it is, such as compressor: it runs as in inference, whose codes are "
        "signs and not draws.",
    )
    out: Path = setting(  # noqa: RUF009
        Path(),
        may_change=True,
        flags=("--out", "-o"),
        shown="runs/PRESET",
        help="Folder of checkpoints, logs and the final PRESET.safetensors.",
    )
    data: tuple[str, ...] = setting(
        ("procedural",),
        help="Training source: procedural, or meshes=, shards= or r2n2=FOLDER, and @WEIGHT for its share in a mixture.",
    )
    val_data: tuple[str, ...] = setting(
        ("procedural",), help="Validation source, in the same form as --data; their mean score picks the weights."
    )
    steps: int = setting(12_000, above=0)
    batch_size: int = setting(16, above=0)
    learning_rate: float = setting(2e-3, above=0)
    warmup: int = setting(300, least=0)
    weight_decay: float = setting(0.02, least=0)
    min_views: int = setting(1, above=0)
    max_views: int = 5
    val_objects: int = setting(128, above=0)
    checkpoint_every: int = setting(1_000, above=0)
    precision: Precision = "32-true"
    seed: int = 0
    workers: int = setting(1, least=0, may_change=True)
    threads: int = setting(0, least=0, may_change=True)
    resume: bool = setting(True, may_change=True, help="Continue from the last checkpoint in --out if there is one.")
    progress: bool = setting(True, may_change=True)
    task: TaskSettings

    @renamed_arguments(**RENAMED)
    def __init__(self, **settings: Any) -> None:
        common = {each.name: each.default for each in fields(self) if each.name != "task"}
        values = {name: settings.pop(name, default) for name, default in common.items()}
        model = preset(values["preset"])  # an unknown name is said before Lightning starts talking
        task = task_name(model)
        given = settings.pop("task", settings_of(task)())
        values["task"] = _task_settings(given, settings, values["preset"], task)
        if values["out"] == Path():
            values["out"] = Path("runs") / values["preset"]
        for name, value in values.items():
            object.__setattr__(self, name, value)  # how a frozen dataclass sets its own fields
        self._check()
        self.task.check(model)

    def _check(self) -> None:
        for name in ("init", "frozen", "data", "val_data"):
            if not isinstance(getattr(self, name), tuple):
                raise ValueError(f"{name}: expected a tuple of texts, got {getattr(self, name)!r}")
        if self.precision not in get_args(Precision):
            raise ValueError(f"precision: expected one of {', '.join(get_args(Precision))}, got {self.precision!r}")
        check_ranges(self)
        if self.steps % self.checkpoint_every:
            every = self.checkpoint_every
            raise ValueError(f"steps: expected a multiple of checkpoint_every = {every}, got {self.steps}")
        if self.max_views < self.min_views:
            raise ValueError(f"max_views: expected at least min_views = {self.min_views}, got {self.max_views}")


def _task_settings(given: TaskSettings, changes: dict[str, Any], preset_name: str, task: str) -> TaskSettings:
    """The settings of a preset's task with some of them changed."""
    expected = settings_of(task)
    if not isinstance(given, expected):
        raise ValueError(f"task: expected {expected.__name__}, those of {preset_name}, got {type(given).__name__}")
    names = {name: {each.name for each in fields(entry.settings)} for name, entry in sorted(tasks().items())}
    for setting_name in changes.keys() - names[task]:
        others = [name for name, known in names.items() if setting_name in known]
        if not others:
            raise TypeError(f"{setting_name}: expected a setting of training, got one that there is not")
        raise ValueError(
            f"{setting_name}: expected a setting of the task {task}, which trains {preset_name}, "
            f"got one of {' and '.join(others)}"
        )
    return replace(given, **changes)
