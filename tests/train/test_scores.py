"""Scores of batches and processes to rows."""

import torch

from jc3d.train.scores import ScoreSums
from jc3d.train.tasks.task import ScoreRow


def test_objects_weigh_alike_in_batches_of_any_size() -> None:
    sums = ScoreSums()
    sums.add([ScoreRow("miou", 0.5, 3, 1), ScoreRow("l1", 0.1, 3)], "shards-0")
    sums.add([ScoreRow("miou", 0.9, 1, 1), ScoreRow("l1", 0.5, 1)], "shards-0")
    sums.add([ScoreRow("miou", 0.25, 2, 1), ScoreRow("l1", 1.0, 2)], "procedural-1")
    assert sums.rows(lambda tensor: tensor) == [
        ScoreRow("miou", (0.5 * 3 + 0.9) / 4, 4, 1, "shards-0"),
        ScoreRow("l1", (0.1 * 3 + 0.5) / 4, 4, None, "shards-0"),
        ScoreRow("miou", 0.25, 2, 1, "procedural-1"),
        ScoreRow("l1", 1.0, 2, None, "procedural-1"),
    ]


def test_processes_are_summed() -> None:
    ours, theirs = ScoreSums(), ScoreSums()
    ours.add([ScoreRow("miou", 0.5, 3)], "shards-0")
    theirs.add([ScoreRow("miou", 0.9, 1)], "shards-0")
    sent: list[torch.Tensor] = []
    theirs.rows(lambda tensor: sent.append(tensor) or tensor)
    assert ours.rows(lambda tensor: tensor + sent[0]) == [ScoreRow("miou", 0.6, 4, source="shards-0")]
