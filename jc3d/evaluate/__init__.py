"""Evaluation: what a model scores, with the protocol beside every number (``jc3d evaluate``)."""

from jc3d.evaluate.protocol import Protocol
from jc3d.evaluate.report import ImageScores, Rate, Report, Score, ShapeScores, Spread
from jc3d.evaluate.run import evaluate
from jc3d.evaluate.tables import tables

__all__ = [
    "ImageScores",
    "Protocol",
    "Rate",
    "Report",
    "Score",
    "ShapeScores",
    "Spread",
    "evaluate",
    "tables",
]
