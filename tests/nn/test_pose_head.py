"""What pose scores mean."""

import math

import pytest
import torch

from jc3d.nn.pose_head import AZIMUTH_BINS, azimuth_log_likelihood, elevation_distance_scores, most_likely_pose

BIN = 360 / AZIMUTH_BINS


def scores(likelihoods: dict[int, float], elevation: float = 0.0, distance: float = 0.0) -> torch.Tensor:
    """Scores of one view: bins with likelihoods, the rest next to impossible."""
    row = torch.full((AZIMUTH_BINS + 2,), -30.0)
    for index, likelihood in likelihoods.items():
        row[index] = math.log(likelihood)
    row[-2:] = torch.tensor([elevation, distance])
    return row


@pytest.mark.parametrize(
    ("likelihoods", "azimuth"),
    [
        ({3: 1.0}, 3 * BIN),
        ({3: 0.5, 4: 0.5}, 3.5 * BIN),
        ({0: 0.6, AZIMUTH_BINS - 1: 0.4}, -0.4 * BIN),  # across north
        ({3: 0.4, 15: 0.3, 27: 0.3}, 3 * BIN),  # symmetric objects: one of them, not their mean
    ],
)
def test_likeliest_azimuth_is_a_mean_about_the_best_bin(likelihoods: dict[int, float], azimuth: float) -> None:
    pose = most_likely_pose(scores(likelihoods))
    assert pose[0].item() == pytest.approx(azimuth, abs=1e-3)


def test_elevation_and_distance_are_told_from_the_middle_of_the_protocol() -> None:
    torch.testing.assert_close(most_likely_pose(scores({0: 1.0}))[1:], torch.tensor([27.5, math.exp(0.5)]))
    pose = most_likely_pose(scores({0: 1.0}, 1.0, -1.0))
    torch.testing.assert_close(pose[1:], torch.tensor([29.5, math.exp(0.25)]))


@pytest.mark.parametrize("score", [-200.0, 200.0])
def test_no_pose_is_told_from_which_the_cube_cannot_be_seen_whole(score: float) -> None:
    pose = most_likely_pose(scores({0: 1.0}, score, score))
    assert 0 <= pose[1] <= 60
    assert 3**0.5 / 2 < pose[2] < 5  # beyond the cube's corner


def test_log_likelihood_is_shared_by_the_two_nearest_bins_all_around() -> None:
    row = torch.randn(AZIMUTH_BINS + 2)
    log_prob = row[:AZIMUTH_BINS].log_softmax(0)
    for azimuth, low, share in ((0.0, 0, 0.0), (10 * BIN + 0.25 * BIN, 10, 0.25), (-0.5 * BIN, -1, 0.5), (720.0, 0, 0)):
        expected = log_prob[low] * (1 - share) + log_prob[low + 1] * share
        torch.testing.assert_close(azimuth_log_likelihood(row, torch.tensor(azimuth)), expected)


def test_leading_dimensions_are_kept() -> None:
    rows = torch.randn(2, 5, AZIMUTH_BINS + 2)
    poses = most_likely_pose(rows)
    assert poses.shape == (2, 5, 3)
    torch.testing.assert_close(most_likely_pose(rows[1, 2]), poses[1, 2])


def test_scores_of_elevation_and_distance_are_those_they_are_told_by() -> None:
    rows = 2 * torch.rand(2, 5, AZIMUTH_BINS + 2) - 1  # none is further from the protocol than poses may be
    torch.testing.assert_close(elevation_distance_scores(most_likely_pose(rows)), rows[..., AZIMUTH_BINS:])
