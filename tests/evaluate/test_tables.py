"""Reports on the terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from jc3d.evaluate import Protocol, Report, Row, tables


def printed(report: Report) -> str:
    screen = Console(file=io.StringIO(), width=80)
    screen.print(*tables(report))
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_the_protocol_stands_under_every_table(report: Report, protocol: Protocol) -> None:
    shown = list(tables(report))
    assert len(shown) == 1 + 8 + 1  # all settings, each setting, images
    for table in shown:
        caption = str(table.caption)
        for fact in ("procedural, split test", "3 random views", f"seed {protocol.seed}", "k views are the first k"):
            assert fact in caption
        assert "white background" in caption
    for table, row in zip(shown[1:], report.select(measure="iou", group="all"), strict=False):
        assert f"τ = {row.threshold}" in str(table.title)
        assert f"occupied above {row.threshold}" in str(table.caption)
        assert "over all objects, macro: mean of the categories' means" in str(table.caption)
    assert "no MS-SSIM: it needs 161 pixels a side" in str(shown[-1].caption)


def test_every_number_of_a_setting_is_shown(report: Report) -> None:
    text = printed(report)
    for row in report.select(measure="iou", threshold=0.5):
        assert f"{row.mean:.3f}" in text
    for measure, digits in (("l1", 4), ("psnr", 2), ("ssim", 3)):
        for row in report.select(measure=measure):
            assert f"{row.mean:.{digits}f} ± {row.std:.{digits}f}" in text


def test_tables_of_eight_iterations_and_large_files_fit_into_80_columns(report: Report) -> None:
    wide = {
        "payload_bytes": (24576.0, 0.0),
        "file_bytes": (24608.0, 0.0),
        "l1": (0.123456, 0.123456),
        "psnr": (31.456, 4.567),
        "exact": (0.5, 0.5),
    }

    def widened(row: Row) -> Row:
        mean, std = wide.get(row.measure, (0.123456, 0.123456))
        return replace(row, views=20 + row.views, iterations=8 - (row.iterations or 0), count=1300, mean=mean, std=std)

    text = printed(replace(report, rows=tuple(widened(row) for row in report.rows)))
    for fact in ("24576/24608", "0.123 ± 0.123", "0.1235 ± 0.1235", "31.46 ± 4.57", "1300 images are exact"):
        assert fact in " ".join(text.split())
    assert "…" not in text


@pytest.mark.parametrize("codec", ["jpeg", "jpeg-payload"])
def test_a_classical_codec_says_what_was_asked_and_met(codec: str) -> None:
    pytest.importorskip("torchmetrics", reason="the train extra is not installed")
    from jc3d.evaluate import evaluate

    report = evaluate(codec, Protocol(objects=2, views=(2,), num_bytes=(1200, 100)))
    (table,) = tables(report)
    header = [str(column.header) for column in table.columns]
    assert header == ["asked", "met", "codes/file", "ratio", "L1", "PSNR, dB", "SSIM"]
    asked, met = (list(column.cells) for column in table.columns[:2])
    assert (asked, met) == (["1200", "100"], ["4", "0"])
    assert str(report.identity.library) in str(table.caption)
    assert f"ratio by {'payload' if codec.endswith('payload') else 'file'}" in str(table.caption)
