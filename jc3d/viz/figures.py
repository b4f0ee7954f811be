"""What the drawings share: views as pixels, and figures as PNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pixels_of_views(views: NDArray[np.generic] | Tensor | None) -> NDArray[np.generic]:
    """Views (V, 3, H, W) as pixels (V, H, W, 3); without views none.

    Raises:
        ValueError: another shape.
    """
    if views is None:
        return np.empty((0, 1, 1, 3))
    images = views.detach().cpu().numpy() if isinstance(views, Tensor) else np.asarray(views)
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"views: expected (V, 3, H, W), got {images.shape}")
    return images.transpose(0, 2, 3, 1)


def png_of_figure(figure: Figure) -> bytes:
    """The bytes of a PNG on white."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    return buffer.getvalue()
