"""What an evaluation found, and its JSON file.

msgspec reads and writes it: a field of another type or out of range is an error that says where it stands.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from jc3d.evaluate.protocol import Protocol
from jc3d.evaluate.rows import ALL, Row, Setting
from jc3d.evaluate.rules import rules
from jc3d.io.atomic import atomic_write
from jc3d.metrics.rate import compression_ratio

PAYLOAD = "-payload"
"""Ends the names of classical codecs whose size is counted without headers."""


@dataclass(frozen=True)
class Identity:
    """Which codec numbers are of.

    Attributes:
        name: a model's preset, or a classical codec's name.
        fingerprint: of a model and its weights, hexadecimal; None of a classical codec.
        code_bits: of a model's code of a view and iteration; None of a classical codec.
        library: the software of a classical codec and its versions; None of a model.
    """

    name: str
    fingerprint: str | None = None
    code_bits: int | None = None
    library: str | None = None

    @property
    def counted(self) -> str:
        """The measure by which its size counts: ``file_bytes`` of a classical codec's whole streams, else payloads."""
        whole = self.library is not None and not self.name.endswith(PAYLOAD)
        return "file_bytes" if whole else "payload_bytes"


@dataclass(frozen=True)
class Report:
    """What an evaluation found.

    Attributes:
        identity: of the codec.
        image_size: (height, width) of the views.
        protocol: with the iterations that were run.
        rows: by measure, setting in the order of the protocol, and group.

    Raises:
        ValueError: no row, or one of another codec.
    """

    identity: Identity
    image_size: tuple[int, int]
    protocol: Protocol
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        names = {row.codec for row in self.rows}
        if names != {self.name}:
            raise ValueError(f"rows: expected those of {self.name}, got those of {', '.join(sorted(names)) or 'none'}")

    @property
    def name(self) -> str:
        """The codec's."""
        return self.identity.name

    @property
    def objects(self) -> int:
        """How many were evaluated; in a report that counts no bytes, how many its protocol asks for."""
        sized = self.select(measure="payload_bytes", group=ALL)
        return max((row.count for row in sized), default=self.protocol.objects)

    @property
    def measures(self) -> tuple[str, ...]:
        """Those that there are rows of."""
        return tuple(dict.fromkeys(row.measure for row in self.rows))

    def select(self, **wanted: str | float | None) -> tuple[Row, ...]:
        """The rows whose fields have these values, in their order, as in ``select(measure="iou", views=5)``.

        Raises:
            AttributeError: a row has no field of that name.
        """
        return tuple(row for row in self.rows if all(getattr(row, name) == value for name, value in wanted.items()))

    def one(self, **wanted: str | float | None) -> Row:
        """The only row whose fields have these values.

        Raises:
            ValueError: there is none, or several.
        """
        rows = self.select(**wanted)
        if len(rows) != 1:
            raise ValueError(f"{self.name}: expected one row of {wanted}, got {len(rows)}")
        return rows[0]

    def of(self, setting: Setting, measure: str, group: str = ALL, threshold: float | None = None) -> Row:
        """The row of a measure at one setting.

        Raises:
            ValueError: there is none.
        """
        return self.one(**setting._asdict(), measure=measure, group=group, threshold=threshold)

    def size(self, setting: Setting, measure: str | None = None) -> Row:
        """Bytes of an object at one setting.

        Args:
            setting: of the codes.
            measure: ``payload_bytes`` or ``file_bytes``; None: the one that counts, :attr:`Identity.counted`.
        """
        return self.of(setting, measure or self.identity.counted)

    def ratio(self, setting: Setting, measure: str | None = None) -> float:
        """How many times smaller an object is than its views as 24-bit pixels, by the mean of the bytes ([J] eq. 12).

        Args:
            setting: of the codes.
            measure: as for :meth:`size`.
        """
        return compression_ratio(self.size(setting, measure).mean, *self.image_size, images=setting.views)

    def to_dict(self) -> dict[str, Any]:
        """Plain types, as in the file: the fields, and after the protocol ``rules``, the same in words."""
        fields = msgspec.to_builtins(self)
        rows = fields.pop("rows")
        return {**fields, "rules": rules(self.protocol, self.measures), "rows": rows}

    def save(self, path: str | Path) -> None:
        """Writes JSON with a row a line, atomically."""
        fields = self.to_dict()
        rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in fields.pop("rows"))
        head = json.dumps(fields, indent=1, ensure_ascii=False).removesuffix("\n}")
        with atomic_write(path) as file:
            file.write(f'{head},\n "rows": [\n{rows}\n ]\n}}\n'.encode())

    @classmethod
    def load(cls, path: str | Path) -> Report:
        """Reads what :meth:`save` wrote.

        Raises:
            ValueError: the file is no report of this version; the message says where.
            OSError: it cannot be read.
        """
        data = Path(path).read_bytes()
        try:
            return msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise ValueError(f"{path}: expected a report of jc3d evaluate, got {error}") from error
