"""What a recipe comes to: the runs with all their settings, what they need, and what is there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jc3d.data.sources.spec import SourceSpec
from jc3d.train.checkpoints import step_of, to_resume
from jc3d.train.config import TrainConfig
from jc3d.train.recipes import Phase, Recipe, Rendering, recipe, weights_of


@dataclass(frozen=True)
class Run:
    """A phase with its settings.

    Attributes:
        phase: of the recipe, with the settings as they were changed.
        config: all settings.
        needs: files that the run reads and that no run before it writes.
    """

    phase: Phase
    config: TrainConfig
    needs: tuple[Path, ...]

    @property
    def weights(self) -> Path:
        """The file that the run writes."""
        return weights_of(self.config.out, self.config.preset)

    @property
    def is_done(self) -> bool:
        """Whether the file is there, written by a run of these settings.

        Raises:
            ValueError: a run of other settings is in its folder.
        """
        return self.weights.is_file() and step_of(to_resume(self.config)) == self.config.steps


def plan(name: str, **changes: Any) -> list[Run]:
    """The runs of a recipe.

    Args:
        name: of the recipe.
        changes: settings instead of the recipe's, in every phase. ``out`` holds a folder for each phase if there are
            several; ``init`` is of the first, the others start where the one before ended.

    Raises:
        ValueError: no such recipe, or settings that do not fit a phase.
    """
    of_name: Recipe = recipe(name)
    out = Path(changes.pop("out", Path("runs") / name))
    several = len(of_name.phases) > 1
    runs: dict[str, Run] = {}
    for phase in of_name.phases:
        settings = {**phase.settings, **changes, "out": out / phase.name if several else out}
        if phase.after:
            settings["init"] = (str(runs[phase.after].weights),)
        config = TrainConfig(**settings)
        written = {run.weights for run in runs.values()}
        needs = tuple(path for path in _files(config) if path not in written)
        runs[phase.name] = Run(replace(phase, settings=settings), config, needs)
    return list(runs.values())


def single(**settings: Any) -> Run:
    """A run without a recipe."""
    config = TrainConfig(**settings)
    return Run(Phase("run", settings), config, tuple(_files(config)))


def missing(runs: Sequence[Run]) -> dict[Path, str]:
    """Files that the runs need and that are not there, with what they are; runs that are done need nothing."""
    return {
        path: run.phase.needs.get(str(path), "")
        for run in runs
        if not run.is_done
        for path in run.needs
        if not path.exists()
    }


def to_render(name: str, runs: Sequence[Run]) -> list[tuple[Rendering, str]]:
    """Of a recipe the shards that its runs read and that are not there, with their split."""
    read = {spec.folder for run in runs if not run.is_done for spec in _sources(run.config)}
    return [
        (each, split)
        for each in recipe(name).renderings
        if Path(each.folder) in read
        for split in each.splits
        if not any((Path(each.folder) / split).glob("shard-*"))
    ]


def _sources(config: TrainConfig) -> list[SourceSpec]:
    return [SourceSpec.parse(text) for text in (*config.data, *config.val_data)]


def _files(config: TrainConfig) -> list[Path]:
    """What a run reads that is on disk: weights to start from, and folders of data."""
    weights = [Path(text.rpartition("=")[2]) for text in config.init]
    folders = [spec.folder for spec in _sources(config) if spec.folder is not None]
    return list(dict.fromkeys([*(path for path in weights if path.suffix == ".safetensors"), *folders]))
