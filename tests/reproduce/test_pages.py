"""What the documents say: of the packaged weights, and what the code writes of the stored reports."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from jc3d.models import packaged, packaged_path
from jc3d.reproduce import artefacts
from jc3d.reproduce.artefacts import Page, StoredReport
from jc3d.reproduce.model_cards import STARTS
from jc3d.train.recipes import RECIPES

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
SHOWN = ("iou", "iou_best_turn", "psnr", "ssim", "pre_activation_difference")
PAGES = [artefact for artefact in artefacts().values() if isinstance(artefact, Page)]
REPORTS = [artefact for artefact in artefacts().values() if isinstance(artefact, StoredReport)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_what_the_code_writes_of_the_stored_reports(page: Page) -> None:
    pytest.importorskip("scipy", reason="the extra of Bjøntegaard deltas is not installed")
    path = RESULTS / page.file
    if path.name != "README.md" and "weights" in path.parts:
        path = packaged_path(path.stem).with_suffix(".md")  # those of the package that is tested
    assert page.text(RESULTS) == path.read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_report_of_a_page_shows_in_it(page: Page) -> None:
    """Were a number written by hand, it would not follow."""
    pytest.importorskip("scipy", reason="the extra of Bjøntegaard deltas is not installed")
    reports, path = {report.name: report.load(RESULTS) for report in page.reports}, RESULTS / page.file
    text = page.write(reports, path)
    same = []
    for name, report in reports.items():
        halved = tuple(replace(row, mean=row.mean / 2) if row.measure in SHOWN else row for row in report.rows)
        if page.write(reports | {name: replace(report, rows=halved)}, path) == text:
            same.append(name)
    assert same == []


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_a_stored_report_is_of_the_packaged_weights_and_its_protocol(report: StoredReport) -> None:
    """Else load() raises."""
    assert report.load(RESULTS).rows


def test_every_packaged_model_has_a_card() -> None:
    assert {f"card-{name}" for name in packaged()} <= {page.name for page in PAGES}


def test_everything_generated_has_a_maker() -> None:
    made = {report.path(RESULTS) for report in REPORTS} | {(RESULTS / page.file).resolve() for page in PAGES}
    pictures = [artefact for artefact in artefacts().values() if artefact not in PAGES and artefact not in REPORTS]
    made |= {path for picture in pictures for path in RESULTS.glob(picture.files)}
    assert {path for path in RESULTS.rglob("*") if path.is_file()} <= made


@pytest.mark.parametrize("name", packaged())
def test_a_card_explains_the_files_that_it_names_and_no_others(name: str) -> None:
    card = packaged_path(name).with_suffix(".md").read_text()
    recipes = [RECIPES[each] for each in (name, f"{name}-packaged") if each in RECIPES]
    needed = " ".join(file for recipe in recipes for phase in recipe.phases for file in phase.needs)
    named = set(re.findall(r"start/([\w-]+)\.safetensors", card + needed))
    explained = {start for start in STARTS if f"`{start}` {STARTS[start]}" in " ".join(card.split())}
    assert explained == named
