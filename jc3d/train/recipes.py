"""Every training that this project documents, as data: ``jc3d train --recipe NAME``.

A recipe without a suffix trains a model from fresh weights, or from packaged ones as far as they go. One that ends in
``-packaged`` has the last commands of a model card, which begin with files that are not packaged any more;
:attr:`Phase.needs` says what these are.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Rendering:
    """Objects to render once into shards before training (``jc3d prerender``).

    Attributes:
        source: of the objects, such as ``procedural``; ``FOLDER`` stands for one of the user's.
        folder: of the shards.
        count: objects of split ``train``.
        val_count: objects of split ``val``.
        views: of each object.
    """

    source: str
    folder: str
    count: int
    val_count: int = 128
    views: int = 6

    @property
    def splits(self) -> dict[str, int]:
        """Objects of each split."""
        return {"train": self.count, "val": self.val_count}

    def command(self, split: str) -> str:
        """The command that renders a split."""
        count = self.splits[split]
        return f"jc3d prerender {self.source} {self.folder} --split {split} --count {count} --views {self.views}"


@dataclass(frozen=True)
class Phase:
    """One run of a recipe.

    Attributes:
        name: folder of the run within the recipe's, where a recipe has several.
        settings: what differs from the defaults of :class:`jc3d.train.TrainConfig`.
        after: phase whose weights this one starts from.
        needs: files that the settings name and nothing here makes, with what they are.
        commit: of the code that trained the packaged weights so; "" for those that were not.
        note: what the settings do not say.
    """

    name: str
    settings: Mapping[str, Any]
    after: str = ""
    needs: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    note: str = ""


@dataclass(frozen=True)
class Recipe:
    """Phases that follow each other.

    Attributes:
        about: what it trains, in a sentence.
        phases: in order.
        renderings: of the shards that the phases read.
    """

    about: str
    phases: tuple[Phase, ...]
    renderings: tuple[Rendering, ...] = ()


def recipe(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        ValueError: there is none.
    """
    if name not in RECIPES:
        raise ValueError(f"recipe: expected one of {', '.join(RECIPES)}, got {name!r}")
    return RECIPES[name]


def command(settings: Mapping[str, Any]) -> str:
    """The ``jc3d train`` command of some settings."""
    words = ["jc3d", "train"]
    for name, value in settings.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            for each in value if isinstance(value, tuple) else (value,):
                words += [f"--{option}", str(each)]
    return shlex.join(words)


def weights_of(out: Path, preset: str) -> Path:
    """The file that a run writes."""
    return out / f"{preset}.safetensors"


_QUIET = {"threads": 1, "workers": 0, "progress": False}


def _shards(procedural: float, meshes: float) -> dict[str, Any]:
    """Both kinds of objects by their shares."""
    return {
        "data": (f"shards=shards/procedural@{procedural}", f"shards=shards/meshes@{meshes}"),
        "val_data": ("shards=shards/procedural", "shards=shards/meshes"),
    }


def _renderings(procedural: int, meshes: int) -> tuple[Rendering, ...]:
    return (
        Rendering("procedural", "shards/procedural", procedural),
        Rendering("meshes=FOLDER", "shards/meshes", meshes),
    )


def _shape(preset: str) -> Recipe:
    common = {"preset": preset, "batch_size": 16, "precision": "bf16-mixed", "checkpoint_every": 500, **_QUIET}
    further = {**common, "steps": 8_000, "learning_rate": 1.5e-3, "warmup": 200}
    by_adam = "The packaged weights were trained by AdamW alone here, and the preset unprojected a coarser map."
    fresh = {**common, "steps": 8_500, "val_objects": 96, "pose_weight": 0.1, **_shards(0.7, 0.3)}
    return Recipe(
        f"{preset} from fresh weights in 24,500 steps, as the packaged ones were trained.",
        (
            Phase("first", fresh, commit="c5e5af9", note=f"{by_adam} The last 20,480 objects were not there yet."),
            Phase(
                "second",
                {**further, "val_objects": 96, **_shards(0.75, 0.25)},
                after="first",
                commit="118bba0",
                note="The packaged weights were trained by AdamW alone here.",
            ),
            Phase("third", {**further, "val_objects": 128, **_shards(0.8, 0.2)}, after="second", commit="8fc3e43"),
        ),
        _renderings(51_200, 6_400),
    )


_JOINT_DATA = _renderings(20_480, 2_560)
_CARD = {"precision": "32-true", **_QUIET, **_shards(0.85, 0.15)}
_ONE_VIEW = {"min_views": 1, "max_views": 1}
_OLD_COLOURS = "of commit 0b1625b with layers for colours added (docs/results/open_colours.py of that time)"

