"""Scores in the metadata of weights, as they are written now and as they were."""

from __future__ import annotations

from jc3d.models import packaged, packaged_path, read_metadata
from jc3d.models.validation_scores import ValidationScore, stored_scores, validation_scores


def test_scores_read_back() -> None:
    scores = [ValidationScore("miou", 1, 0.5), ValidationScore("miou", 8, 0.6), ValidationScore("l1", None, 0.01)]
    assert validation_scores({"steps": 3, **stored_scores(scores)}) == scores
    assert validation_scores({"steps": 3}) == []


def test_keys_of_earlier_versions_are_read() -> None:
    info = {"steps": 3, "val_miou_1": 0.5, "val_miou_8": 0.6, "val_l1": 0.01, "val_turned_iou": 0.7}
    assert validation_scores(info) == [
        ValidationScore("miou", 1, 0.5),
        ValidationScore("miou", 8, 0.6),
        ValidationScore("l1", None, 0.01),
        ValidationScore("turned_iou", None, 0.7),
    ]


def test_every_packaged_model_has_a_score() -> None:
    for name in packaged():
        first = validation_scores(read_metadata(packaged_path(name))["info"])[0]
        assert first.label == ("L1" if name == "rnn-small" else "mIoU")
        assert 0 < first.mean < 1
