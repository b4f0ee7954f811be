"""Where training and test objects come from: one interface over generated, rendered and stored ones.

A source is written as text: ``procedural``, ``meshes=FOLDER``, ``shards=FOLDER`` or ``r2n2=FOLDER``, with
``@WEIGHT`` after it for its share in a mixture (1 if not given), such as ``procedural@0.5``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from jc3d.data.samples import Source, Split
from jc3d.data.sources.registry import source_kinds


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
        kinds = source_kinds()
        if kind not in kinds or kinds[kind].takes_folder != bool(folder):
            forms = (f"{name}=FOLDER" if kinds[name].takes_folder else name for name in sorted(kinds))
            raise ValueError(f"data: expected one of {', '.join(forms)}, got {text!r}")
        try:
            share = float(weight)
        except ValueError:
            share = -1.0
        if not 0 < share < math.inf:
            raise ValueError(f"data: expected a positive weight after @, got {text!r}")
        return cls(kind, Path(folder) if folder else None, share)

    def open(self, split: Split) -> Source:
        """The source itself, for one split."""
        kind = source_kinds()[self.kind]
        return kind.open(self.folder, split) if kind.takes_folder else kind.open(split)
