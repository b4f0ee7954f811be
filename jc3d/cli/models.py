"""``jc3d models``: what there is to choose from."""

from __future__ import annotations

from jc3d.cli.console import console, new_table


def models() -> None:
    """List the architectures, and the packaged weights with what they cost and score."""
    import torch

    from jc3d import models as zoo

    packaged = zoo.packaged()
    table = new_table("model", "bits", "ratio", "parameters", "weights", "val mIoU")
    for name in sorted(zoo.presets().keys() | set(packaged)):
        weights, miou = "", ""
        if name in packaged:
            path = zoo.packaged_path(name)
            metadata = zoo.read_metadata(path)
            config = metadata["config"]
            weights = f"{path.stat().st_size / 1e6:.1f} MB"
            info = metadata["info"]
            mious = [value for key, value in info.items() if key.startswith("val_miou")]  # the lowest rate's first
            miou = f"{mious[0]:.3f}" if mious else ""
        else:
            config = zoo.preset(name)
        with torch.device("meta"):  # shapes only: the paper's widths are hundreds of megabytes
            parameters = sum(parameter.numel() for parameter in zoo.build(config).parameters())
        most = config.max_iterations
        ratio = f"{config.ratio:.0f}:1" if most == 1 else f"{config.ratio:.0f}..{config.ratio / most:.0f}:1"
        table.add_row(name, f"{config.code_bits}", ratio, f"{parameters / 1e6:.2f} M", weights, miou)
    console.print(table)
    console.print(
        "bits: of a view, and of models with a range of ratios one iteration's.\n"
        "weights: packaged with jc3d; the others are to train with `jc3d train`.\n"
        "val mIoU: of the run that made the weights, 5 views, threshold 0.4, and the\n"
        "highest ratio; the model cards say more."
    )
