"""The largest stream that does not exceed a size, of an encoder that is steered by a quality or by a rate."""

from __future__ import annotations

from collections.abc import Callable

from jc3d.codec.classical.stream import Stream, Target

_FURTHER = 4  # qualities
_MOST_RATES = 16  # encodings


def by_quality(encode: Callable[[int], Stream], qualities: range, target: Target) -> Stream:
    """The stream of the highest quality that fits; where none does, the best of the smallest ones that were seen.

    Sizes grow with quality but for a few steps, so bisection finds the place where they pass the target and the next
    few qualities are tried as well: of streams that fit, one may be missed only where sizes fall again further up.

    Args:
        encode: the stream of a quality.
        qualities: from the lowest to the highest.
        target: the size asked for.
    """
    lowest = encode(qualities[0])
    seen, low, high = [lowest], 0, len(qualities)  # low fits or is the lowest, high does not fit or is past the end
    best = lowest if target.size(lowest) <= target.num_bytes else None
    while high - low > 1:
        middle = (low + high) // 2
        seen.append(encode(qualities[middle]))
        if target.size(seen[-1]) <= target.num_bytes:
            low, best = middle, seen[-1]
        else:
            high = middle
    for quality in qualities[high + 1 : high + 1 + _FURTHER]:
        seen.append(encode(quality))
        if target.size(seen[-1]) <= target.num_bytes:
            best = seen[-1]
    # Of equally small streams the best one: the same search again, which now finds one that fits.
    return best or by_quality(encode, qualities, target._replace(num_bytes=min(map(target.size, seen))))


def by_rate(encode: Callable[[int], Stream], most: int, target: Target) -> Stream:
    """The largest stream that fits, of an embedded code whose rate control misses what it is asked for by some bytes.

    What is asked is moved by what was missed, between the bounds that earlier answers set, until a stream fits to a
    thousandth of the target (to the byte below 1000) or after 16 encodings.

    Args:
        encode: the stream that the encoder gives when asked for a size in bytes.
        most: bytes to ask for, to get all there is.
        target: the size asked for.

    Returns:
        The largest stream seen that fits; the one of the lowest rate where none does.
    """
    best: Stream | None = None
    fits, exceeds = 0, most + 1  # bytes asked for
    ask = max(1, min(target.num_bytes, most))
    for _ in range(_MOST_RATES):
        stream = encode(ask)
        missed = target.num_bytes - target.size(stream)
        if missed >= 0:
            fits = ask
            if best is None or target.size(stream) > target.size(best):
                best = stream
            if missed <= target.num_bytes // 1000:
                break
        else:
            exceeds = ask
        if exceeds - fits <= 1:
            break
        ask += missed
        if not fits < ask < exceeds:
            ask = (fits + exceeds) // 2 if missed < 0 or exceeds <= most else most
    return best or encode(1)
