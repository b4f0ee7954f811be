"""Models that reconstruct shapes."""
