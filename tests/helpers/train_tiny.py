"""``python train_tiny.py SHARDS OUT PRESET...``: a few steps of each; under torchrun it is one process of several."""

import sys
from pathlib import Path
from typing import Any

from jc3d.train import TrainConfig, train


def config(shards: Path, out: Path, preset: str = "r2n2-small", **changes: Any) -> TrainConfig:
    settings: dict[str, Any] = {
        "out": out,
        "data": (f"shards={shards}",),
        "val_data": (f"shards={shards}",),
        "steps": 6,
        "batch_size": 4,
        "learning_rate": 1e-4,
        "warmup": 2,
        "max_views": 3,
        "val_objects": 4,
        "checkpoint_every": 2,
        "workers": 0,
        "threads": 1,
        "progress": False,
    }
    if not preset.startswith("rnn-"):
        settings["teacher_forcing"] = 1.0  # the likeliest bin of a pose can change by rounding, and the loss with it
    if not preset.startswith(("r2n2-", "implicit-")):
        settings |= {"max_views": 2, "val_objects": 2}  # images of several iterations cost many times as much
    return TrainConfig(preset=preset, **{**settings, **changes})


def loss_curve(out: Path) -> list[float]:
    """The losses that a run has logged, by step."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curve: dict[int, float] = {}
    for file in sorted((out / "tensorboard").glob("events.*")):
        events = EventAccumulator(str(file)).Reload()
        if "train/loss" in events.Tags()["scalars"]:
            curve |= {event.step: event.value for event in events.Scalars("train/loss")}
    return [curve[step] for step in sorted(curve)]


if __name__ == "__main__":
    for name in sys.argv[3:]:
        train(config(Path(sys.argv[1]), Path(sys.argv[2]) / name, name))
