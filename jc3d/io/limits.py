"""How large images may be: what is decoded, what a ``.jc3d`` file can say, what models and classical codecs take."""

MAX_PIXELS = 64 * 1024 * 1024
"""Most pixels of an image."""

MAX_SIDE = 2**16 - 1
"""Largest height and width of an image in pixels: a ``.jc3d`` file has two bytes for each."""
