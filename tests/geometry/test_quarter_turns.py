"""The direction of the quarter turns, and which of them is taken."""

import torch

from jc3d.geometry.quarter_turns import best_turn, quarter_turns, take_turn


def test_quarter_turn_takes_z_towards_x() -> None:
    grid = torch.zeros(4, 4, 4, dtype=torch.bool)
    grid[2, 1, 3] = True  # near the +Z face
    turned = quarter_turns(grid)
    assert turned[0].equal(grid)
    assert turned[1].nonzero().tolist() == [[3, 1, 1]]  # near the +X face
    assert turned[2].nonzero().tolist() == [[1, 1, 0]]


def test_the_turn_of_the_largest_score_is_taken() -> None:
    grid = torch.rand(3, 2, 5, 4, 5, generator=torch.Generator().manual_seed(0)) < 0.5
    scores = torch.rand(3, 2, 4, generator=torch.Generator().manual_seed(1))
    turned, turns = quarter_turns(grid), best_turn(scores)
    assert len(turns.unique()) > 1
    taken = take_turn(turned, turns)
    for i in range(3):
        for j in range(2):
            best = int(turns[i, j])
            assert scores[i, j, best] == scores[i, j].max()
            assert torch.equal(taken[i, j], torch.rot90(grid[i, j], best, dims=(2, 0)))
