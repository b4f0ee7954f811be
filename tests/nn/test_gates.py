"""The ways from a code to the gates."""

import pytest
import torch

from jc3d.nn import LinearGates, UnprojectedGates
from jc3d.nn.pose_head import most_likely_pose
from jc3d.ops import pack_bits


def unprojected(code_size: int = 1024, norm: bool = False, side: int = 16) -> UnprojectedGates:
    torch.manual_seed(0)
    return UnprojectedGates(
        code_size, 8, 4, 8, trunk_channels=12, context_size=10, unproject_channels=3, unproject_side=side, norm=norm
    ).eval()


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad])
def test_linear_gates_are_one_matrix(mode: type[torch.no_grad]) -> None:
    gates = LinearGates(5, 2, 4)
    codes = torch.randn(3, 5)
    with mode():
        view_gates = gates(codes)
    assert view_gates.x_gates.shape == (3, 6, 4, 4, 4)
    assert view_gates.skip_features.shape == (3, 0, 16, 16, 16)
    torch.testing.assert_close(view_gates.x_gates.flatten(1), codes @ gates.linear.weight.T + gates.linear.bias)


def test_linear_gates_take_packed_bits() -> None:
    gates, codes = LinearGates(21, 2, 4), torch.randn(3, 21).sign()
    torch.testing.assert_close(gates(pack_bits(codes)).x_gates, gates(codes).x_gates)


@pytest.mark.parametrize("side", [16, 32])
@pytest.mark.parametrize("code_size", [64, 820, 832, 1024])
def test_unprojected_gates_have_the_size_of_the_cube(code_size: int, side: int) -> None:
    view_gates = unprojected(code_size, side=side)(torch.randn(3, code_size))
    assert view_gates.x_gates.shape == (3, 12, 8, 8, 8)
    assert view_gates.skip_features.shape == (3, 32, 16, 16, 16)


def test_what_was_not_sent_is_zero() -> None:
    gates = unprojected(820)
    codes = torch.randn(2, 820)
    whole = unprojected(832)
    whole.load_state_dict(gates.state_dict())
    torch.testing.assert_close(gates(codes), whole(torch.cat((codes, torch.zeros(2, 12)), dim=1)))


def test_views_are_placed_by_poses() -> None:
    gates, codes = unprojected(), torch.randn(2, 1024)
    with torch.no_grad():
        read = gates.read(codes)
        assert read.pose_scores is not None
        poses = most_likely_pose(read.pose_scores)
        torch.testing.assert_close(gates.place(read, poses), gates(codes))
        moved = gates.place(read, poses + torch.tensor([180.0, 0.0, 0.0]))
    assert (moved.x_gates - gates(codes).x_gates).abs().max() > 1e-2


def test_turning_every_pose_turns_what_is_unprojected() -> None:
    """A quarter more azimuth is the cube turned by a quarter, up to where a unit reads its eight points from."""
    gates, maps = unprojected(), torch.randn(2, 3, 16, 16)
    pose = torch.tensor([[20.0, 27.0, 1.6], [250.0, 26.0, 1.2]])
    turned = gates.unproject(maps, pose + torch.tensor([90.0, 0.0, 0.0]))
    torch.testing.assert_close(turned, torch.rot90(gates.unproject(maps, pose), 1, dims=(-1, -3)), rtol=1e-4, atol=1e-4)


def test_gradients_reach_every_parameter_but_the_pose_of_a_chosen_placement() -> None:
    gates = unprojected().train()
    read = gates.read(torch.randn(2, 1024))
    assert read.pose_scores is not None
    gates.place(read, most_likely_pose(read.pose_scores.detach())).x_gates.square().sum().backward()
    missing = {name for name, p in gates.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0}
    assert missing == {"pose.linear.weight", "pose.linear.bias"}


def test_a_matrix_places_nothing() -> None:
    gates, codes = LinearGates(5, 2, 4), torch.randn(3, 5)
    read = gates.read(codes)
    assert read.pose_scores is None
    torch.testing.assert_close(gates.place(read, torch.zeros(3, 3)), gates(codes))
