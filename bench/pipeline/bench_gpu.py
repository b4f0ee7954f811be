"""Both ends at the paper's widths on a GPU: ours as CUDA graphs, the plain network, torch.compile and its graphs.

A call is timed with the wait for it: what an application sees.
"""

import pytest
import torch
from compiled import compiled
from plain_r2n2 import encoder_with_weights_of, with_weights_of

from jc3d.infer.batch import BatchReconstructor
from jc3d.models import create
from jc3d.ops import pack_bits

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that this PyTorch can use")

CONTENDERS = ["ours", "eager", "compile", "reduce-overhead", "max-autotune"]


def waiting(run):
    def call(*arguments):
        result = run(*arguments)
        torch.cuda.synchronize()
        return result

    return call


def peer(contender, plain):
    if contender in ("reduce-overhead", "max-autotune"):
        torch._dynamo.reset()
        return torch.compile(plain, dynamic=False, fullgraph=True, mode=contender)
    return compiled(plain) if contender == "compile" else plain


@pytest.mark.parametrize("contender", CONTENDERS)
@pytest.mark.parametrize("objects", [1, 8, 64])
@pytest.mark.parametrize("views", [1, 5, 20])
def bench_reconstruct(benchmark, contender, views, objects):
    benchmark.group = f"reconstruct {objects} from {views} views cuda"
    torch.manual_seed(0)
    model = create("implicit-384-paper").to("cuda").freeze()
    codes = torch.randn(objects, views, model.config.code_size, device="cuda").sign()
    plain = with_weights_of(model).to("cuda")
    with torch.inference_mode():
        run, argument = peer(contender, plain), codes
        if contender == "ours":
            run, argument = BatchReconstructor(model), list(pack_bits(codes))
        # The plain network may round its products to TF32, ours does not.
        torch.testing.assert_close(run(argument), plain(codes), rtol=0, atol=1e-3)
        benchmark.extra_info["device"] = torch.cuda.get_device_name()
        benchmark(waiting(run), argument)


@pytest.mark.parametrize("contender", CONTENDERS)
@pytest.mark.parametrize("views", [1, 64])
def bench_encode(benchmark, contender, views):
    benchmark.group = f"encode {views} views cuda"
    torch.manual_seed(0)
    model = create("implicit-384-paper").to("cuda").freeze()
    images = torch.rand(views, 3, 128, 128, device="cuda")
    plain = encoder_with_weights_of(model).to("cuda")
    with torch.inference_mode():
        run = model.compress if contender == "ours" else peer(contender, plain)
        benchmark.extra_info["device"] = torch.cuda.get_device_name()
        benchmark(waiting(run), images)
