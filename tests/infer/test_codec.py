"""Encode, file, reconstruct: exact codes, exact guards, and any way of giving the views."""

from __future__ import annotations

import io
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from jc3d import infer
from jc3d.codec import Codes
from jc3d.errors import CodesError, ImageError, WeightsError
from jc3d.infer import Codec, Stream
from jc3d.models import create, save_weights

TOLERANCE = 1e-6  # measured 1e-7: float32 sums in another order


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(create("implicit-384", seed=1))


def views(count: int, seed: int = 0) -> Tensor:
    """(count, 3, 128, 128) uint8, smooth blobs rather than noise, all different."""
    coarse = torch.rand(count, 3, 9, 9, generator=torch.Generator().manual_seed(seed))
    return (nn.functional.interpolate(coarse, size=(128, 128), mode="bicubic").clamp(0, 1) * 255).round().byte()


# Encoding ------------------------------------------------------------------------------------------------------------


def test_codes_hold_what_the_wire_needs(codec: Codec) -> None:
    codes = codec.encode(views(5))
    assert (codes.num_views, codes.iterations, codes.code_bits, codes.binary) == (5, 1, 1024, True)
    assert codes.image_size == (128, 128)
    assert codes.fingerprint == codec.model.fingerprint
    assert codes.num_bytes == 5 * 128 + 32
    assert 0.05 < np.unpackbits(codes.bits).mean() < 0.95  # not all bits alike


def test_every_kind_of_view_gives_the_same_codes(codec: Codec, tmp_path: Path) -> None:
    tensor = views(1)[0]
    array = tensor.permute(1, 2, 0).numpy()
    Image.fromarray(array).save(tmp_path / "v.png")
    expected = codec.encode(tensor)
    for view in (tensor.float() / 255, array, Image.fromarray(array), tmp_path / "v.png", str(tmp_path / "v.png")):
        assert codec.encode(view) == expected
        assert codec.encode([view]) == expected
    assert codec.encode(tensor[None]) == expected
    assert codec.encode(array[None]) == expected


