"""A counter-based random stream that is the same on every machine and with every NumPy version.

Only ``numpy.random.Philox.random_raw`` is used (the raw output of Philox4x64-10, which NumPy guarantees never to
change); the distributions are derived from those bits here, because those of ``numpy.random.Generator`` may change
between releases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

_MASK = (1 << 64) - 1
_BLOCK = 256  # raw words drawn at once, so that a Python-level draw costs an index and not a call into NumPy


def _mix(word: int) -> int:
    """Scrambles 64 bits (the finaliser of SplitMix64), so that neighbouring seeds give unrelated keys."""
    word = (word + 0x9E3779B97F4A7C15) & _MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
    return word ^ (word >> 31)


class Random:
    """A stream of random numbers named by integers: ``Random(seed, *stream)``.

    Equal names give equal streams, different names independent ones; the number of draws taken from one stream never
    affects another.

    Args:
        seed: any integer.
        stream: further integers that name a stream of that seed.
    """

    def __init__(self, seed: int, *stream: int) -> None:
        """Opens the stream at its beginning."""
        self._name = (int(seed), *(int(part) for part in stream))
        high, low = _mix(len(self._name)), _mix(~len(self._name) & _MASK)
        for part in self._name:
            high = _mix(high ^ (part & _MASK))
            low = _mix(low + high)
        self._bits = np.random.Philox(key=np.array([high, low], dtype=np.uint64))
        self._words: list[int] = []

    def split(self, *stream: int) -> Random:
        """Gives the stream of this name with ``stream`` appended; draws nothing from this one."""
        return Random(*self._name, *stream)

    def _raw(self) -> int:
        if not self._words:
            self._words = self._bits.random_raw(_BLOCK)[::-1].tolist()
        return self._words.pop()

    def uniform(self, lo: float = 0.0, hi: float = 1.0) -> float:
        """Draws one number from [lo, hi), with 53 random bits."""
        return lo + (hi - lo) * ((self._raw() >> 11) * 2.0**-53)

    def uniforms(self, n: int, lo: float = 0.0, hi: float = 1.0) -> NDArray[np.float64]:
        """Draws ``n`` numbers from [lo, hi) as a float64 array (n,)."""
        return np.array([self.uniform(lo, hi) for _ in range(n)], dtype=np.float64)

    def integers(self, lo: int, hi: int) -> int:
        """Draws one integer from [lo, hi).

        Raises:
            ValueError: the range is empty.
        """
        if hi <= lo:
            raise ValueError(f"hi: expected more than lo = {lo}, got {hi}")
        return lo + ((hi - lo) * self._raw() >> 64)

    def chance(self, p: float) -> bool:
        """Draws True with probability ``p``."""
        return self.uniform() < p

    def choice(self, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """Draws one of ``options``, evenly or in proportion to ``weights`` (same length, not negative).

        Raises:
            ValueError: there is nothing to choose from, or the weights do not fit.
        """
        if len(options) == 0:
            raise ValueError("options: expected at least one, got none")
        if weights is None:
            return options[self.integers(0, len(options))]
        total = math.fsum(weights)
        if len(weights) != len(options) or min(weights) < 0 or not total > 0:
            raise ValueError(f"weights: expected {len(options)} not all zero and none negative, got {list(weights)}")
        mark = self.uniform(0.0, total)
        last = 0
        for index, weight in enumerate(weights):
            if weight > 0:
                last = index
                if mark < weight:
                    return options[index]
            mark -= weight
        return options[last]

    def distinct(self, count: int, n: int) -> list[int]:
        """Draws ``count`` different integers from [0, n), in random order (the start of a Fisher-Yates shuffle).

        Raises:
            ValueError: there are not that many.
        """
        if not 0 <= count <= n:
            raise ValueError(f"count: expected 0 to {n}, got {count}")
        order = list(range(n))
        for i in range(count):
            j = self.integers(i, n)
            order[i], order[j] = order[j], order[i]
        return order[:count]

    def normal(self, mean: float = 0.0, std: float = 1.0) -> float:
        """Draws one number from a normal distribution (Box-Muller, one of the pair).

        Equal between machines up to the last bits of their ``log``, ``sqrt`` and ``cos``.
        """
        radius = math.sqrt(-2.0 * math.log(1.0 - self.uniform()))
        return mean + std * radius * math.cos(2.0 * math.pi * self.uniform())
