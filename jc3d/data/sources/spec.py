"""Where training and test objects come from: one interface over generated, rendered and stored ones.

A source is written as text: ``procedural``, ``meshes=FOLDER``, ``shards=FOLDER`` or ``r2n2=FOLDER``, with
``@WEIGHT`` after it for its share in a mixture (1 if not given), such as ``procedural@0.5``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jc3d.data.samples import Source, Split
from jc3d.data.sources.meshes import MeshSource
from jc3d.data.sources.procedural import ProceduralSource
from jc3d.data.sources.shards import ShardSource

if TYPE_CHECKING:
    pass


_KINDS = ("procedural", "meshes", "shards", "r2n2")


@dataclass(frozen=True)
class SourceSpec:
    """A source and its share in a mixture, parsed from text (see the module's docstring)."""

    kind: str
    folder: Path | None
    weight: float

    @classmethod
    def parse(cls, text: str) -> SourceSpec:
        """Reads ``KIND[=FOLDER][@WEIGHT]``.

        Raises:
            ValueError: it is not of that form.
        """
        # What follows the last @ is a weight if it is a number; folders may hold an @ too.
        match = re.fullmatch(r"(.*)@([-+.\deE]+)", text)
        body, weight = match.groups() if match else (text, "1")
        kind, _, folder = body.partition("=")
        if kind not in _KINDS or (kind != "procedural") != bool(folder):
            raise ValueError(f"data: expected procedural, meshes=, shards= or r2n2=FOLDER, got {text!r}")
        try:
            share = float(weight)
        except ValueError:
            share = -1.0
        if not 0 < share < math.inf:
            raise ValueError(f"data: expected a positive weight after @, got {text!r}")
        return cls(kind, Path(folder) if folder else None, share)

    def open(self, split: Split) -> Source:
        """The source itself, for one split."""
        if self.kind == "procedural":
            return ProceduralSource(split)
        assert self.folder is not None
        if self.kind == "meshes":
            return MeshSource(self.folder, split)
        if self.kind == "shards":
            return ShardSource(self.folder / split)
        from jc3d.data.sources.r2n2 import R2N2Source

        return R2N2Source(self.folder, split)
