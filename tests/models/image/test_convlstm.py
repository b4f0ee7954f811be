"""Recurrent compression: the equations, the rates, and codes that decide everything a decoder does."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_compressor import images, make
from torch import Tensor
from torch.nn import functional as F

from jc3d.models import PRESETS, RnnCompressor, RnnConfig, create, load, packaged
from jc3d.models.image.convlstm import HALF_RANGE, DecoderState

PRESET_NAMES = ["rnn-small", "rnn-small-paper", "rnn-original-paper"]
ROUNDING = (
    2e-5  # of images after eight iterations; measured 1e-6 between float32 and float64, 2e-6 between AVX2 and AMX
)


@pytest.fixture(scope="module")
def model() -> RnnCompressor:
    return make()


# Architecture --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first", "last"), [("rnn-small", 384, 48), ("rnn-small-paper", 384, 48), ("rnn-original-paper", 192, 24)]
)
def test_rates(name: str, first: float, last: float) -> None:
    config = PRESETS[name]
    assert isinstance(config, RnnConfig)
    assert config.ratio == first
    assert config.ratio / config.max_iterations == last
    assert 128 * 128 * 24 / config.code_bits == first  # [J] eq. 12


def test_layers_of_the_original() -> None:
    """[J] §II-B and appendix: what is written of the layers of [7]."""
    shapes = {name: tuple(p.shape) for name, p in create("rnn-original-paper").named_parameters() if "weight" in name}
    assert shapes["stem.weight"] == (64, 3, 3, 3)
    assert [shapes[f"encoder.{i}.conv_x.weight"] for i in range(3)] == [
        (4 * 256, 64, 3, 3),
        (4 * 512, 256, 3, 3),
        (4 * 512, 512, 3, 3),
    ]
    assert {shapes[f"encoder.{i}.conv_h.weight"][2:] for i in range(3)} == {(1, 1)}
    assert shapes["to_code.0.weight"] == (32, 512, 1, 1)
    assert shapes["expand.weight"] == (512, 32, 1, 1)
    # Depth-to-space by two after each layer leaves a quarter of its channels to the next.
    assert [shapes[f"decoder.{i}.conv_x.weight"] for i in range(4)] == [
        (4 * 512, 512, 3, 3),
        (4 * 512, 128, 3, 3),
        (4 * 256, 128, 3, 3),
        (4 * 128, 64, 3, 3),
    ]
    assert [shapes[f"decoder.{i}.conv_h.weight"][2] for i in range(4)] == [1, 1, 3, 3]
    assert shapes["output.weight"] == (3, 32, 1, 1)


def test_the_small_one_has_16_channels_and_no_convolution_before_the_binarizer() -> None:
    model = create("rnn-small-paper")
    assert model.config.encoder_channels == (256, 512, 16)
    assert not list(model.to_code.parameters())
    assert len(model.decoder) == 3
    assert model.output.out_channels == 3 * 4  # the last factor of two


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder_strides": (2, 2, 1)}, "expected to shrink and grow by 16, got 8 and 16"),
        ({"output_shuffle": 2}, "expected to shrink and grow by 16, got 16 and 32"),
        ({"decoder_kernels": (3,)}, "decoder_kernels: expected 4 numbers, one a layer"),
        ({"stem_kernel": 4}, "kernels: expected odd numbers"),
        ({"output_kernel": 2}, "kernels: expected odd numbers"),
        ({"residual_gain": 0.0}, "residual_gain: expected more than 0"),
        ({"max_iterations": 0}, "expected positive numbers, got 32 and 0"),
        ({"decoder_channels": (512, 512, 254, 128)}, "decoder_channels: expected multiples of 4"),
        (
            {"skip_connections": True, "code_channels": 512},
            "skip_connections: expected encoder_channels not to end",
        ),
    ],
)
def test_bad_config(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(PRESETS["rnn-original-paper"], **change)


# Skip connections ----------------------------------------------------------------------------------------------------


def test_the_first_bits_of_fresh_weights_say_which_colour_a_block_has() -> None:
    model = create("rnn-small").eval()
    with torch.no_grad():
        model.to_code[0].weight.zero_()
        model.to_code[0].bias.zero_()
        colours = torch.tensor([[0.1, 0.1, 0.9], [0.9, 0.1, 0.1]])
        blue, red = model(colours.view(2, 3, 1, 1).expand(-1, -1, 32, 32), 1).codes[:, 0]
    for bits, signs in ((blue, (1, -1)), (red, (-1, 1))):
        assert all(bool((bits[index] == sign).all()) for index, sign in enumerate(signs))
    halves = torch.full((1, 3, 16, 16), 0.5)
    halves[:, 2, :8], halves[:, 0, :, 8:] = 0.9, 0.1  # bluer above, redder on the left
    with torch.no_grad():
        bits = model(halves, 1).codes[0, 0, :, 0, 0]
    assert (bits[2], bits[5]) == (1, 1)


@pytest.mark.parametrize("skip_connections", [False, True])
def test_bits_reach_the_last_layer_past_the_others(skip_connections: bool) -> None:
    config = replace(PRESETS["rnn-small"], skip_connections=skip_connections)
    torch.manual_seed(0)
    model = RnnCompressor(config).eval()
    with torch.no_grad():
        model.expand.weight.zero_()
        code = torch.ones(1, 16, 2, 2)
        difference = (model.decode_step(code).image - model.decode_step(-code).image).abs().amax()
    assert bool(difference > 1e-3) is skip_connections


# Equations -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gain", [1.0, 6.0])
@pytest.mark.parametrize("additive", [False, True])
def test_equations_10_and_11(additive: bool, gain: float) -> None:
    """The loop written out with the model's own layers: residuals in, images out, γ = 0 and γ = 1."""
    model, x = make(additive, gain), images(2, 32, 48)
    seen: list[Tensor] = []
    hook = model.stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        out = model(x, 3)
    hook.remove()
    target = (2 * x - 1) * HALF_RANGE
    image, state = torch.zeros_like(target), None
    torch.testing.assert_close(seen[0], target)  # r_0 = x
    for t in range(3):
        before = image
        with torch.no_grad():
            state = model.decode_step(out.codes[:, t], state)
        residual_part = state.image - (before if additive else 0)
        inside = state.image.abs() < HALF_RANGE
        assert residual_part[inside].abs().max() < 1  # a tanh, where nothing was clamped
        image = state.image
        torch.testing.assert_close(out.images[t], (image / HALF_RANGE + 1) / 2)
        if t < 2:
            torch.testing.assert_close(seen[t + 1], gain * (target - image))  # r_t = x − x̂_t, with gain 1
    assert set(out.codes.unique().tolist()) == {-1.0, 1.0}


