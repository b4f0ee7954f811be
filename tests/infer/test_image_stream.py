"""Progressive decoding: iteration by iteration, with the state kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from jc3d.codec import Codes
from jc3d.errors import CodesError
from jc3d.infer import Codec
from jc3d.models import RnnCompressor, create
from jc3d.models.image import tiling


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(create("rnn-small", seed=1))


def views(count: int, height: int = 48, width: int = 64) -> Tensor:
    coarse = torch.rand(count, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    return nn.functional.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)


@pytest.fixture(scope="module")
def codes(codec: Codec) -> Codes:
    return codec.encode(views(2))


def test_every_iteration_shows_what_decoding_so_many_at_once_shows(codec: Codec, codes: Codes) -> None:
    stream = codec.image_stream(codes.image_size)
    for index in range(codes.iterations):
        stream.add(index, codes.bits[index])
        assert stream.iterations == index + 1
        assert torch.equal(stream.images(), codec.decode(codes.truncate(index + 1)))


def test_tiles_stream_too(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "TILE", 32)
    codes = codec.encode(views(1), iterations=2)
    stream = codec.image_stream(codes.image_size)
    stream.add_codes(codes)
    assert torch.equal(stream.images(), codec.decode(codes))


def test_an_iteration_runs_the_decoder_once(codec: Codec, codes: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is computed again: one step of the decoder a view and iteration, and none for pictures."""
    steps = []
    step = RnnCompressor.decode_step
    monkeypatch.setattr(RnnCompressor, "decode_step", lambda *arguments: steps.append(1) or step(*arguments))
    stream = codec.image_stream(codes.image_size)
    for index in range(codes.iterations):
        stream.add(index, codes.bits[index])
        stream.images()
        assert len(steps) == 2 * (index + 1)


def test_a_growing_prefix_of_a_file_is_decoded_from_where_it_was(codec: Codec, codes: Codes) -> None:
    data, stream = codes.to_bytes(), codec.image_stream(codes.image_size)
    each = codes.payload_bytes // codes.iterations
    for arrived in (28 + each, 28 + each + 1, 28 + 5 * each, len(data)):
        stream.add_codes(Codes.from_prefix(data[:arrived]).codes)
        assert stream.iterations == min((arrived - 28) // each, 8)
    assert torch.equal(stream.images(), codec.decode(codes))


def test_iterations_out_of_order_or_missing(codec: Codec, codes: Codes) -> None:
    stream = codec.image_stream(codes.image_size)
    with pytest.raises(CodesError, match="expected at least one iteration, got none"):
        stream.images()
    with pytest.raises(CodesError, match="iteration: expected 0, got 2: 0, 1 missing"):
        stream.add(2, codes.bits[2])
    stream.add(0, codes.bits[0])
    before = stream.images()
    with pytest.raises(CodesError, match="iteration: expected 1, got 0: decoded before"):
        stream.add(0, codes.bits[0])
    with pytest.raises(CodesError, match="iteration: expected 0 to 7, got 8"):
        stream.add(8, codes.bits[0])
    with pytest.raises(CodesError, match="iteration: expected 0 to 7, got -1"):
        stream.add(-1, codes.bits[0])
    with pytest.raises(CodesError, match="iteration 1: expected 2 views, got 1"):
        stream.add(1, codes.bits[1][:1])
    with pytest.raises(CodesError, match="iteration 1: bits: expected uint8"):
        stream.add(1, codes.bits[1][:, :-1])
    with pytest.raises(CodesError, match="iteration 1: bits: expected uint8"):
        stream.add(1, codes.bits[1].astype(np.int64))
    with pytest.raises(CodesError, match="iteration 1: views: expected 1 to"):
        stream.add(1, codes.bits[1][:0])
    other = codec.encode(1 - views(2))
    with pytest.raises(CodesError, match="codes: expected iteration 0 as it was decoded, got other bits"):
        stream.add_codes(other)
    with pytest.raises(CodesError, match="image_size: expected"):
        codec.image_stream((128, 128)).add_codes(codes)
    assert torch.equal(stream.images(), before)  # and the stream goes on
    stream.add(1, codes.bits[1])
    assert torch.equal(stream.images(), codec.decode(codes.truncate(2)))


def test_codes_of_another_model_are_refused(codec: Codec, codes: Codes) -> None:
    other = Codec(create("rnn-small", seed=2))
    with pytest.raises(CodesError, match="fingerprint"):
        other.image_stream(codes.image_size).add_codes(codes)


def test_a_model_without_an_image_decoder_has_no_stream() -> None:
    with pytest.raises(CodesError, match="a model that decodes images"):
        Codec(create("implicit-384")).image_stream()


def test_sizes_that_are_not_coded(codec: Codec) -> None:
    with pytest.raises(ValueError, match="expected at least 16x16 pixels, got 8x64"):
        codec.image_stream((8, 64))
    with pytest.raises(ValueError, match="expected at most 67108864 pixels, got 65535x65535"):
        codec.image_stream((65535, 65535))
    with pytest.raises(CodesError, match=r"image_size: expected \(128, 128\), got \(64, 64\)"):
        Codec(create("direct")).image_stream((64, 64))