def test_lists_of_lists_give_a_list(codec: Codec) -> None:
    images = views(6)
    one, two, three = codec.encode([images[:1]]), codec.encode([images[1:3]]), codec.encode([images[3:]])
    assert isinstance(one, list)
    batch = codec.encode([list(images[:1]), images[1:3], tuple(images[3:])])
    assert batch == [one[0], two[0], three[0]]
    assert codec.encode(images.view(2, 3, 3, 128, 128)) == [codec.encode(images[:3]), codec.encode(images[3:])]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "at least one"),
        ([[]], r"images\[0\]: .*at least one"),
        (torch.empty(0, 3, 128, 128), "at least one"),
        (5, "images: expected views or lists of views, got int"),
        ([torch.zeros(3, 8, 8), [torch.zeros(3, 8, 8)]], r"images\[0\]: expected a list of views"),
        ([[torch.zeros(3, 8, 8)], 5], r"images\[1\]: expected a list of views"),
        ([[torch.zeros(3, 8, 8)], ["none.png"]], r"images\[1\]: none\.png"),
        (torch.full((3, 128, 128), float("nan")), "nan"),
        ([torch.zeros(3, 128, 128), torch.full((3, 128, 128), float("nan"))], "view 1: .*nan"),
        ("none.png", "none.png: expected an image file"),
        ("", "expected an image file"),
    ],
)
def test_encode_refuses(codec: Codec, images: object, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        codec.encode(images)


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "text"])
def test_encode_refuses_damaged_files(codec: Codec, damage: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(views(1)[0].permute(1, 2, 0).numpy()).save(buffer, "png")
    content = {"empty": b"", "truncated": buffer.getvalue()[:2000], "text": b"not an image\n"}
    path = tmp_path / "view.png"
    if damage != "missing":
        path.write_bytes(content[damage])
    with pytest.raises(ImageError, match=r"view\.png: expected"):
        codec.encode([path])


@pytest.mark.parametrize("preset", ["implicit-384", "implicit-480", "r2n2-small"])
def test_codes_are_the_same_bytes_however_they_are_made(preset: str) -> None:
    codec = Codec(create(preset, seed=3))
    images = views(32, seed=4)
    batch = codec.encode([[image] for image in images])
    assert [codec.encode(image) for image in images] == batch
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            assert codec.encode([[image] for image in images]) == batch
            assert codec.encode(images).bits.tobytes() == b"".join(codes.bits.tobytes() for codes in batch)
    finally:
        torch.set_num_threads(threads)


def test_ties_and_near_zero_pre_activations_give_the_same_bytes() -> None:
    """Each bit's threshold is moved onto its pre-activation of some view: the sign hangs on the last float bit."""
    model = create("implicit-384", seed=5).eval()
    images = views(32, seed=6)
    captured: list[Tensor] = []
    hook = model.head.register_forward_hook(lambda *arguments: captured.append(arguments[2].clone()))
    model.encode(images[:4].float() / 255)
    hook.remove()
    pre_activations = torch.cat(captured)
    bits = torch.arange(pre_activations.shape[1])
    thresholds = pre_activations[bits % 4, bits]  # bit k is at zero in view k % 4
    model.head.register_forward_hook(lambda *arguments: arguments[2] - thresholds)
    codec = Codec(model)
    captured.clear()
    hook = model.head.register_forward_hook(lambda *arguments: captured.append(arguments[2].clone()))
    batch = codec.encode([[image] for image in images])
    hook.remove()
    assert (torch.cat(captured).abs() < 1e-6).sum() >= 200  # the case this test is about
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            for _ in range(2):
                assert codec.encode([[image] for image in images]) == batch
            assert [codec.encode(image) for image in images] == batch
    finally:
        torch.set_num_threads(threads)


# Reconstructing ------------------------------------------------------------------------------------------------------


def test_reconstruct_equals_the_model_on_its_own_codes(codec: Codec, tmp_path: Path) -> None:
    images = views(4)
    signs = codec.model.encode(images.float() / 255)
    expected = codec.model.reconstruct(signs[None])[0]
    codes = codec.encode(images)
    assert torch.equal(codes.to_tensor(), signs)
    codes.save(tmp_path / "a.jc3d")
    for source in (codes, codes.to_bytes(), bytearray(codes.to_bytes()), tmp_path / "a.jc3d", str(tmp_path / "a.jc3d")):
        grid = codec.reconstruct(source)
        assert grid.shape == (32, 32, 32)
        assert grid.dtype == torch.float32
        assert torch.equal(grid, expected)
    assert expected.min() >= 0
    assert expected.max() <= 1
    assert expected.std() > 0


def test_float_codes_go_through_a_file_unchanged() -> None:
    codec = Codec(create("r2n2-small", seed=7))
    images = views(2)
    codes = codec.encode(images)
    assert codes.ratio_payload == 12
    numbers = codec.model.encode(images.float() / 255)
    assert torch.equal(Codes.from_bytes(codes.to_bytes()).to_tensor(), numbers)
    assert torch.equal(codec.reconstruct(codes.to_bytes()), codec.model.reconstruct(numbers[None])[0])


@pytest.mark.parametrize("counts", [[1], [3, 3], [1, 5, 2, 5, 1], [2, 1, 1, 1]])
def test_a_batch_with_any_numbers_of_views_equals_one_by_one(codec: Codec, counts: list[int]) -> None:
    batch = [codec.encode(views(count, seed=index)) for index, count in enumerate(counts)]
    grids = codec.reconstruct(batch)
    assert grids.shape == (len(counts), 32, 32, 32)
    for grid, codes in zip(grids, batch, strict=True):
        assert torch.allclose(grid, codec.reconstruct(codes), rtol=0, atol=TOLERANCE)
    assert len({grid.numpy().tobytes() for grid in grids}) == len(counts)


def test_the_grid_can_be_used_in_autograd(codec: Codec) -> None:
    grid = codec.reconstruct(codec.encode(views(1)))
    scale = torch.ones(1, requires_grad=True)
    (grid * scale).sum().backward()
    assert float(scale.grad) == pytest.approx(float(grid.sum()), rel=1e-5)


def test_groups_of_bounded_size_take_codes_in_any_form(codec: Codec, tmp_path: Path) -> None:
    batch = [codec.encode(views(count, seed=count)) for count in (2, 1, 3)]
    batch[1].save(tmp_path / "b.jc3d")
    grids = Codec(codec.model, codes_at_once=3).reconstruct([batch[0], tmp_path / "b.jc3d", batch[2].to_bytes()])
    assert torch.allclose(grids, codec.reconstruct(batch), rtol=0, atol=TOLERANCE)
    with pytest.raises(ValueError, match="codes_at_once: expected at least 1, got 0"):
        Codec(codec.model, codes_at_once=0)


def test_reconstruct_refuses_an_empty_batch_and_other_things(codec: Codec) -> None:
    with pytest.raises(CodesError, match="codes: expected at least one object, got none"):
        codec.reconstruct([])
    with pytest.raises(CodesError, match="codes: expected Codes, a path or bytes, got int"):
        codec.reconstruct([5])
    with pytest.raises(CodesError, match="at least one object"):
        infer.reconstruct([])


def test_codes_of_another_model_are_refused(codec: Codec) -> None:
    other = Codec(create("implicit-384", seed=2))
    with pytest.raises(CodesError, match=f"fingerprint {codec.model.fingerprint.hex()}.*got fingerprint"):
        codec.reconstruct(other.encode(views(1)))
    with pytest.raises(CodesError, match="got fingerprint"):
        codec.stream().add(other.encode(views(1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code_bits": 1023}, r"codes: expected \(code_bits, binary\) = \(1024, True\), got \(1023, True\)"),
        ({"binary": False}, r"got \(1024, False\)"),
        ({"iterations": 2}, "iterations: expected 1 to 1, got 2"),
    ],
)
def test_codes_that_claim_this_model_but_do_not_fit_it_are_refused(
    codec: Codec, change: dict[str, object], message: str
) -> None:
    codes = codec.encode(views(1))
    if change == {"iterations": 2}:
        codes = replace(codes, bits=np.concatenate([codes.bits, codes.bits]))
    else:
        codes = replace(codes, bits=np.zeros_like(codes.bits), **change)
    with pytest.raises(CodesError, match=message):
        codec.reconstruct(codes)


def test_a_damaged_file_is_refused(codec: Codec, tmp_path: Path) -> None:
    data = bytearray(codec.encode(views(1)).to_bytes())
    data[50] ^= 4
    (tmp_path / "bad.jc3d").write_bytes(data)
    with pytest.raises(CodesError, match=r"bad\.jc3d: checksum at byte"):
        codec.reconstruct(tmp_path / "bad.jc3d")
    with pytest.raises(FileNotFoundError):
        codec.reconstruct(tmp_path / "none.jc3d")


# Streams -------------------------------------------------------------------------------------------------------------


def test_a_stream_equals_all_views_at_once_after_every_view(codec: Codec) -> None:
    codes = codec.encode(views(5))
    stream = codec.stream()
    for view in range(5):
        stream.add(replace(codes, bits=codes.bits[:, view : view + 1]).to_bytes())
        so_far = codec.reconstruct(replace(codes, bits=codes.bits[:, : view + 1]))
        assert torch.allclose(stream.occupancy(), so_far, rtol=0, atol=TOLERANCE)
        assert stream.num_views == view + 1
    assert not torch.allclose(stream.occupancy(), codec.reconstruct(replace(codes, bits=codes.bits[:, :1])), atol=1e-4)


def test_a_stream_takes_several_views_at_a_time(codec: Codec) -> None:
    codes = codec.encode(views(5))
    stream = codec.stream()
    stream.add(replace(codes, bits=codes.bits[:, :2]))
    stream.add(replace(codes, bits=codes.bits[:, 2:]))
    assert torch.allclose(stream.occupancy(), codec.reconstruct(codes), rtol=0, atol=TOLERANCE)


def test_a_stream_is_unchanged_by_a_refused_view(codec: Codec) -> None:
    stream = codec.stream()
    with pytest.raises(CodesError, match="stream: expected at least one view"):
        stream.occupancy()
    codes = codec.encode(views(1))
    stream.add(codes)
    before = stream.occupancy()
    with pytest.raises(CodesError, match="checksum"):
        stream.add(codes.to_bytes()[:-1] + b"\0" if codes.to_bytes()[-1] else codes.to_bytes()[:-1] + b"\1")
    assert stream.num_views == 1
    assert torch.equal(stream.occupancy(), before)


# Models found by fingerprint -----------------------------------------------------------------------------------------


def test_codes_find_their_packaged_model(weights: Path, tmp_path: Path) -> None:
    codec = infer.load("toy")
    assert codec.name == "implicit-480"
    images = views(2)
    codes = infer.encode(images, model="toy")
    assert codes == codec.encode(images)
    expected = codec.reconstruct(codes)
    codes.save(tmp_path / "a.jc3d")
    for source in (codes, codes.to_bytes(), tmp_path / "a.jc3d"):
        assert torch.equal(infer.reconstruct(source), expected)
    batch = infer.reconstruct([codes, infer.encode(images[:1], model="toy")])
    assert batch.shape == (2, 32, 32, 32)
    assert torch.allclose(batch[0], expected, rtol=0, atol=TOLERANCE)
    stream = Stream()
    stream.add(codes)
    assert torch.allclose(stream.occupancy(), expected, rtol=0, atol=TOLERANCE)


def test_a_packaged_model_is_loaded_once(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = infer.encode(views(1), model="toy")

    def fail(*_: object) -> None:
        raise AssertionError("loaded again")

    monkeypatch.setattr(import_module("jc3d.models"), "load", fail)
    assert infer.reconstruct(codes).shape == (32, 32, 32)


def test_a_batch_may_mix_models(weights: Path) -> None:
    save_weights(weights / "other.safetensors", create("r2n2-small", seed=0), {})
    import_module("jc3d.models.packaged")._names_by_fingerprint.cache_clear()
    images = views(2)
    batch = [infer.encode(images, model=name) for name in ("toy", "other", "toy")]
    grids = infer.reconstruct(batch)
    assert torch.allclose(grids[0], grids[2], rtol=0, atol=TOLERANCE)
    assert torch.allclose(grids[1], infer.reconstruct(batch[1]), rtol=0, atol=TOLERANCE)
    assert not torch.allclose(grids[0], grids[1], atol=1e-3)


def test_unknown_codes_name_their_fingerprint(weights: Path, codec: Codec) -> None:
    codes = codec.encode(views(1))
    with pytest.raises(CodesError, match=f"{codes.fingerprint.hex()} .packaged: toy.*weights file"):
        infer.reconstruct(codes)
    with pytest.raises(CodesError, match=codes.fingerprint.hex()):
        Stream().add(codes)


def test_a_weights_file_of_ones_own(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_weights(path, create("implicit-384", seed=9), {})
    codes = infer.encode(views(2), model=path)
    with pytest.raises(CodesError, match="no packaged model"):
        infer.reconstruct(codes)
    assert torch.equal(infer.reconstruct(codes, weights=path), infer.load(path).reconstruct(codes))
    with pytest.raises(CodesError, match="got fingerprint"):
        infer.reconstruct(infer.encode(views(1), model="toy"), weights=path)


def test_bad_models_and_devices_are_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"toy.*got 'unknown'"):
        infer.load("unknown")
    with pytest.raises(WeightsError, match="expected a safetensors file, got nothing there"):
        infer.load(tmp_path / "none.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((weights / "toy.safetensors").read_bytes()[:-100])
    with pytest.raises(WeightsError, match="damaged"):
        infer.load(tmp_path / "cut.safetensors")
    for device in ("abacus", "meta"):
        with pytest.raises(ValueError, match=f"device: expected one that torch can use here, got '{device}'"):
            infer.load("toy", device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_cuda_device_is_one_clear_error(weights: Path) -> None:
    with pytest.raises(ValueError, match="device: expected one that torch can use here, got 'cuda'"):
        infer.load("toy", "cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_receiver_on_cuda_sees_the_same_shape(codec: Codec) -> None:
    codes = codec.encode(views(3))
    on_cuda = Codec(create("implicit-384", seed=1).to("cuda"))
    grid = on_cuda.reconstruct(codes)
    assert grid.device.type == "cuda"
    assert torch.allclose(grid.cpu(), codec.reconstruct(codes), rtol=0, atol=1e-5)


def test_precision_switches_are_the_callers_again_after_the_call() -> None:
    """On a GPU products are float32 inside, and nothing else is switched; a CPU has no such switches."""
    from jc3d.nn.deterministic import float32_products

    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32
    try:
        cudnn.allow_tf32 = matmul.allow_tf32 = True
        enabled = cudnn.enabled
        with float32_products(torch.device("cuda")):
            assert not cudnn.allow_tf32
            assert not matmul.allow_tf32
            assert cudnn.enabled == enabled
        assert cudnn.allow_tf32
        assert matmul.allow_tf32
    finally:
        cudnn.allow_tf32, matmul.allow_tf32 = before