def test_gamma_tells_the_additive_from_the_one_shot() -> None:
    additive, one_shot = make(True, 6.0), make(False, 6.0)
    codes = torch.ones(1, 4, 2, 2)
    with torch.no_grad():
        first, second = additive.decode_step(codes), one_shot.decode_step(codes)
        assert torch.equal(first.image, second.image)
        more, again = additive.decode_step(codes, first), one_shot.decode_step(codes, second)
    added = again_unclamped(one_shot, codes, second) / 6.0
    torch.testing.assert_close(more.image, (added + first.image).clamp(-HALF_RANGE, HALF_RANGE))
    assert not torch.equal(more.image, again.image)


def again_unclamped(model: RnnCompressor, codes: Tensor, state: DecoderState) -> Tensor:
    """The tanh of the next iteration, found by adding it to nothing."""
    captured: list[Tensor] = []
    hook = model.output.register_forward_hook(lambda *arguments: captured.append(arguments[2]))
    with torch.no_grad():
        model.decode_step(codes, state)
    hook.remove()
    return torch.tanh(F.pixel_shuffle(captured[0], 2))


def test_images_stay_in_range_and_overshoot_can_come_back(model: RnnCompressor) -> None:
    training = copy.deepcopy(model).train().requires_grad_(True)
    with torch.no_grad():
        training.output.bias.fill_(5.0)  # everything overshoots to white
    out = training(torch.full((1, 3, 16, 16), 0.5), 2)
    assert float(out.images.detach().max()) == 1.0
    assert float(out.images.detach().min()) >= 0.0
    (out.images - 0.5).abs().mean().backward()
    assert float(training.output.bias.grad.sum()) > 0  # downhill is down


def test_gradient_reaches_the_encoder_through_the_bits(model: RnnCompressor) -> None:
    training = copy.deepcopy(model).train().requires_grad_(True)
    x = images(2, 32, 32)
    (training(x, 3).images - x).abs().mean().backward()
    for name, parameter in training.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


