"""Both ends at the paper's widths, random weights: ours, and the plain network in every way it can be run.

Every contender's result is compared with the plain network's before it is timed.
"""

import pytest
import torch
from peers import PEERS, peer
from plain_r2n2 import encoder_with_weights_of, with_weights_of

from jc3d.models import create
from jc3d.ops import pack_bits, unpack_bits

CONTENDERS = ("ours", *PEERS)
# Views and objects. Compiling and exporting one shape takes minutes where its loop over views is unrolled: these are
# timed on the shapes that are asked for most.
BITS, FLOATS = "implicit-384-paper", "r2n2-paper"
FEW = [(1, 1), (5, 1), (5, 8)]
MORE = [(20, 1), (1, 8), (20, 8), (1, 64), (5, 64), (20, 64)]
CASES = [(BITS, contender, *case) for case in FEW for contender in CONTENDERS]
CASES += [(BITS, contender, *case) for case in MORE for contender in ("ours", "eager")]
CASES += [(FLOATS, contender, *case) for case in FEW for contender in ("ours", "eager")]


@pytest.fixture(scope="module")
def models():
    return {name: spread(create(name)).freeze() for name in (BITS, FLOATS)}


def spread(model):
    """Weights by which probabilities spread over (0, 1); by torch's own all of them are near a half."""
    torch.manual_seed(0)
    layers = [*(block.conv for block in model.decoder.layers), model.decoder.to_logits]
    for weight in (model.gates.linear.weight, model.recurrence.conv3d.weight, *(layer.weight for layer in layers)):
        torch.nn.init.kaiming_normal_(weight, nonlinearity="leaky_relu")
    return model


def assert_same(grids, expected):
    """The same probabilities, and the same occupied cells but for ties."""
    assert expected.min() < 0.3
    assert expected.max() > 0.7
    torch.testing.assert_close(grids, expected, rtol=0, atol=1e-4)
    differs = (grids > 0.4) != (expected > 0.4)
    assert ((expected[differs] - 0.4).abs() < 1e-5).all()


def draw(model, *shape):
    torch.manual_seed(0)
    codes = torch.randn(*shape, model.config.code_size)
    return torch.where(codes >= 0, 1.0, -1.0) if model.config.binary else codes


def received(model, codes):
    """As they come off the wire."""
    return pack_bits(codes) if model.config.binary else codes


@pytest.mark.parametrize(("name", "contender", "views", "objects"), CASES)
def bench_reconstruct(benchmark, models, name, contender, views, objects):
    """Codes to a grid, with torch's number of threads."""
    benchmark.group = f"reconstruct {objects} from {views} views, {name} cpu"
    model = models[name]
    codes = draw(model, objects, views)
    plain = with_weights_of(model)
    ours = contender == "ours"
    run = model.reconstruct if ours else peer(contender, plain, (codes,))
    given = received(model, codes) if ours else codes
    with torch.inference_mode():
        assert_same(run(given), plain(codes))
        _time(benchmark, run, given)


class PlainStep(torch.nn.Module):
    """One more view and a grid, by the plain network."""

    def __init__(self, plain):
        super().__init__()
        self.plain = plain

    def forward(self, code, h, c):
        return self.plain.decode(self.plain.step(code, h, c)[0])


@pytest.mark.parametrize(
    ("name", "contender"), [*((BITS, contender) for contender in CONTENDERS), (FLOATS, "ours"), (FLOATS, "eager")]
)
def bench_one_more_view(benchmark, models, name, contender):
    """The sixth view of an open stream, with decoding."""
    benchmark.group = f"one more view, {name} cpu"
    model = models[name]
    codes = draw(model, 6, 1)
    plain = PlainStep(with_weights_of(model))
    with torch.inference_mode():
        state = None
        for code in codes[:5]:
            state = model.step(code, state)
        arguments = codes[5], state.h, state.c
        expected = plain(*arguments)
        if contender == "ours":
            arguments = received(model, codes[5]), state

            def run(code, state):
                return model.occupancy(model.step(code, state))
        else:
            run = peer(contender, plain, arguments)
        assert_same(run(*arguments), expected)
        _time(benchmark, run, *arguments)


@pytest.mark.parametrize("name", [BITS, FLOATS])
def bench_one_more_view_without_decoding(benchmark, models, name):
    """What a view costs that nobody looks at yet."""
    benchmark.group = f"one more view, no grid, {name} cpu"
    model = models[name]
    codes = received(model, draw(model, 2, 1))
    _time(benchmark, model.step, codes[1], model.step(codes[0]))


@pytest.mark.parametrize("contender", [*CONTENDERS, "eager channels-last"])
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
        if contender == "ours":
            run = model.compress
            differs = unpack_bits(run(images)[:, 0], model.config.code_size) != torch.where(expected >= 0, 1.0, -1.0)
            assert (expected[differs].abs() < 1e-5).all()  # ties to rounding
        else:
            if contender == "eager channels-last":
                run = plain.to(memory_format=torch.channels_last)
            else:
                run = peer(contender, plain, (images,))
            torch.testing.assert_close(run(images), expected, rtol=0, atol=1e-5)
        _time(benchmark, run, images)


def _time(benchmark, run, *arguments):
    benchmark.extra_info["threads"] = torch.get_num_threads()
    benchmark(run, *arguments)