RECIPES: dict[str, Recipe] = {
    "r2n2-small": _shape("r2n2-small"),
    "implicit-384": _shape("implicit-384"),
    "implicit-384-procedural": Recipe(
        "A twin of implicit-384 that sees no mesh, from fresh weights; the results compare both.",
        (
            Phase(
                "only",
                {
                    "preset": "implicit-384",
                    "steps": 1_000,
                    "batch_size": 16,
                    "precision": "bf16-mixed",
                    "checkpoint_every": 500,
                    "data": ("shards=shards/procedural",),
                },
                commit="118bba0",
                note="It was trained by AdamW alone then.",
            ),
        ),
        (Rendering("procedural", "shards/procedural", 51_200),),
    ),
    "rnn-small": Recipe(
        "rnn-small from fresh weights.",
        (
            Phase(
                "only",
                {"preset": "rnn-small", **_ONE_VIEW, "learning_rate": 4e-3, "ssim_weight": 1.0, "colour_weight": 3.0},
            ),
        ),
    ),
    "sequential": Recipe(
        "sequential from packaged parts: its R2N2 learns to read what the compressor decodes.",
        (
            Phase(
                "only",
                {
                    "preset": "sequential",
                    "init": ("compressor=rnn-small", "reconstruction=r2n2-small"),
                    "frozen": ("compressor",),
                    "learning_rate": 5e-4,
                },
            ),
        ),
    ),
    "direct": Recipe(
        "direct from packaged parts: the compressor learns to speak to what reconstructs.",
        (
            Phase(
                "only",
                {
                    "preset": "direct",
                    "init": ("compressor=rnn-small", "reconstruction=implicit-384"),
                    "reconstruction_lr_scale": 0.3,
                    "ssim_weight": 1.0,
                    "colour_weight": 3.0,
                },
            ),
        ),
    ),
    "rnn-small-packaged": Recipe(
        "The last commands of the packaged rnn-small.",
        (
            Phase(
                "colours",
                {
                    "preset": "rnn-small",
                    "steps": 1_200,
                    "init": ("start/rnn-small-3.safetensors",),
                    "seed": 3,
                    "batch_size": 12,
                    "learning_rate": 2e-3,
                    "warmup": 50,
                    "min_iterations": 2,
                    "ssim_weight": 0.5,
                    "colour_weight": 4.0,
                    **_ONE_VIEW,
                    **_CARD,
                    "checkpoint_every": 200,
                },
                needs={"start/rnn-small-3.safetensors": f"the rnn-small {_OLD_COLOURS}"},
                commit="94f69a4",
                note="The packaged weights went on from step 200 of these 1,200, over all of which the learning rate "
                "falls. The recipe goes on from the best checkpoint of all, which may be a later one.",
            ),
            Phase(
                "detail",
                {
                    "preset": "rnn-small",
                    "steps": 720,
                    **_CARD,
                    "seed": 4,
                    "batch_size": 12,
                    "learning_rate": 2e-3,
                    "warmup": 20,
                    "min_iterations": 2,
                    "ssim_weight": 1.0,
                    "colour_weight": 3.0,
                    **_ONE_VIEW,
                    "val_objects": 8,
                    "checkpoint_every": 120,
                },
                after="colours",
                commit="75b38c7",
            ),
        ),
        _JOINT_DATA,
    ),
    "sequential-packaged": Recipe(
        "The last command of the packaged sequential, with the compressor of the packaged rnn-small.",
        (
            Phase(
                "only",
                {
                    "preset": "sequential",
                    "steps": 160,
                    **_CARD,
                    "init": ("start/sequential-3.safetensors", "compressor=rnn-small"),
                    "frozen": ("compressor",),
                    "seed": 5,
                    "batch_size": 8,
                    "learning_rate": 5e-4,
                    "warmup": 10,
                    "val_objects": 16,
                    "checkpoint_every": 80,
                },
                needs={"start/sequential-3.safetensors": "the packaged sequential of commit 0b1625b"},
                commit="c8223b4",
            ),
        ),
        _JOINT_DATA,
    ),
    "direct-packaged": Recipe(
        "The last command of the packaged direct.",
        (
            Phase(
                "only",
                {
                    "preset": "direct",
                    "steps": 800,
                    **_CARD,
                    "init": ("start/direct-3.safetensors",),
                    "seed": 3,
                    "batch_size": 6,
                    "learning_rate": 2e-3,
                    "reconstruction_lr_scale": 0.3,
                    "warmup": 50,
                    "ssim_weight": 0.5,
                    "colour_weight": 4.0,
                    "val_objects": 16,
                    "checkpoint_every": 200,
                },
                needs={"start/direct-3.safetensors": f"the direct {_OLD_COLOURS}"},
                commit="94f69a4",
            ),
        ),
        _JOINT_DATA,
    ),
}
