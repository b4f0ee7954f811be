"""Evaluation: numbers of models whose answers are known or asked for by hand, over sources whose truth is known."""

from __future__ import annotations

import io
import json
import math
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_shards
import torch
from rich.console import Console
from torch import Tensor

from jc3d.codec import Codes
from jc3d.data.categories import CATEGORIES
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.data.sources.shards import ShardSource
from jc3d.evaluate import Protocol, Report, Score, Spread, evaluate, tables
from jc3d.evaluate.images import image_scores, qualities
from jc3d.infer import Codec
from jc3d.metrics import best_quarter_turn, iou, ms_ssim, ssim
from jc3d.models import R2N2, RnnCompressor, SequentialJoint, create, preset

VIEWS, ITERATIONS, THRESHOLDS, OBJECTS, SEED = (1, 3), (2, 1), (0.4, 0.5), 3, 4


class Slab(R2N2):
    """Says that the half x < 16 of the grid is occupied, whatever the codes."""

    def occupancy(self, state: object) -> torch.Tensor:
        grid = torch.zeros(1, 32, 32, 32)
        grid[:, :16] = 1
        return grid


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_shards.write(tmp_path_factory.mktemp("shards"), objects=15)
    (folder / "val").rename(folder / "test")
    return folder


@pytest.fixture(scope="module")
def slab() -> R2N2:
    return Slab(create("r2n2-small").config).eval()


@pytest.fixture(scope="module")
def sequential() -> SequentialJoint:
    """Fresh weights, doubled: else the grid hardly depends on what was sent."""
    model = create("sequential")
    assert isinstance(model, SequentialJoint)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 + (parameter.dim() > 1))
    return model.freeze()


@pytest.fixture(scope="module")
def report(sequential: SequentialJoint) -> Report:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    protocol = Protocol(views=VIEWS, iterations=ITERATIONS, thresholds=THRESHOLDS, objects=OBJECTS, seed=SEED)
    return evaluate(sequential, protocol)


def small_compressor() -> RnnCompressor:
    return RnnCompressor(replace(preset("rnn-small"), max_iterations=3))


# Shapes --------------------------------------------------------------------------------------------------------------


def test_scores_are_those_of_the_metric(shards: Path, slab: R2N2) -> None:
    (scores,) = evaluate(slab, Protocol(data=f"shards={shards}", objects=0)).shapes
    source, answer = ShardSource(shards / "test"), slab.occupancy(None)[0]
    grids = [source.get(index, 0, 1).grid for index in range(15)]
    plain = [float(iou(answer, grid)) for grid in grids]
    best = [float(best_quarter_turn(answer, grid)[0]) for grid in grids]
    assert (scores.views, scores.iterations, scores.threshold) == (5, 1, 0.4)
    assert scores.overall.objects == 15
    assert scores.overall.miou == pytest.approx(statistics.fmean(plain))
    assert scores.overall.std == pytest.approx(statistics.pstdev(plain))
    assert scores.overall.miou_best_turn == pytest.approx(statistics.fmean(best))
    assert scores.overall.std_best_turn == pytest.approx(statistics.pstdev(best))
    assert statistics.fmean(best) > statistics.fmean(plain)
    # Fifteen objects over thirteen categories: the first two have two each.
    assert list(scores.categories) == list(CATEGORIES)
    first = scores.categories[CATEGORIES[0]]
    assert first.objects == 2
    assert first.miou == pytest.approx((plain[0] + plain[13]) / 2)
    assert scores.macro_miou == pytest.approx(statistics.fmean(statistics.fmean(plain[c::13]) for c in range(13)))
    assert scores.macro_miou != pytest.approx(scores.overall.miou)
    assert scores.macro_miou_best_turn == pytest.approx(
        statistics.fmean(statistics.fmean(best[c::13]) for c in range(13))
    )


def test_an_evaluation_begins_at_any_object(shards: Path, slab: R2N2) -> None:
    source, answer = ShardSource(shards / "test"), slab.occupancy(None)[0]
    plain = [float(iou(answer, source.get(index, 0, 1).grid)) for index in range(15)]
    for protocol, indices in (
        (Protocol(data=f"shards={shards}", first=4, objects=3), range(4, 7)),
        (Protocol(data=f"shards={shards}", first=12, objects=0), range(12, 15)),
    ):
        report = evaluate(slab, protocol)
        assert report.objects == 3
        assert report.shapes[0].overall.miou == pytest.approx(statistics.fmean(plain[i] for i in indices))
        assert f"from object {protocol.first} on" in report.to_dict()["rules"]["split"]
    with pytest.raises(ValueError, match=r"data: expected objects of .* from number 15 on, got none"):
        evaluate(slab, Protocol(data=f"shards={shards}", first=15))


