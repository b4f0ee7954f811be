"""Brightness and colour differences of images, as JPEG has them."""

YCBCR_OF_RGB = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)
"""Rows: brightness Y, blue difference Cb, red difference Cr, the latter around zero (JFIF, ITU-T T.871)."""
