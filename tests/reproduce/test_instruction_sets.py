"""Bits under other instruction sets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from jc3d.data.sources.procedural import ProceduralSource
from jc3d.evaluate import Protocol
from jc3d.infer import load
from jc3d.ops import pack_bits
from jc3d.reproduce import instruction_sets

NAME, PROTOCOL = "implicit-384", Protocol(objects=2, views=(3,), iterations=(1,))


@pytest.fixture(scope="module")
def numbers() -> NDArray[np.float32]:
    return instruction_sets.pre_activations(NAME, PROTOCOL)


def test_bits_are_the_signs_of_the_pre_activations(numbers: NDArray[np.float32]) -> None:
    codec, source = load(NAME), ProceduralSource("test")
    codes = [codec.encode(source.get(index, 0, 3).views) for index in range(2)]
    signs = np.where(numbers < 0, np.float32(-1), np.float32(1))
    assert np.array_equal(pack_bits(torch.from_numpy(signs)).numpy(), np.concatenate([each.bits[0] for each in codes]))


def test_another_process_gives_the_same(numbers: NDArray[np.float32]) -> None:
    assert np.array_equal(instruction_sets._numbers_under("DEFAULT", NAME, PROTOCOL), numbers)


def test_bits_that_differ_are_counted(numbers: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> None:
    found = {kind: numbers.copy() for kind in ("DEFAULT", *instruction_sets.INSTRUCTION_SETS)}
    found["AVX2"].flat[:6] *= -1
    found["SSE41"] += np.float32(0.25)
    monkeypatch.setattr(instruction_sets, "_numbers_under", lambda kind, name, protocol: found[kind])
    report = instruction_sets.compare_instruction_sets(NAME, PROTOCOL)
    flips = {row.group: row for row in report.select(measure="flipped_bits")}
    assert flips["AVX2"].count == numbers.size == 6 * 1024
    assert flips["AVX2"].total == pytest.approx(6)
    assert flips["AVX512_CORE"].total == 0
    assert report.one(measure="pre_activation_difference", group="SSE41").mean == pytest.approx(0.25, rel=1e-5)


def test_equal_numbers_say_that_the_library_did_not_follow(
    numbers: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instruction_sets, "_numbers_under", lambda kind, name, protocol: numbers)
    with pytest.raises(ValueError, match="ONEDNN_MAX_CPU_ISA: expected pre-activations that differ"):
        instruction_sets.compare_instruction_sets(NAME, PROTOCOL)