def test_every_setting_scores_what_a_link_of_just_that_setting_gives(
    report: Report, sequential: SequentialJoint
) -> None:
    codec, source = Codec(sequential), ProceduralSource("test")
    settings = [(scores.views, scores.iterations, scores.threshold) for scores in report.shapes]
    assert settings == [(v, n, t) for v in VIEWS for n in ITERATIONS for t in THRESHOLDS]
    for scores in report.shapes:
        plain, best = [], []
        by_category: dict[str, list[float]] = {}
        for index in range(OBJECTS):
            sample = source.get(index, SEED, scores.views)
            codes = codec.encode(sample.views, iterations=scores.iterations)
            grid = codec.reconstruct(codes.to_bytes())
            plain.append(float(iou(grid, sample.grid, scores.threshold)))
            best.append(float(best_quarter_turn(grid, sample.grid, scores.threshold)[0]))
            by_category.setdefault(CATEGORIES[int(sample.category)], []).append(plain[-1])
        assert scores.overall.objects == report.objects == OBJECTS
        assert (scores.overall.miou, scores.overall.std) == (statistics.fmean(plain), statistics.pstdev(plain))
        assert scores.overall.miou_best_turn == statistics.fmean(best)
        means = {name: statistics.fmean(values) for name, values in by_category.items()}
        assert {name: score.miou for name, score in scores.categories.items()} == means
        assert scores.macro_miou == pytest.approx(statistics.fmean(means.values()))
    # Were settings mixed up, it would show.
    assert len({scores.overall.miou for scores in report.shapes}) == len(settings)