# Codes decide --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESET_NAMES)
@pytest.mark.parametrize("size", [(16, 16), (17, 40), (50, 33)])
def test_any_size(name: str, size: tuple[int, int]) -> None:
    model = create(name).freeze()
    packed = model.compress(images(1, *size), 2)
    rows, columns = -(-size[0] // 16), -(-size[1] // 16)
    assert packed.shape == (1, 2, rows * columns * model.config.code_channels // 8)
    decoded = model.decompress(packed, size)
    assert decoded.shape == (1, 3, *size)
    assert float(decoded.min()) >= 0
    assert float(decoded.max()) <= 1


def test_fewer_iterations_are_a_prefix(model: RnnCompressor) -> None:
    x = images(2, 48, 32)
    whole = model.compress(x)
    assert whole.shape == (2, 8, 3)
    for count in range(1, 9):
        assert torch.equal(model.compress(x, count), whole[:, :count])


def test_decoding_gives_what_the_encoder_saw_bit_for_bit(model: RnnCompressor) -> None:
    x = images(1, 48, 64)
    with torch.no_grad():
        seen = model(x, 8)
    packed = model.compress(x)
    for count in range(1, 9):
        assert torch.equal(model.decompress(packed[:, :count], (48, 64)), seen.images[count - 1])


@pytest.mark.parametrize("threads", [1, 2])
def test_codes_are_batch_and_thread_invariant(threads: int) -> None:
    model, x = create("rnn-small").freeze(), images(3, 64, 48)
    expected = torch.cat([model.compress(image[None], 3) for image in x])
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        packed = model.compress(x, 3)
        decoded = model.decompress(packed, (64, 48))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(packed, expected)
    assert torch.equal(decoded, torch.cat([model.decompress(each[None], (64, 48)) for each in packed]))


def test_an_encoder_whose_floats_differ_sends_other_bits_and_stays_in_step(model: RnnCompressor) -> None:
    """Another machine rounds otherwise: its bits may differ, but any receiver shows what that encoder saw."""
    x = images(1, 64, 64)
    other = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in [*other.stem.parameters(), *other.encoder.parameters()]:
            parameter.mul_(1 + 0.05 * torch.randn_like(parameter))
        saw = other(x, 8)
    packed = other.compress(x)
    assert not torch.equal(packed, model.compress(x))
    assert torch.equal(model.decompress(packed, (64, 64)), saw.images[-1])  # the very floats, after eight iterations


def decoding(name: str) -> RnnCompressor:
    """The compressor of a packaged model."""
    model = load(name)
    return model if isinstance(model, RnnCompressor) else model.compressor


DECODING = [name for name in packaged() if hasattr(PRESETS[name], "compressor") or PRESETS[name].family == "rnn"]


@pytest.mark.parametrize("name", DECODING)
def test_rounding_in_the_decoder_stays_rounding(name: str) -> None:
    """Eight iterations in float64 and in float32 show the same image: nothing is decided by a float on the way."""
    model = decoding(name)
    packed = model.compress(images(1, 64, 64))
    exact = copy.deepcopy(model).double()
    state = None
    for code in model.code_maps(packed[0], (64, 64)).double().split(1):
        state = exact.decode_step(code, state)
    difference = (state.image / HALF_RANGE + 1) / 2 - model.decompress(packed, (64, 64))
    assert float(difference.abs().max()) < ROUNDING


_OTHER_MACHINE = """
import sys, torch
from jc3d.models import load
from jc3d.ops._extension import extension
assert torch.backends.cpu.get_cpu_capability() == "DEFAULT"
if (module := extension().module) is not None:
    module.limit_cpu_level(module.CpuLevel.scalar)
    assert module.cpu_level() == module.CpuLevel.scalar
packed = torch.load(sys.argv[1], weights_only=True)
model = load(sys.argv[3])
torch.save(getattr(model, "compressor", model).decompress(packed, (64, 64)), sys.argv[2])
"""


@pytest.mark.parametrize("name", DECODING)
def test_another_instruction_set_decodes_the_same_codes(name: str, tmp_path: Path) -> None:
    model = decoding(name)
    packed = model.compress(images(1, 64, 64))
    torch.save(packed, tmp_path / "codes.pt")
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"}
    arguments = [sys.executable, "-c", _OTHER_MACHINE, tmp_path / "codes.pt", tmp_path / "images.pt", name]
    subprocess.run(arguments, check=True, env=environment)
    other = torch.load(tmp_path / "images.pt", weights_only=True)
    assert float((other - model.decompress(packed, (64, 64))).abs().max()) < ROUNDING


# Bad input -----------------------------------------------------------------------------------------------------------


def test_bad_arguments(model: RnnCompressor) -> None:
    with pytest.raises(ValueError, match="expected at least 16x16 pixels, got 15x400"):
        model.compress(torch.rand(1, 3, 15, 400))
    with pytest.raises(ValueError, match="iterations: expected 1 to 8, got 9"):
        model.compress(torch.rand(1, 3, 16, 16), 9)
    with pytest.raises(ValueError, match="iterations: expected 1 to 8, got 0"):
        model.compress(torch.rand(1, 3, 16, 16), 0)
    packed = model.compress(torch.rand(1, 3, 32, 32), 1)
    with pytest.raises(ValueError, match=r"packed: expected uint8 \(N, T, 8\), got uint8 \(1, 1, 2\)"):
        model.decompress(packed, (64, 64))
    with pytest.raises(ValueError, match="expected at least 16x16 pixels, got 64x8"):
        model.decompress(packed, (64, 8))
    with pytest.raises(ValueError, match="expected eval mode"):
        make().train().compress(torch.rand(1, 3, 16, 16))


def test_no_image_is_no_code(model: RnnCompressor) -> None:
    assert model.compress(torch.empty(0, 3, 32, 32), 2).shape == (0, 2, 2)
    assert model.decompress(torch.empty(0, 2, 2, dtype=torch.uint8), (32, 32)).shape == (0, 3, 32, 32)


def test_bits_are_in_the_order_of_the_map(model: RnnCompressor) -> None:
    """Channel after channel, row after row: the order that the direct model reads as a map."""
    x = images(1, 32, 48)
    with torch.no_grad():
        codes = model(x, 1).codes[0, 0]
    expected = np.packbits((codes.flatten() > 0).numpy())
    assert np.array_equal(model.compress(x, 1)[0, 0].numpy(), expected)
