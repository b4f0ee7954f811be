"""Settings of a run as fields of dataclasses: name, type, default, range and description of each stand in one place.

A description is the text under "Attributes:" in the dataclass's docstring; the command line shows its first sentence
(:mod:`jc3d.cli.dataclass_options`), or the field's ``help`` where that sentence speaks of code.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jc3d.models import ModelConfig

RENAMED = {
    "gate_lr_scale": "gate_rate",
    "reconstruction_lr_scale": "reconstruction_rate",
    "teacher_forcing": "forced",
}
"""Settings that have another name since the release before: new name -> old name."""


def setting(
    default: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    may_change: bool = False,
    **of_option: Any,
) -> Any:
    """A dataclass field.

    Args:
        default: its value.
        above: values are larger than this.
        least: values are no smaller than this.
        most: values are no larger than this.
        may_change: whether a run may be resumed with another value.
        of_option: what the command line needs to know, see :mod:`jc3d.cli.dataclass_options`.
    """
    bounds = {"above": above, "least": least, "most": most}
    return field(default=default, metadata={**bounds, "may_change": may_change, **of_option})


def check_ranges(settings: Any) -> None:
    """Raises a ValueError for a value out of the range that its field declares."""
    for each in fields(settings):
        value = getattr(settings, each.name)
        above, least, most = (each.metadata.get(name) for name in ("above", "least", "most"))
        if above is not None and not value > above:
            raise ValueError(f"{each.name}: expected more than {above}, got {value}")
        if least is not None and not value >= least:
            raise ValueError(f"{each.name}: expected {least} or more, got {value}")
        if most is not None and not value <= most:
            raise ValueError(f"{each.name}: expected at most {most}, got {value}")


@dataclass(frozen=True)
class TaskSettings:
    """What a task needs to know besides what every run has; each task has its own subclass."""

    def check(self, config: ModelConfig) -> None:
        """Raises a ValueError for a value that does not suit the model."""
        check_ranges(self)
