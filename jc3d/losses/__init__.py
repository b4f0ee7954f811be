"""What training minimises, a file a term: [J] eqs. 14 and 15, and the poses of views."""

from jc3d.losses.image import compression_loss
from jc3d.losses.occupancy import occupancy_loss
from jc3d.losses.pose import pose_loss

__all__ = ["compression_loss", "occupancy_loss", "pose_loss"]
