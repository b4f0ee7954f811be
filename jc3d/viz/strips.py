"""Progressive strips: the same views at several rates, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from jc3d.errors import require_extra
from jc3d.viz.figures import pixels_of_views, png_of_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_strip(steps: Sequence[NDArray[np.generic] | Tensor], labels: Sequence[str]) -> Figure:
    """Draws the same views at several rates: a row a view, a column a rate.

    Args:
        steps: of each rate (V, 3, H, W), uint8 or floats in [0, 1]; V, H and W are those of the first.
        labels: one a rate, written above its column.

    Returns:
        A matplotlib figure, not registered with pyplot.

    Raises:
        ValueError: no rate, a label too many or too few, or an argument of another shape.
        MissingExtraError: matplotlib is not installed.
    """
    figures = require_extra("matplotlib.figure", "viz")
    columns = [pixels_of_views(step) for step in steps]
    if not columns or len(columns) != len(labels):
        raise ValueError(f"labels: expected one for each of {len(columns)} rates, at least one, got {len(labels)}")
    shape = columns[0].shape
    for index, column in enumerate(columns):
        if column.shape != shape:
            raise ValueError(f"steps[{index}]: expected {shape} as the first (V, H, W, 3), got {column.shape}")
    views, height, width, _ = shape
    cell = 1.6  # inches wide
    size = (cell * len(columns), (cell * height / width) * views + 0.3)
    figure: Figure = figures.Figure(figsize=size, dpi=110, layout="constrained")
    axes = figure.subplots(views, len(columns), squeeze=False)
    for row in range(views):
        for axis, images in zip(axes[row], columns, strict=True):
            axis.set_axis_off()
            axis.imshow(images[row], vmin=0.0, vmax=1.0)
    for axis, label in zip(axes[0], labels, strict=True):
        axis.set_title(label, fontsize=8)
    return figure


def strip_png(steps: Sequence[NDArray[np.generic] | Tensor], labels: Sequence[str]) -> bytes:
    """The bytes of a PNG of :func:`draw_strip`; same arguments and errors."""
    return png_of_figure(draw_strip(steps, labels))
