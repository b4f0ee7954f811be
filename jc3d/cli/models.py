"""``jc3d models``: what there is to choose from."""

from __future__ import annotations

from jc3d.cli.console import console, new_table


def models() -> None:
    """List the architectures, and the packaged weights with what they cost and score."""
    import torch

    from jc3d import models as zoo
    from jc3d.models.validation_scores import validation_scores

    packaged = zoo.packaged()
    table = new_table("model", "bits", "ratio", "parameters", "weights", "val score")
    for name in sorted(zoo.presets().keys() | set(packaged)):
        weights, score = "", ""
        if name in packaged:
            path = zoo.packaged_path(name)
            metadata = zoo.read_metadata(path)
            config = metadata["config"]
            weights = f"{path.stat().st_size / 1e6:.1f} MB"
            scores = validation_scores(metadata["info"])
            score = f"{scores[0].label} {scores[0].mean:.3f}" if scores else ""  # of rates the lowest stands first
        else:
            config = zoo.preset(name)
        with torch.device("meta"):  # shapes only: the paper's widths are hundreds of megabytes
            parameters = sum(parameter.numel() for parameter in zoo.build(config).parameters())
        most = config.max_iterations
        ratio = f"{config.ratio:.0f}:1" if most == 1 else f"{config.ratio:.0f}..{config.ratio / most:.0f}:1"
        table.add_row(name, f"{config.code_bits}", ratio, f"{parameters / 1e6:.2f} M", weights, score)
    console.print(table)
    console.print(
        "bits: of a view, and of models with a range of ratios one iteration's.\n"
        "weights: packaged with jc3d; the others are to train with `jc3d train`.\n"
        "val score: of the run that made the weights. mIoU: of shapes, 5 views, threshold\n"
        "0.4, the highest ratio; L1: of images alone, the lowest ratio. The model cards\n"
        "say more."
    )
