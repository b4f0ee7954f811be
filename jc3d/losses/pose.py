"""The pose loss, which the paper does not have."""

from __future__ import annotations

from torch import Tensor

from jc3d.nn.pose_head import AZIMUTH_BINS, azimuth_log_likelihood, elevation_distance_scores


def pose_loss(scores: Tensor, poses: Tensor) -> Tensor:
    """The mean over all views of :func:`pose_losses`, to which views of unknown pose add nothing.

    So it is the mean of the losses of a batch's parts, whichever process has the unknown ones.

    Args:
        scores: (..., AZIMUTH_BINS + 2), as of :class:`jc3d.nn.pose_head.PoseHead`.
        poses: (..., 3); NaN where not known.

    Returns:
        A scalar.
    """
    told = known(poses)
    return pose_losses(scores[told], poses[told]).sum() / told.numel()


def pose_losses(scores: Tensor, poses: Tensor) -> Tensor:
    """Cross-entropy of the azimuth and twice the squares of the rest, (..., AZIMUTH_BINS + 2), (..., 3) -> (...).

    Twice, because a wrong azimuth costs nats and a distance 5 % off, which shifts the cube's faces by most of a cell,
    hundredths.
    """
    squares = (scores[..., AZIMUTH_BINS:] - elevation_distance_scores(poses)).square()
    return 2.0 * (squares[..., 0] + squares[..., 1]) - azimuth_log_likelihood(scores, poses[..., 0])


def known(poses: Tensor) -> Tensor:
    """(..., 3) -> (...) bool: views whose pose is known."""
    return poses.isfinite().all(dim=-1)
