"""Both ends at the paper's widths, random weights: ours, plain eager PyTorch, and torch.compile of that."""

import pytest
import torch
from compiled import compiled
from plain_r2n2 import encoder_with_weights_of, with_weights_of

from jc3d.models import create
from jc3d.ops import unpack_bits


@pytest.fixture(scope="module")
def model():
    return create("r2n2-paper").freeze()


@pytest.mark.parametrize("contender", ["ours", "eager", "compile"])
@pytest.mark.parametrize("objects", [1, 8])
@pytest.mark.parametrize("views", [1, 5, 20])
def bench_reconstruct(benchmark, model, contender, objects, views):
    """Codes to a grid, with torch's number of threads."""
    benchmark.group = f"reconstruct {objects} from {views} views cpu"
    torch.manual_seed(0)
    codes = torch.randn(objects, views, model.config.code_size)
    plain = with_weights_of(model)
    run = {"ours": model.reconstruct, "eager": plain, "compile": plain if contender != "compile" else compiled(plain)}
    with torch.inference_mode():
        torch.testing.assert_close(run[contender](codes), plain(codes), rtol=0, atol=1e-4)
        benchmark.extra_info["threads"] = torch.get_num_threads()
        benchmark(run[contender], codes)


class PlainStep(torch.nn.Module):
    """One more view and a grid, by the plain network."""

    def __init__(self, plain):
        super().__init__()
        self.plain = plain

    def forward(self, code, h, c):
        return self.plain.decode(self.plain.step(code, h, c)[0])


@pytest.mark.parametrize("contender", ["ours", "eager", "compile"])
def bench_one_more_view(benchmark, model, contender):
    """The sixth view of an open stream, with decoding."""
    benchmark.group = "one more view cpu"
    torch.manual_seed(0)
    codes = torch.randn(6, 1, model.config.code_size)
    plain = PlainStep(with_weights_of(model))
    with torch.inference_mode():
        state = None
        for code in codes[:5]:
            state = model.step(code, state)
        if contender == "ours":

            def run():
                return model.occupancy(model.step(codes[5], state))
        else:
            step = compiled(plain) if contender == "compile" else plain

            def run():
                return step(codes[5], state.h, state.c)

        torch.testing.assert_close(run(), plain(codes[5], state.h, state.c), rtol=0, atol=1e-4)
        benchmark.extra_info["threads"] = torch.get_num_threads()
        benchmark(run)


@pytest.mark.parametrize("contender", ["ours", "eager", "eager channels-last", "compile"])
@pytest.mark.parametrize("views", [1, 8])
def bench_encode(benchmark, contender, views):
    """Views to bits; ours goes on to packed bytes, the others stop at pre-activations."""
    benchmark.group = f"encode {views} views cpu"
    model = create("implicit-384-paper").freeze()
    plain = encoder_with_weights_of(model)
    torch.manual_seed(0)
    images = torch.rand(views, 3, 128, 128)
    with torch.inference_mode():
        expected = plain(images)
        if contender == "eager channels-last":
            plain = plain.to(memory_format=torch.channels_last)
        run = model.encode_packed if contender == "ours" else compiled(plain) if contender == "compile" else plain
        result = run(images)
        if contender == "ours":
            differs = unpack_bits(result, model.config.code_size) != torch.where(expected >= 0, 1.0, -1.0)
            assert (expected[differs].abs() < 1e-5).all()  # ties to rounding
        else:
            torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)
        benchmark.extra_info["threads"] = torch.get_num_threads()
        benchmark(run, images)
