"""Evaluation: numbers of a model whose answers are known, over a source whose truth is known."""

import json
import statistics
from pathlib import Path

import pytest
import tiny_shards
import torch

from jc3d.data.categories import CATEGORIES
from jc3d.data.sources import ShardSource
from jc3d.evaluate import Protocol, evaluate
from jc3d.metrics import best_quarter_turn, iou
from jc3d.models import R2N2, create


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


def test_scores_are_those_of_the_metric(shards: Path, slab: R2N2) -> None:
    report = evaluate(slab, Protocol(data=f"shards={shards}", objects=0))
    source, answer = ShardSource(shards / "test"), slab.occupancy(None)[0]
    grids = [source.get(index, 0, 1).grid for index in range(15)]
    plain = [float(iou(answer, grid)) for grid in grids]
    best = [float(best_quarter_turn(answer, grid)[0]) for grid in grids]
    assert report.overall.objects == 15
    assert report.overall.miou == pytest.approx(statistics.fmean(plain))
    assert report.overall.std == pytest.approx(statistics.pstdev(plain))
    assert report.overall.miou_best_turn == pytest.approx(statistics.fmean(best))
    assert statistics.fmean(best) > statistics.fmean(plain)
    # Fifteen objects over thirteen categories: the first two have two each.
    first = report.categories[CATEGORIES[0]]
    assert first.objects == 2
    assert first.miou == pytest.approx((plain[0] + plain[13]) / 2)
    by_category = [statistics.fmean(plain[c::13]) for c in range(13)]
    assert report.macro_miou == pytest.approx(statistics.fmean(by_category))
    assert report.macro_miou != pytest.approx(report.overall.miou)


def test_other_categories_are_left_out_unless_asked_for(shards: Path, slab: R2N2, tmp_path: Path) -> None:
    import shutil

    import numpy as np

    folder = tmp_path / "shards"
    shutil.copytree(shards, folder)
    labels = np.load(folder / "test" / "shard-0000000" / "labels.npy")
    labels[:5, 0] = -1
    np.save(folder / "test" / "shard-0000000" / "labels.npy", labels)
    assert evaluate(slab, Protocol(data=f"shards={folder}")).overall.objects == 10
    whole = evaluate(slab, Protocol(data=f"shards={folder}", thirteen=False))
    assert whole.overall.objects == 15
    assert whole.categories["other"].objects == 5


def test_report_is_json_with_its_protocol(shards: Path, slab: R2N2, tmp_path: Path) -> None:
    report = evaluate(slab, Protocol(data=f"shards={shards}", objects=3, threshold=0.5, views=2))
    report.save(tmp_path / "report.json")
    stored = json.loads((tmp_path / "report.json").read_text())
    assert stored["protocol"]["threshold"] == 0.5
    assert stored["protocol"]["views"] == 2
    assert stored["overall"]["objects"] == 3
    assert stored["fingerprint"] == slab.fingerprint.hex()
    assert "τ = 0.5" in str(report.table().title)
