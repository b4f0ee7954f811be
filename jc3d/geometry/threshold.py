"""When a cell counts as occupied; apart from the grids, so that command lines know it without torch."""

THRESHOLD = 0.4
"""τ of [J] §III-D and of 3D-R2N2: a cell is occupied where its probability is strictly above it."""