def test_every_setting_passes_once_through_the_bytes_of_a_file(
    sequential: SequentialJoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    read = []
    from_bytes = Codes.from_bytes
    monkeypatch.setattr(Codes, "from_bytes", lambda data: read.append(len(data)) or from_bytes(data))
    protocol = Protocol(views=(1, 2), iterations=(1, 2), thresholds=(0.3, 0.4, 0.5), objects=1)
    rates = evaluate(sequential, protocol).rates
    assert read == [32 + 128 * views * iterations for views in (1, 2) for iterations in (1, 2)]
    assert [rate.file_bytes for rate in rates] == read
    assert [rate.payload_bytes for rate in rates] == [length - 32 for length in read]
    assert [rate.payload_ratio for rate in rates] == [384, 192, 384, 192]
    assert [rate.file_ratio for rate in rates] == [rate.views * 128 * 128 * 3 / rate.file_bytes for rate in rates]


@pytest.mark.parametrize("kind", ["procedural", "shards"])
def test_fewer_views_are_the_first_of_those_drawn(kind: str, shards: Path) -> None:
    source = ProceduralSource("test") if kind == "procedural" else ShardSource(shards / "test")
    most, fewer = source.get(1, 7, 4), source.get(1, 7, 2)
    assert torch.equal(most.views[:2], fewer.views)
    assert torch.equal(most.poses[:2], fewer.poses)


def test_other_categories_are_left_out_unless_asked_for(shards: Path, slab: R2N2, tmp_path: Path) -> None:
    import shutil

    import numpy as np

    folder = tmp_path / "shards"
    shutil.copytree(shards, folder)
    labels = np.load(folder / "test" / "shard-0000000" / "labels.npy")
    labels[:5, 0] = -1
    np.save(folder / "test" / "shard-0000000" / "labels.npy", labels)
    report = evaluate(slab, Protocol(data=f"shards={folder}"))
    assert report.objects == report.shapes[0].overall.objects == 10
    (whole,) = evaluate(slab, Protocol(data=f"shards={folder}", thirteen=False)).shapes
    assert whole.overall.objects == 15
    assert whole.categories["other"].objects == 5
    labels[:, 0] = -1
    np.save(folder / "test" / "shard-0000000" / "labels.npy", labels)
    with pytest.raises(ValueError, match=r"data: expected objects of the thirteen categories in .*, got none"):
        evaluate(slab, Protocol(data=f"shards={folder}"))


# Images --------------------------------------------------------------------------------------------------------------


def test_images_are_scored_as_decoded_from_each_rate(report: Report, sequential: SequentialJoint) -> None:
    codec, source = Codec(sequential), ProceduralSource("test")
    assert [scores.iterations for scores in report.images] == list(ITERATIONS)
    for scores in report.images:
        l1, db, similarity = [], [], []
        for index in range(OBJECTS):
            views = source.get(index, SEED, max(VIEWS)).views
            decoded = codec.decode(codec.encode(views, iterations=scores.iterations).to_bytes())
            shown = (decoded * 255).round() / 255
            difference = shown.double() - views.double() / 255
            l1 += difference.abs().mean(dim=(1, 2, 3)).tolist()
            db += (-10 * difference.square().mean(dim=(1, 2, 3)).log10()).tolist()
            similarity += ssim(shown, views).tolist()
        assert (scores.views, scores.images, scores.exact) == (max(VIEWS), OBJECTS * max(VIEWS), 0)
        assert scores.l1.mean == pytest.approx(statistics.fmean(l1), rel=1e-6)
        assert scores.l1.std == pytest.approx(statistics.pstdev(l1), rel=1e-5)
        assert scores.psnr.mean == pytest.approx(statistics.fmean(db), rel=1e-6)
        assert scores.psnr.std == pytest.approx(statistics.pstdev(db), rel=1e-5)
        assert scores.ssim.mean == pytest.approx(statistics.fmean(similarity), rel=1e-5)
        assert scores.ssim.std == pytest.approx(statistics.pstdev(similarity), rel=1e-3)
        assert scores.ms_ssim is None
    assert report.images[0].psnr != report.images[1].psnr


def noise(size: int, count: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (count, 3, size, size), generator=generator, dtype=torch.uint8)


def test_an_exact_image_counts_as_one_with_a_single_value_off_by_one() -> None:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    views = noise(32, count=3)
    views[1, 0, 0, 0] = 7
    decoded = views.float() / 255
    decoded[1, 0, 0, 0] = 8 / 255
    decoded[2] += 0.4 / 255 * (decoded[2] < 0.5)  # rounds to the original
    exact, off, rounded = qualities(decoded, views)
    assert exact.psnr == rounded.psnr == pytest.approx(10 * math.log10(255**2 * 3 * 32 * 32))
    assert exact.psnr == pytest.approx(off.psnr, abs=1e-3)
    assert exact.psnr >= off.psnr
    assert [image.exact for image in (exact, off, rounded)] == [True, False, True]
    scores = image_scores(3, 1, [exact, off, rounded])
    assert (scores.exact, scores.images) == (2, 3)
    assert scores.l1.mean == pytest.approx(1 / 255 / views[0].numel() / 3)


@pytest.mark.parametrize("size", [160, 161])
def test_ms_ssim_is_a_number_only_where_it_is_defined(size: int) -> None:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    views = noise(size)
    decoded = (views.float() / 255 + 0.1).clamp(max=1)
    scores = image_scores(2, 1, qualities(decoded, views))
    if size < 161:
        assert scores.ms_ssim is None
    else:
        values = ms_ssim((decoded * 255).round() / 255, views).tolist()
        expected = Spread(statistics.fmean(values), statistics.pstdev(values))
        assert scores.ms_ssim is not None
        assert scores.ms_ssim.mean == pytest.approx(expected.mean, rel=1e-5)
        assert scores.ms_ssim.std == pytest.approx(expected.std, abs=1e-6)


def test_a_model_has_the_parts_it_can_do_and_by_default_its_fewest_and_most_iterations(
    shards: Path, slab: R2N2
) -> None:
    one = evaluate(slab, Protocol(data=f"shards={shards}", objects=1))
    assert (one.protocol.iterations, one.images) == ((1,), ())
    assert "psnr" not in one.to_dict()["rules"]
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    images = evaluate(small_compressor(), Protocol(data=f"shards={shards}", objects=1, views=(1,)))
    assert (images.protocol.iterations, images.shapes) == ((1, 3), ())
    assert [scores.iterations for scores in images.images] == [1, 3]
    assert "threshold" not in images.to_dict()["rules"]
    assert len(list(tables(images))) == 1


# Report --------------------------------------------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_published_numbers() -> None:
    assert Protocol() == Protocol("procedural", "test", (5,), (), (0.4,), 0, 1300, 0, True)
    assert Protocol().for_model("implicit-384", 1).iterations == (1,)


def test_a_report_is_plain_json_and_reads_back(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    report.save(path)
    assert Report.load(path) == report
    stored: dict[str, Any] = json.loads(path.read_text())
    assert stored == report.to_dict()
    assert list(stored) == [
        "model",
        "fingerprint",
        "code_bits",
        "objects",
        "protocol",
        "rules",
        "rates",
        "shapes",
        "images",
    ]
    assert stored["protocol"]["iterations"] == [2, 1]
    assert stored["shapes"][0]["threshold"] == 0.4
    assert stored["images"][0]["ms_ssim"] is None
    assert "161 pixels" in stored["rules"]["ms_ssim"]
    first = path.read_bytes()
    Report.load(path).save(path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"model": "a", "protocol": {"views": 5}}'])
def test_what_is_no_report_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"report\.json: expected a report of jc3d evaluate, got"):
        Report.load(path)


def test_the_protocol_stands_under_every_table(report: Report) -> None:
    shown = list(tables(report))
    assert len(shown) == 1 + 8 + 1  # all settings, each setting, images
    for table in shown:
        caption = str(table.caption)
        for fact in ("procedural, split test", "3 random views", f"seed {SEED}", "k views are the first k", "white"):
            assert fact in caption
    for table, scores in zip(shown[1:], report.shapes, strict=False):
        assert f"τ = {scores.threshold}" in str(table.title)
        assert f"occupied above {scores.threshold}" in str(table.caption)
        assert "over all objects, macro: mean of the categories' means" in str(table.caption)
    assert "no MS-SSIM: it needs 161 pixels a side" in str(shown[-1].caption)


def test_tables_of_eight_iterations_and_large_files_fit_into_80_columns(report: Report) -> None:
    wide = Spread(0.123456, 0.123456)
    score = Score(1300, *(0.123456,) * 4)
    shapes = tuple(replace(scores, views=24, iterations=8, overall=score) for scores in report.shapes)
    images = tuple(
        replace(scores, views=24, iterations=8, l1=wide, psnr=Spread(31.456, 4.567)) for scores in report.images
    )
    rates = (replace(report.rates[0], views=24, iterations=8, payload_bytes=24576.0, file_bytes=24608.0),)
    screen = Console(file=io.StringIO(), width=80)
    screen.print(*tables(replace(report, shapes=shapes, images=images, rates=rates)))
    assert isinstance(screen.file, io.StringIO)
    text = screen.file.getvalue()
    for fact in ("24576/24608", "0.123 ± 0.123", "0.1235 ± 0.1235", "31.46 ± 4.57"):
        assert fact in text
    assert "…" not in text


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"views": 5}, "views: expected a tuple of numbers, none twice, got 5"),
        ({"views": ()}, "views: expected at least one"),
        ({"views": (5, 5)}, r"views: .*none twice, got \(5, 5\)"),
        ({"views": (0,)}, r"views: expected whole numbers above 0, got \(0,\)"),
        ({"iterations": (1.5,)}, "iterations: expected whole numbers"),
        ({"thresholds": ()}, "thresholds: expected at least one"),
        ({"thresholds": (0.4, 1.0)}, r"thresholds: expected numbers in \[0, 1\)"),
        ({"thresholds": (math.nan,)}, "thresholds: expected numbers"),
        ({"split": "x"}, "split: expected one of train, val, test, got 'x'"),
        ({"search_steps": 1.5}, "search_steps: expected a whole number, 0 or more, got 1.5"),
        ({"first": -1}, "first: expected a whole number, 0 or more, got -1"),
        ({"objects": -1}, "objects: expected a whole number, 0 or more, got -1"),
    ],
)
def test_a_protocol_refuses(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Protocol(**fields)


def test_iterations_that_a_model_does_not_have(slab: R2N2, sequential: SequentialJoint) -> None:
    with pytest.raises(ValueError, match="iterations: expected 1 with r2n2-small, which has one code a view, got 2"):
        evaluate(slab, Protocol(iterations=(1, 2)))
    with pytest.raises(ValueError, match="iterations: expected 1 to 8 with sequential, got 9"):
        evaluate(sequential, Protocol(iterations=(9,)))
