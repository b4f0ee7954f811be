"""``jc3d models``: what there is to choose from."""

from __future__ import annotations

from jc3d.cli.console import console, new_table


def models() -> None:
    """List the architectures, and the packaged weights with what they cost and score."""
    import torch

    from jc3d import models as zoo
    from jc3d.models.weights import build

    packaged = zoo.packaged()
    table = new_table("model", "bits a view", "ratio", "parameters", "weights", "val mIoU", "val L1")
    for name in sorted(zoo.PRESETS.keys() | set(packaged)):
        weights, miou, l1 = "", "", ""
        if name in packaged:
            path = zoo.packaged_path(name)
            metadata = zoo.read_metadata(path)
            config = metadata["config"]
            weights = f"{path.stat().st_size / 1e6:.1f} MB"
            info = metadata["info"]
            # Of several rates the lowest and the highest, in this order.
            miou = "..".join(f"{value:.3f}" for key, value in info.items() if key.startswith("val_miou"))
            l1 = f"{info['val_l1']:.4f}" if "val_l1" in info else ""
        else:
            config = zoo.preset(name)
        with torch.device("meta"):  # shapes only: the paper's widths are hundreds of megabytes
            parameters = sum(parameter.numel() for parameter in build(config).parameters())
        most = config.max_iterations
        bits = f"{config.code_bits}" if most == 1 else f"{config.code_bits} x 1..{most}"
        ratio = f"{config.ratio:.0f}:1" if most == 1 else f"{config.ratio:.0f}..{config.ratio / most:.0f}:1"
        table.add_row(name, bits, ratio, f"{parameters / 1e6:.2f} M", weights, miou, l1)
    console.print(table)
    console.print(
        "weights: packaged with jc3d; the others are architectures to train with `jc3d train`.\n"
        "val mIoU: of the training run that made the weights, 5 views, threshold 0.4; val L1: of the images\n"
        "over all iterations, in 0 to 1. Of several rates the lowest and the highest; the model cards say more."
    )
