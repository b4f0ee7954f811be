"""What training minimises, a file a term ([J] eqs. 14 to 16)."""

from jc3d.losses.image import compression_loss
from jc3d.losses.occupancy import occupancy_loss

__all__ = ["compression_loss", "occupancy_loss"]
