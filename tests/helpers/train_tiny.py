"""``python train_tiny.py SHARDS OUT PRESET``: a few steps; under torchrun it is one process of several."""

import sys
from pathlib import Path

from jc3d.train import TrainConfig, train


def config(shards: Path, out: Path, **changes: object) -> TrainConfig:
    settings: dict[str, object] = {
        "preset": "r2n2-small",
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
        "forced": 1.0,  # the likeliest bin of a pose can change by rounding, and the loss with it
        "progress": False,
    }
    return TrainConfig(**{**settings, **changes})  # type: ignore[arg-type]


if __name__ == "__main__":
    train(config(Path(sys.argv[1]), Path(sys.argv[2]), preset=sys.argv[3]))
