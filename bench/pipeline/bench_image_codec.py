"""Images to codes and back with the packaged image codec, and what an iteration of an open stream costs."""

import pytest

import jc3d
from jc3d.data.sources.procedural import ProceduralSource

MODEL = "rnn-small"


@pytest.fixture(scope="module")
def view():
    return ProceduralSource("test").get(0, 0, 1).views.float() / 255


@pytest.fixture(scope="module")
def codec():
    return jc3d.load(MODEL)


@pytest.mark.parametrize("iterations", [1, 4, 8])
def bench_encode_image(benchmark, codec, view, iterations):
    """One 128×128 view; the encoder runs the decoder, too."""
    benchmark.group = "encode one image cpu"
    benchmark(codec.encode, view, iterations)


@pytest.mark.parametrize("iterations", [1, 4, 8])
def bench_decode_image(benchmark, codec, view, iterations):
    codes = codec.encode(view, iterations)
    benchmark.group = "decode one image cpu"
    benchmark(codec.decode, codes)


@pytest.mark.parametrize("index", range(8))
def bench_stream_iteration(benchmark, codec, view, index):
    """Iteration k of an image that is there in k iterations already: the same for every k."""
    codes = codec.encode(view)

    def before():
        stream = codec.image_stream()
        for earlier in range(index):
            stream.add(earlier, codes.bits[earlier])
        return (stream,), {}

    def add(stream):
        stream.add(index, codes.bits[index])
        stream.images()

    benchmark.group = "one more iteration cpu"
    benchmark.pedantic(add, setup=before, warmup_rounds=3, rounds=30)
