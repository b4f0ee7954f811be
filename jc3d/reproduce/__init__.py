"""Reproduction of every published number, picture and page (``jc3d reproduce``)."""

from jc3d.reproduce.artefacts import Artefact, Inputs
from jc3d.reproduce.run import artefacts, chosen, listed, reproduce

__all__ = ["Artefact", "Inputs", "artefacts", "chosen", "listed", "reproduce"]
