"""Grids as files, and the parts of a model for other runtimes (:mod:`jc3d.export.model_parts`)."""

from jc3d.export.grids import GRID_SUFFIXES, box_mesh, check_suffix, save_occupancy, surface_mesh

__all__ = ["GRID_SUFFIXES", "box_mesh", "check_suffix", "save_occupancy", "surface_mesh"]
