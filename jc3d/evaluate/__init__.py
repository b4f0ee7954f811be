"""Evaluation: what a codec scores, with the protocol beside every number (``jc3d evaluate``)."""

from jc3d.evaluate.baselines import BASELINES
from jc3d.evaluate.protocol import Protocol
from jc3d.evaluate.report import Identity, Report
from jc3d.evaluate.rows import Row, Setting
from jc3d.evaluate.run import evaluate
from jc3d.evaluate.tables import tables

__all__ = ["BASELINES", "Identity", "Protocol", "Report", "Row", "Setting", "evaluate", "tables"]
