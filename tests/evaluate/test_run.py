"""Evaluation of models: numbers over sources whose truth is known, asked for by hand."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

import numpy as np
import pytest
import tiny_compressor
import torch

from jc3d.codec import Codes
from jc3d.data.categories import CATEGORIES
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.data.sources.shards import ShardSource
from jc3d.evaluate import Protocol, Report, Row, evaluate, tables
from jc3d.infer import Codec
from jc3d.metrics import best_quarter_turn, iou
from jc3d.models import R2N2, SequentialJoint


def by_group(report: Report, measure: str) -> dict[str, Row]:
    return {row.group: row for row in report.select(measure=measure)}


def test_scores_are_those_of_the_metric(shards: Path, slab: R2N2) -> None:
    report = evaluate(slab, Protocol(data=f"shards={shards}", objects=0))
    source, answer = ShardSource(shards / "test"), slab.occupancy(None)[0]
    grids = [source.get(index, 0, 1).grid for index in range(15)]
    plain = [float(iou(answer, grid)) for grid in grids]
    best = [float(best_quarter_turn(answer, grid)[0]) for grid in grids]
    assert statistics.fmean(best) > statistics.fmean(plain)
    for measure, values in (("iou", plain), ("iou_best_turn", best)):
        rows = by_group(report, measure)
        # Fifteen objects over thirteen categories: the first two have two each.
        assert list(rows) == [*CATEGORIES, "all", "macro"]
        assert all((row.views, row.iterations, row.threshold) == (5, 1, 0.4) for row in rows.values())
        assert rows["all"].count == report.objects == 15
        assert rows["all"].mean == pytest.approx(statistics.fmean(values))
        assert rows["all"].std == pytest.approx(statistics.pstdev(values))
        first = rows[CATEGORIES[0]]
        assert first.count == 2
        assert first.mean == pytest.approx((values[0] + values[13]) / 2)
        means = [statistics.fmean(values[c::13]) for c in range(13)]
        assert rows["macro"].count == 13
        assert rows["macro"].mean == pytest.approx(statistics.fmean(means))
        assert rows["macro"].std == pytest.approx(statistics.pstdev(means))
        assert rows["macro"].mean != pytest.approx(rows["all"].mean)


@pytest.mark.parametrize(("first", "objects"), [(4, 3), (12, 0)])
def test_an_evaluation_begins_at_any_object(first: int, objects: int, shards: Path, slab: R2N2) -> None:
    source, answer = ShardSource(shards / "test"), slab.occupancy(None)[0]
    report = evaluate(slab, Protocol(data=f"shards={shards}", first=first, objects=objects))
    plain = [float(iou(answer, source.get(index, 0, 1).grid)) for index in range(first, first + 3)]
    assert report.objects == 3
    assert by_group(report, "iou")["all"].mean == pytest.approx(statistics.fmean(plain))
    assert f"from object {first} on" in report.to_dict()["rules"]["split"]


def test_a_first_object_past_the_end(shards: Path, slab: R2N2) -> None:
    with pytest.raises(ValueError, match=r"data: expected objects of .* from number 15 on, got none"):
        evaluate(slab, Protocol(data=f"shards={shards}", first=15))


@pytest.mark.parametrize("threshold", [0.4, 0.5])
@pytest.mark.parametrize("iterations", [2, 1])
@pytest.mark.parametrize("views", [1, 3])
def test_a_setting_scores_what_a_link_of_just_that_setting_gives(
    views: int, iterations: int, threshold: float, report: Report, protocol: Protocol, sequential: SequentialJoint
) -> None:
    codec, source = Codec(sequential), ProceduralSource("test")
    plain: dict[str, list[float]] = {}
    best = []
    for index in range(protocol.objects):
        sample = source.get(index, protocol.seed, views)
        codes = codec.encode(sample.views, iterations=iterations)
        grid = codec.reconstruct(codes.to_bytes())
        plain.setdefault(CATEGORIES[int(sample.category)], []).append(float(iou(grid, sample.grid, threshold)))
        best.append(float(best_quarter_turn(grid, sample.grid, threshold)[0]))
    values = [value for of_category in plain.values() for value in of_category]
    setting = {"views": views, "iterations": iterations, "threshold": threshold}
    rows = {row.group: row for row in report.select(measure="iou", **setting)}
    assert (rows["all"].mean, rows["all"].std) == (statistics.fmean(values), statistics.pstdev(values))
    assert {name: rows[name].mean for name in plain} == {name: statistics.fmean(of) for name, of in plain.items()}
    assert rows["macro"].mean == pytest.approx(statistics.fmean(map(statistics.fmean, plain.values())))
    assert report.one(measure="iou_best_turn", group="all", **setting).mean == statistics.fmean(best)


def test_settings_are_not_mixed_up(report: Report, protocol: Protocol) -> None:
    rows = report.select(measure="iou", group="all")
    combinations = [(v, n, t) for v in protocol.views for n in protocol.iterations for t in protocol.thresholds]
    assert [(row.views, row.iterations, row.threshold) for row in rows] == combinations
    assert len({row.mean for row in rows}) == len(rows)


def test_every_setting_passes_once_through_the_bytes_of_a_file(
    sequential: SequentialJoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    read = []
    from_bytes = Codes.from_bytes
    monkeypatch.setattr(Codes, "from_bytes", lambda data: read.append(len(data)) or from_bytes(data))
    protocol = Protocol(views=(1, 2), iterations=(1, 2), thresholds=(0.3, 0.4, 0.5), objects=1)
    report = evaluate(sequential, protocol)
    assert read == [32 + 128 * views * iterations for views in (1, 2) for iterations in (1, 2)]
    assert [row.mean for row in report.select(measure="file_bytes")] == read
    assert [row.mean for row in report.select(measure="payload_bytes")] == [length - 32 for length in read]


@pytest.mark.parametrize("kind", ["procedural", "shards"])
def test_fewer_views_are_the_first_of_those_drawn(kind: str, shards: Path) -> None:
    source = ProceduralSource("test") if kind == "procedural" else ShardSource(shards / "test")
    most, fewer = source.get(1, 7, 4), source.get(1, 7, 2)
    assert torch.equal(most.views[:2], fewer.views)
    assert torch.equal(most.poses[:2], fewer.poses)


def relabelled(shards: Path, folder: Path, others: slice) -> Path:
    """A copy in which some objects are outside the thirteen categories."""
    shutil.copytree(shards, folder)
    path = folder / "test" / "shard-0000000" / "labels.npy"
    labels = np.load(path)
    labels[others, 0] = -1
    np.save(path, labels)
    return folder


def test_other_categories_are_left_out_unless_asked_for(shards: Path, slab: R2N2, tmp_path: Path) -> None:
    folder = relabelled(shards, tmp_path / "shards", slice(5))
    report = evaluate(slab, Protocol(data=f"shards={folder}"))
    assert report.objects == by_group(report, "iou")["all"].count == 10
    whole = by_group(evaluate(slab, Protocol(data=f"shards={folder}", thirteen=False)), "iou")
    assert whole["all"].count == 15
    assert whole["other"].count == 5


def test_a_source_without_an_object_that_counts(shards: Path, slab: R2N2, tmp_path: Path) -> None:
    folder = relabelled(shards, tmp_path / "shards", slice(None))
    with pytest.raises(ValueError, match=r"data: expected objects of the thirteen categories in .*, got none"):
        evaluate(slab, Protocol(data=f"shards={folder}"))


def test_a_model_that_only_reconstructs_has_rows_of_shapes(shards: Path, slab: R2N2) -> None:
    report = evaluate(slab, Protocol(data=f"shards={shards}", objects=1))
    assert report.protocol.iterations == (1,)
    assert report.measures == ("payload_bytes", "file_bytes", "iou", "iou_best_turn")
    assert (report.name, report.identity.code_bits) == ("r2n2-small", 32768)
    assert report.identity.fingerprint == slab.fingerprint.hex()


def test_a_model_that_only_decodes_has_rows_of_images(shards: Path) -> None:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    tiny = tiny_compressor.make()
    report = evaluate(tiny, Protocol(data=f"shards={shards}", objects=1, views=(1,)))
    assert report.protocol.iterations == (1, tiny.config.max_iterations)
    assert report.measures == ("payload_bytes", "file_bytes", "l1", "psnr", "ssim", "exact")
    assert [row.iterations for row in report.select(measure="psnr")] == [1, tiny.config.max_iterations]
    assert len(list(tables(report))) == 1


def test_iterations_that_a_model_does_not_have(sequential: SequentialJoint) -> None:
    with pytest.raises(ValueError, match="iterations: expected 1 to 8 with sequential, got 9"):
        evaluate(sequential, Protocol(iterations=(9,)))
