"""What the drawings share."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _images(views: NDArray[np.generic] | Tensor | None) -> NDArray[np.generic]:
    """Views as (V, H, W, 3)."""
    if views is None:
        return np.empty((0, 1, 1, 3))
    images = views.detach().cpu().numpy() if isinstance(views, Tensor) else np.asarray(views)
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"views: expected (V, 3, H, W), got {images.shape}")
    return images.transpose(0, 2, 3, 1)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    return buffer.getvalue()
