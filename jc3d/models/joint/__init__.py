"""Models that give images and shapes from one code."""
