"""What can be made again: reports, pictures and pages, each by its name, with what it needs and its command."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Literal

from jc3d import models
from jc3d.evaluate import BASELINES, Protocol, Report, evaluate
from jc3d.evaluate.baselines import ClassicalCodec
from jc3d.io.atomic import atomic_write

FOLDER = "FOLDER"
"""Stands in reports for a folder of the machine that made them: a reader brings his own."""

State = Literal["there", "missing", "outdated", "of other software"]
MADE: tuple[State, ...] = ("there", "of other software")
"""States of what is not made again unasked: another version of a classical codec's software is no reason to."""


@dataclass(frozen=True)
class Inputs:
    """What a user brings.

    Attributes:
        meshes: folder of meshes with an ``index.csv``, see :mod:`jc3d.data.sources.meshes`.
        armchair: folder of photographs of one object.
        photos: folders of photographs, each a picture of its own.
        weights: files of models that are not packaged, by the label that is their files' name.
    """

    meshes: Path | None = None
    armchair: Path | None = None
    photos: tuple[Path, ...] = ()
    weights: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Artefact(ABC):
    """One thing that can be made.

    Attributes:
        name: by which it is asked for; of a report, its path in the folder of the results without ``.json``.
        minutes: that it takes on two cores.
    """

    name: str
    minutes: float = field(default=0.0, kw_only=True)

    @abstractmethod
    def state(self, out: Path) -> State:
        """Whether it is in the folder, and of today's weights, settings and software."""

    @abstractmethod
    def lacks(self, out: Path, inputs: Inputs) -> str | None:
        """What it cannot be made without and is not there: options of ``jc3d reproduce``, reports, folders."""

    @abstractmethod
    def make(self, out: Path, inputs: Inputs) -> None:
        """Makes it and writes it into the folder."""

    @property
    def command(self) -> str:
        """What makes it alone."""
        return f"jc3d reproduce {self.name}"

    @property
    def needs(self) -> tuple[Artefact, ...]:
        """What it is made from."""
        return ()


@dataclass(frozen=True)
class StoredReport(Artefact):
    """A report, ``NAME.json``.

    Attributes:
        model: packaged model or classical codec; else the label of a weights file that the user brings.
        protocol: of the evaluation; ``meshes=FOLDER`` stands for the folder that the user brings.
        measure: makes the report; None: :func:`jc3d.evaluate.evaluate`.
    """

    model: str
    protocol: Protocol
    measure: Callable[[str | Path, Protocol], Report] | None = None

    def path(self, out: Path) -> Path:
        """Where it stands."""
        return out / f"{self.name}.json"

    def load(self, out: Path) -> Report:
        """The report that is there.

        Raises:
            OSError: there is none.
            ValueError: it is damaged, of other weights than the packaged ones, or of another protocol.
        """
        report, path = Report.load(self.path(out)), self.path(out)
        fingerprint, protocol = report.identity.fingerprint, self.protocol
        if self.model in models.packaged():
            metadata = models.read_metadata(models.packaged_path(self.model))
            fingerprint = metadata["fingerprint"].hex()
            protocol = protocol.for_model(self.model, metadata["config"].max_iterations)
        for what, got, expected in (
            ("fingerprint", report.identity.fingerprint, fingerprint),
            ("protocol", report.protocol, protocol),
        ):
            if got != expected:
                raise ValueError(f"{path}: expected the {what} {expected}, got {got}")
        return report

    def state(self, out: Path) -> State:
        """See :class:`Artefact`; a report is outdated when weights or protocol are other ones."""
        try:
            report = self.load(out)
        except FileNotFoundError:
            return "missing"
        except ValueError:
            return "outdated"
        library = ClassicalCodec(self.model).identity.library if self.model in BASELINES else None
        return "there" if report.identity.library == library else "of other software"

    def lacks(self, out: Path, inputs: Inputs) -> str | None:
        """See :class:`Artefact`."""
        if FOLDER in self.protocol.data and inputs.meshes is None:
            return "--meshes"
        return None if self._is_known or self.model in inputs.weights else f"--weights {self.model}.safetensors"

    def make(self, out: Path, inputs: Inputs) -> None:
        """See :class:`Artefact`."""
        model = inputs.weights.get(self.model, self.model)
        data = self.protocol.data.replace(FOLDER, str(inputs.meshes))
        protocol = replace(self.protocol, data=data)
        measure = self.measure or partial(evaluate, progress=sys.stderr.isatty())
        report = measure(model, protocol)
        stored = replace(report, protocol=replace(report.protocol, data=self.protocol.data))
        self.path(out).parent.mkdir(exist_ok=True)
        stored.save(self.path(out))

    @property
    def command(self) -> str:
        """What makes it alone: for an evaluation, ``jc3d evaluate`` with the settings that are not the defaults."""
        if self.measure is not None:
            return super().command
        model = self.model if self._is_known else f"{self.model}.safetensors"
        return " ".join(["jc3d evaluate", f"--model {model}", *_options(self.protocol), f"-o {self.name}.json"])

    @property
    def _is_known(self) -> bool:
        """Whether the model comes with the package."""
        return self.model in models.packaged() or self.model in BASELINES


