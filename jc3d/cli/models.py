"""``jc3d models``: what there is to choose from."""

from __future__ import annotations

from jc3d.cli.console import console, new_table


def models() -> None:
    """List the architectures, and the packaged weights with what they cost and score."""
    import torch

    from jc3d import models as zoo
    from jc3d.models.weights import build

    packaged = zoo.packaged()
    table = new_table("model", "bits a view", "ratio", "parameters", "weights", "val mIoU")
    for name in sorted(zoo.PRESETS.keys() | set(packaged)):
        weights, score = "", ""
        if name in packaged:
            path = zoo.packaged_path(name)
            metadata = zoo.read_metadata(path)
            config = metadata["config"]
            weights = f"{path.stat().st_size / 1e6:.1f} MB"
            miou = metadata["info"].get("val_miou")
            score = "" if miou is None else f"{miou:.3f}"
        else:
            config = zoo.preset(name)
        with torch.device("meta"):  # shapes only: the paper's widths are hundreds of megabytes
            parameters = sum(parameter.numel() for parameter in build(config).parameters())
        table.add_row(name, f"{config.code_bits}", f"{config.ratio:.0f}:1", f"{parameters / 1e6:.2f} M", weights, score)
    console.print(table)
    console.print(
        "weights: packaged with jc3d; the others are architectures to train with `jc3d train`.\n"
        "val mIoU: of the training run that made the weights, 5 views, threshold 0.4; the model cards say more."
    )
