"""Procedural objects: disjoint splits, and samples that are functions of their numbers."""

import warnings

import pytest
import torch

from jc3d.data.sources.procedural import ProceduralSource


def test_procedural_splits_share_no_seed() -> None:
    ranges = [ProceduralSource(split).seeds for split in ("train", "val", "test")]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert ranges[first].stop <= ranges[second].start or ranges[second].stop <= ranges[first].start
    assert len(ranges[2]) >= 1000


def test_a_sample_is_a_function_of_its_numbers() -> None:
    source = ProceduralSource("train")
    first, again, other = source.get(3, 5, 2), source.get(3, 5, 2), source.get(3, 6, 2)
    assert torch.equal(first.views, again.views)
    assert torch.equal(first.grid, again.grid)
    assert not torch.equal(first.views, other.views)
    assert not first.ambiguous_front


def test_test_objects_are_not_augmented_and_training_objects_are() -> None:
    train, test = ProceduralSource("train"), ProceduralSource("test")
    assert not torch.equal(train.get(0, 1, 1).grid, train.get(0, 2, 1).grid)
    assert torch.equal(test.get(0, 1, 1).grid, test.get(0, 2, 1).grid)


def test_the_seed_had_another_name() -> None:
    source = ProceduralSource("test")
    with pytest.warns(DeprecationWarning, match="draw: the argument is named seed now"):
        old = source.get(0, draw=3, views=1)  # type: ignore[call-arg]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(old.views, source.get(0, seed=3, views=1).views)
