"""Pictures of grids, beside the views they were reconstructed from."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jc3d.errors import require_extra
from jc3d.geometry.cameras import TAN_HALF_FOV, Camera, camera_frames
from jc3d.geometry.occupancy import GridLike, checked_grid, occupied_cells
from jc3d.geometry.threshold import THRESHOLD
from jc3d.geometry.voxel_faces import NORMALS, voxel_faces
from jc3d.io.atomic import atomic_write
from jc3d.viz.figures import pixels_of_views, png_of_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIRECTIONS = (Camera(35.0, 25.0, 0.8), Camera(215.0, 25.0, 0.8))
"""Where grids are drawn from: before and behind, from the right and the left."""

_COLUMNS = 5  # views in a row
_LIGHT = np.array([0.35, 0.85, 0.45]) / math.sqrt(0.35**2 + 0.85**2 + 0.45**2)
_BLUE, _GREEN = np.array([0.36, 0.56, 0.88]), np.array([0.45, 0.72, 0.47])


def draw(
    grid: GridLike,
    views: NDArray[np.generic] | Tensor | None = None,
    truth: GridLike | None = None,
    threshold: float = THRESHOLD,
    labels: Sequence[str] = ("reconstruction", "truth"),
) -> Figure:
    """Draws a grid from two directions, with its views above and the truth beside it where given.

    Args:
        grid: (n, n, n) probabilities or bool.
        views: (V, 3, H, W), uint8 or floats in [0, 1].
        truth: (n, n, n) probabilities or bool.
        threshold: cells strictly above it are drawn.
        labels: what to call the grid and the truth.

    Returns:
        A matplotlib figure, not registered with pyplot.

    Raises:
        ValueError: an argument is of another shape or out of range.
        MissingExtraError: matplotlib is not installed.
    """
    figures = require_extra("matplotlib.figure", "viz")
    solids = [(label, occupied_cells(checked_grid(solid), threshold), color)
              for label, solid, color in zip(labels, (grid, truth), (_BLUE, _GREEN), strict=True)
              if solid is not None]  # fmt: skip
    images = pixels_of_views(views)
    columns = min(max(len(images), 1), _COLUMNS)
    rows = -(-len(images) // columns)
    cell = 1.3  # inches a view
    width = max(columns * cell, 2 * 2.6 * len(solids))
    figure: Figure = figures.Figure(figsize=(width, rows * cell + 2.9), dpi=110, layout="constrained")
    bands = figure.subfigures(2, 1, squeeze=False, height_ratios=(rows * cell, 2.9)).ravel() if rows else [figure]
    if rows:
        axes = bands[0].subplots(rows, columns, squeeze=False).ravel()
        for axis in axes:
            axis.set_axis_off()
        for axis, image in zip(axes, images, strict=False):
            axis.imshow(image, vmin=0.0, vmax=1.0)
    parts = bands[-1].subfigures(1, len(solids), squeeze=False).ravel()
    for part, (label, occupied, color) in zip(parts, solids, strict=True):
        part.suptitle(f"{label}, {int(occupied.sum())} cells", fontsize=9)
        for axis, camera in zip(part.subplots(1, len(DIRECTIONS)), DIRECTIONS, strict=True):
            _draw_solid(axis, occupied, camera, color)
    return figure


def _draw_solid(axis: Any, occupied: NDArray[np.bool_], camera: Camera, color: NDArray[np.float64]) -> None:
    """Paints the faces of the occupied cells that look at the camera, far ones first."""
    collections = require_extra("matplotlib.collections", "viz")
    axis.set_axis_off()
    axis.set_aspect("equal")
    if not occupied.any():
        axis.text(0.5, 0.5, "nothing", ha="center", va="center", transform=axis.transAxes)
        return
    size = len(occupied)
    frame = camera_frames([camera], torch.tensor([1.5]))  # far enough for the diagonal of any grid
    origin, right, up, forward = (vector[0].numpy() for vector in frame)
    corners, cells, sides = voxel_faces(occupied)
    points = corners / size - 0.5
    normals = NORMALS[sides]
    facing = ((origin - points[:, 0]) * normals).sum(axis=1) > 0
    points, normals, cells = points[facing], normals[facing], cells[facing]
    # A cell hides another only if it is nearer along each axis, so the sum of these distances is a safe order.
    distance = np.abs((cells + 0.5) / size - 0.5 - origin).sum(axis=1)
    order = np.argsort(-distance, kind="stable")
    points, normals, cells = points[order], normals[order], cells[order]
    offset = points - origin
    flat = np.stack([offset @ right, offset @ up], axis=2) / (offset @ forward)[:, :, None]
    light = 0.55 + 0.45 * np.clip(normals @ _LIGHT, 0.0, 1.0)
    height = 0.85 + 0.3 * cells[:, 1] / size  # tells layers apart where faces have one normal
    colors = np.clip(color * (light * height)[:, None], 0.0, 1.0)
    # Each face is outlined in a darker shade of its own colour; without a line the seams would shine through.
    axis.add_collection(collections.PolyCollection(flat, facecolors=colors, edgecolors=colors * 0.85, linewidths=0.3))
    middle, reach = (flat.min(axis=(0, 1)) + flat.max(axis=(0, 1))) / 2, TAN_HALF_FOV
    reach = min(reach, 0.53 * float((flat.max(axis=(0, 1)) - flat.min(axis=(0, 1))).max()))
    axis.set_xlim(middle[0] - reach, middle[0] + reach)
    axis.set_ylim(middle[1] - reach, middle[1] + reach)


def picture_png(
    grid: GridLike,
    views: NDArray[np.generic] | Tensor | None = None,
    truth: GridLike | None = None,
    threshold: float = THRESHOLD,
    labels: Sequence[str] = ("reconstruction", "truth"),
) -> bytes:
    """The bytes of a PNG of :func:`draw`; same arguments and errors."""
    return png_of_figure(draw(grid, views, truth, threshold, labels))


def save_picture(
    path: str | os.PathLike[str],
    grid: GridLike,
    views: NDArray[np.generic] | Tensor | None = None,
    truth: GridLike | None = None,
    threshold: float = THRESHOLD,
    labels: Sequence[str] = ("reconstruction", "truth"),
) -> None:
    """Writes a PNG of :func:`draw`, whole or not at all; same arguments.

    Raises:
        ValueError, MissingExtraError: as for :func:`draw`.
        OSError: the file cannot be written.
    """
    data = picture_png(grid, views, truth, threshold, labels)
    with atomic_write(path) as file:
        file.write(data)