def _options(protocol: Protocol) -> Iterator[str]:
    """The options of ``jc3d evaluate`` for what is not the default."""
    for setting in fields(protocol):
        value = getattr(protocol, setting.name)
        (flag,) = setting.metadata.get("flags", (f"--{setting.name.replace('_', '-')}",))
        if value == setting.default:
            continue
        if isinstance(value, bool):
            yield flag.split("/")[not value]
        else:
            yield from (f"{flag} {quote(str(each))}" for each in (value if isinstance(value, tuple) else (value,)))


@dataclass(frozen=True)
class Picture(Artefact):
    """A picture, or several of one kind.

    Attributes:
        files: their names; with ``*`` where they depend on the inputs.
        option: of ``jc3d reproduce`` that it cannot do without.
        draw: the bytes of each file by name.
    """

    files: str
    option: str | None
    draw: Callable[[Inputs], Iterator[tuple[str, bytes]]]

    def state(self, out: Path) -> State:
        """See :class:`Artefact`; a picture does not say what it was made from, so one that is there counts."""
        return "there" if any(out.glob(self.files)) else "missing"

    def lacks(self, out: Path, inputs: Inputs) -> str | None:
        """See :class:`Artefact`."""
        given = self.option is None or getattr(inputs, self.option.removeprefix("--"))
        return None if given else self.option

    def make(self, out: Path, inputs: Inputs) -> None:
        """See :class:`Artefact`."""
        for name, data in self.draw(inputs):
            with atomic_write(out / name) as file:
                file.write(data)


@dataclass(frozen=True)
class Page(Artefact):
    """A Markdown page or a generated block of one, from reports alone.

    Attributes:
        file: where it stands, from the folder of the results.
        reports: what it is written from.
        write: its text, of the reports by name and the path where it stands.
        block: whether it is a part of a page that is written by hand, and must be there.
    """

    file: str
    reports: tuple[StoredReport, ...]
    write: Callable[[Mapping[str, Report], Path], str]
    block: bool = False

    @property
    def needs(self) -> tuple[Artefact, ...]:
        """The reports."""
        return self.reports

    def text(self, out: Path) -> str:
        """What the page says, by the reports that are in the folder.

        Raises:
            OSError, ValueError: as :meth:`StoredReport.load`.
        """
        return self.write({report.name: report.load(out) for report in self.reports}, out / self.file)

    def state(self, out: Path) -> State:
        """See :class:`Artefact`."""
        path = out / self.file
        if not path.is_file():
            return "missing"
        try:
            return "there" if self.text(out) == path.read_text() else "outdated"
        except (OSError, ValueError):
            return "outdated"

    def lacks(self, out: Path, inputs: Inputs) -> str | None:
        """See :class:`Artefact`."""
        lacking = []
        for report in self.reports:
            try:
                report.load(out)
            except (OSError, ValueError):
                lacking.append(report.name)
        place = out / self.file if self.block else (out / self.file).parent
        if not place.exists():
            lacking.append(str(place))
        return ", ".join(lacking) or None

    def make(self, out: Path, inputs: Inputs) -> None:
        """See :class:`Artefact`."""
        text = self.text(out)
        with atomic_write(out / self.file) as file:
            file.write(text.encode())
