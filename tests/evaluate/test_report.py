"""Reports: what is selected from them, and their JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jc3d.evaluate import Identity, Protocol, Report, Row, Setting

ROW = {"codec": "c", "measure": "l1", "views": 1, "iterations": 1, "num_bytes": None, "threshold": None}
ROW |= {"group": "all", "count": 1, "mean": 0, "std": 0.5}


def test_rows_are_selected_by_any_field(report: Report, protocol: Protocol) -> None:
    rows = report.select(measure="iou", views=3, iterations=1, group="all")
    assert [row.threshold for row in rows] == list(protocol.thresholds)
    assert report.select(num_bytes=None) == report.rows
    assert report.select(measure="nothing") == ()
    assert report.one(measure="iou", views=3, iterations=1, group="all", threshold=0.5) == rows[1]
    assert report.of(Setting(3, 1, None), "iou", threshold=0.5) == rows[1]
    assert rows[1].setting == Setting(3, 1, None)


def test_one_row_is_neither_none_nor_several(report: Report) -> None:
    for wanted, count in ((0.4, 4), (0.6, 0)):
        with pytest.raises(ValueError, match=f"sequential: expected one row of .*, got {count}"):
            report.one(measure="iou", threshold=wanted, group="all")
    with pytest.raises(AttributeError, match="colour"):
        report.select(colour="red")


def test_a_report_is_plain_json_and_reads_back(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    report.save(path)
    assert Report.load(path) == report
    stored = json.loads(path.read_text())
    assert stored == json.loads(json.dumps(report.to_dict()))
    assert list(stored) == ["identity", "image_size", "protocol", "rules", "rows"]
    assert stored["identity"]["name"] == "sequential"
    assert stored["protocol"]["iterations"] == [2, 1]
    assert list(stored["rows"][0]) == list(ROW)
    assert "psnr" in stored["rules"]
    first = path.read_bytes()
    Report.load(path).save(path)
    assert path.read_bytes() == first


def test_the_objects_of_a_report_that_counts_no_bytes(report: Report, protocol: Protocol) -> None:
    assert report.objects == 3
    rows = report.select(measure="iou")
    assert replace(report, rows=rows, protocol=replace(protocol, objects=7)).objects == 7


def document(**changes: object) -> str:
    identity = {"name": "c", "fingerprint": None, "code_bits": 3, "library": None}
    return json.dumps({"identity": identity, "image_size": [8, 8], "protocol": {}, "rows": [ROW], **changes})


def test_what_stands_in_no_file_has_its_default(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(document(comment="taken"))
    expected = Row("c", "l1", 1, 1, None, None, "all", 1, 0.0, 0.5)
    assert Report.load(path) == Report(Identity("c", code_bits=3), (8, 8), Protocol(), (expected,))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "truncated"),
        ("[]", "Expected `object`"),
        ("{}", "missing required field"),
        ('{"model": "a", "protocol": {"views": [5]}, "rates": []}', "missing required field"),
        ("[" * 100_000, ""),
        (document() + "x", "trailing"),
        (document(rows=[]), "rows: expected those of c, got those of none"),
        (document(rows=[ROW | {"codec": "d"}]), "rows: expected those of c, got those of d"),
        (document(rows=[ROW | {"mean": "0"}]), r"rows\[0\].mean"),
        (document(rows=[ROW | {"count": 0}]), "count: expected at least 1"),
        (document(rows=[ROW, ROW | {"views": 1.5}]), r"rows\[1\].views"),
        (document(protocol={"split": "all"}), "split"),
        (document(protocol={"views": [0]}), "views: expected whole numbers above 0"),
        (document(rows=[ROW]).replace("0.5", "NaN"), "malformed"),
        (document(rows=[ROW]).replace("0.5", "1e999"), "std"),
    ],
)
def test_what_is_no_report_is_refused(content: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=rf"report\.json: expected a report of jc3d evaluate, got .*{reason}"):
        Report.load(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(document().encode().replace(b'"l1"', b'"\xff"'))
    with pytest.raises(ValueError, match=r"report\.json: expected a report of jc3d evaluate"):
        Report.load(path)


def test_a_ratio_is_of_all_bytes_to_all_pixels(report: Report) -> None:
    setting = Setting(3, 2, None)
    assert report.ratio(setting) == 192
    assert report.ratio(setting, "file_bytes") == 3 * 128 * 128 * 3 / (3 * 2 * 128 + 32)
    assert report.size(setting).measure == "payload_bytes"


def test_classical_codecs_count_whole_streams_unless_their_name_says_payload() -> None:
    rows = [Row("jpeg", "payload_bytes", 2, None, 90, None, "all", 4, 100.5, 1.0)]
    rows.append(replace(rows[0], measure="file_bytes", mean=150.0))
    whole = Report(Identity("jpeg", library="x"), (16, 16), Protocol(num_bytes=(90,)), tuple(rows))
    setting = Setting(2, None, 90)
    assert whole.ratio(setting) == 2 * 16 * 16 * 3 / 150
    renamed = tuple(replace(row, codec="jpeg-payload") for row in rows)
    payload = replace(whole, identity=Identity("jpeg-payload", library="x"), rows=renamed)
    assert payload.ratio(setting) == 2 * 16 * 16 * 3 / 100.5
