"""The random stream is the same everywhere, and its draws have the distributions they claim."""

from __future__ import annotations

import numpy as np
import pytest

from jc3d.data.counter_rng import Random

FROZEN_INTEGERS = [339, 973, 248, 662, 952, 882, 642, 436]
FROZEN_UNIFORMS = [0.7095859935713215, 0.14136329149572646, 0.431521151191231, 0.20974784645675681]


def test_the_stream_is_frozen() -> None:
    rng = Random(2024, 1)
    assert [rng.integers(0, 1000) for _ in range(8)] == FROZEN_INTEGERS
    assert [rng.uniform() for _ in range(4)] == FROZEN_UNIFORMS


def test_equal_names_give_equal_streams_and_others_differ() -> None:
    names = [(0,), (1,), (-1,), (0, 0), (0, 1), (1, 0), (0, 0, 0), (2**64,), (2**63, 5)]
    first = {name: tuple(Random(*name).uniforms(4)) for name in names}
    assert all(tuple(Random(*name).uniforms(4)) == draws for name, draws in first.items())
    # 2**64 is 0 modulo the word size: the one pair of names that coincides.
    assert len(set(first.values())) == len(names) - 1


def test_split_appends_to_the_name_and_draws_nothing() -> None:
    parent = Random(7)
    before = parent.split(3).uniform()
    parent.uniforms(1000)
    assert parent.split(3).uniform() == before == Random(7, 3).uniform()
    assert Random(7).split(3, 4).uniform() == Random(7).split(3).split(4).uniform()


def test_neighbouring_seeds_are_unrelated() -> None:
    draws = np.array([Random(seed).uniforms(64) for seed in range(200)])
    correlation = np.corrcoef(draws)
    assert np.abs(correlation - np.eye(200)).max() < 0.65  # 5 sigma for 64 samples is 0.62
    assert abs(draws.mean() - 0.5) < 0.01


def test_uniform_fills_its_range() -> None:
    draws = Random(1).uniforms(20000, -2.0, 3.0)
    assert draws.dtype == np.float64
    assert draws.min() >= -2.0
    assert draws.max() < 3.0
    counts, _ = np.histogram(draws, bins=20, range=(-2.0, 3.0))
    assert counts.min() > 850
    assert counts.max() < 1150


def test_integers_cover_the_range_evenly() -> None:
    rng = Random(2)
    counts = np.bincount([rng.integers(-3, 4) + 3 for _ in range(14000)], minlength=7)
    assert len(counts) == 7
    assert counts.min() > 1800
    assert counts.max() < 2200
    with pytest.raises(ValueError, match="hi: expected more than lo = 2, got 2"):
        rng.integers(2, 2)


def test_chance_and_choice_follow_their_weights() -> None:
    rng = Random(3)
    assert np.mean([rng.chance(0.2) for _ in range(10000)]) == pytest.approx(0.2, abs=0.02)
    drawn = [rng.choice("abc", (1.0, 0.0, 3.0)) for _ in range(10000)]
    assert "b" not in drawn
    assert drawn.count("c") / len(drawn) == pytest.approx(0.75, abs=0.02)
    assert {rng.choice((1, 2, 3)) for _ in range(100)} == {1, 2, 3}


@pytest.mark.parametrize("weights", [(1.0,), (0.0, 0.0), (1.0, -1.0), (float("nan"), 1.0)])
def test_weights_that_do_not_fit_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="weights: expected 2"):
        Random(0).choice("ab", weights)


def test_a_choice_from_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="options: expected at least one"):
        Random(0).choice(())


def test_normal_has_its_mean_and_deviation() -> None:
    rng = Random(4)
    draws = np.array([rng.normal(2.0, 0.5) for _ in range(20000)])
    assert draws.mean() == pytest.approx(2.0, abs=0.02)
    assert draws.std() == pytest.approx(0.5, abs=0.015)
    assert (np.abs(draws - 2.0) < 0.5).mean() == pytest.approx(0.683, abs=0.015)


def test_distinct_draws_every_integer_once_and_all_orders() -> None:
    rng = Random(4)
    draws = {tuple(rng.distinct(2, 3)) for _ in range(200)}
    assert draws == {(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)}
    assert rng.distinct(0, 5) == []
    assert sorted(rng.distinct(5, 5)) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="count: expected 0 to 5, got 6"):
        rng.distinct(6, 5)
