"""Pictures of grids and of views."""

from jc3d.viz.grids import draw, picture_png, save_picture
from jc3d.viz.strips import draw_ladder, ladder_png

__all__ = ["draw", "draw_ladder", "ladder_png", "picture_png", "save_picture"]
