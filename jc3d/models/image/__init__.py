"""Models that code images."""
