"""Both ends of the link with the packaged models: a view encoded, and an object reconstructed from its codes."""

import pytest

import jc3d
from jc3d.data.sources.procedural import ProceduralSource

MODELS = ("implicit-384", "r2n2-small")


@pytest.fixture(scope="module")
def views():
    return ProceduralSource("test").get(0, 0, 20).views.float() / 255


@pytest.mark.parametrize("model", MODELS)
def bench_encode_one_view(benchmark, views, model):
    """One view, already decoded to 128×128, to codes; one thread, as always."""
    codec = jc3d.load(model)
    benchmark.group = "encode one view cpu"
    benchmark(codec.encode, views[:1])


@pytest.mark.parametrize("count", [1, 5, 20])
@pytest.mark.parametrize("model", MODELS)
def bench_reconstruct(benchmark, views, model, count):
    """The bytes of a file to a grid, with torch's number of threads."""
    codec = jc3d.load(model)
    received = codec.encode(views[:count]).to_bytes()
    benchmark.group = f"reconstruct from {count} views cpu"
    benchmark(codec.reconstruct, received)


@pytest.mark.parametrize("model", MODELS)
def bench_load(benchmark, model):
    """Weights file to a model ready to work, fingerprint checked."""
    benchmark.group = "load cpu"
    benchmark(jc3d.load, model)
