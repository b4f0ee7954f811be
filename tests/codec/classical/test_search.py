"""The largest stream that fits, of encoders that are made up."""

from __future__ import annotations

import pytest

from jc3d.codec.classical.search import by_quality, by_rate
from jc3d.codec.classical.stream import Stream, Target


def stream_of(size: int) -> Stream:
    return Stream(bytes(size), 0, 1, 1, 1)


@pytest.mark.parametrize(("target", "size"), [(100, 95), (1000, 150), (45, 40), (10, 40)])
def test_by_quality_finds_the_last_that_fits_past_a_step_down(target: int, size: int) -> None:
    sizes = [50, 40, 60, 70, 90, 110, 95, 120, 130, 140, 150]
    assert len(by_quality(lambda quality: stream_of(sizes[quality]), range(11), Target(target, False)).data) == size


def test_by_quality_gives_the_best_of_equally_small_streams() -> None:
    sizes = [40, 40, 40, 40, 60, 70, 80, 90]
    best = by_quality(lambda quality: Stream(bytes(sizes[quality]), 0, 1, 1, quality), range(8), Target(10, False))
    assert best.channels == 3  # stands for the quality


@pytest.mark.parametrize("target", [100, 500, 3333, 10_000])
@pytest.mark.parametrize("off", [-40, -3, 0, 14, 60])
@pytest.mark.parametrize("step", [1, 7, 50])
def test_by_rate_corrects_what_the_encoder_misses(off: int, step: int, target: int) -> None:
    asked = []

    def encode(num_bytes: int) -> Stream:
        asked.append(num_bytes)
        return stream_of(max(30, min(5000, (num_bytes + off) // step * step)))

    size = len(by_rate(encode, 10_000, Target(target, False)).data)
    assert min(5000, target) - step - target // 1000 < size <= target
    assert len(asked) <= 17
    assert all(1 <= ask <= 10_000 for ask in asked)


def test_by_rate_gives_the_smallest_where_none_fits() -> None:
    def encode(num_bytes: int) -> Stream:
        return stream_of(max(30, num_bytes))

    assert len(by_rate(encode, 10_000, Target(10, False)).data) == 30
