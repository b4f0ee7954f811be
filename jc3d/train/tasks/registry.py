"""Which tasks there are; each stands beside its settings in a module of this package, and this file knows none.

    @register_task("shape", ShapeSettings)
    class ShapeTask(Task[ShapeModel, ShapeSettings]): ...

Tasks are found by their place: every module of the package is imported on the first look-up. Others register when
their own module is imported. The command line makes its options from what is registered.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from jc3d.models import Model, ModelConfig
from jc3d.models.registry import family
from jc3d.train.settings import TaskSettings
from jc3d.train.tasks.task import Task

T = TypeVar("T", bound=type[Task[Any, Any]])


class Entry(NamedTuple):
    """A task.

    Attributes:
        task: its class.
        settings: the class of its settings.
    """

    task: type[Task[Any, Any]]
    settings: type[TaskSettings]


_tasks: dict[str, Entry] = {}


def register_task(name: str, settings: type[TaskSettings]) -> Callable[[T], T]:
    """Registers the class it decorates.

    Args:
        name: what models call the task that trains them.
        settings: the class of its settings, all of which have defaults.

    Raises:
        ValueError: a task of that name is there already.
    """

    def decorate(task: T) -> T:
        if name in _tasks:
            raise ValueError(f"task: expected a new name, got {name!r}, which is registered already")
        _tasks[name] = Entry(task, settings)
        return task

    return decorate


def tasks() -> dict[str, Entry]:
    """Every task by name."""
    _discover()
    return _tasks


def settings_of(name: str) -> type[TaskSettings]:
    """The class of a task's settings.

    Raises:
        ValueError: no such task.
    """
    return _entry(name).settings


def make_task(settings: TaskSettings, model: Model) -> Task[Any, Any]:
    """The task that trains a model.

    Raises:
        ValueError: no such task.
    """
    return _entry(model.task).task(settings, model)


def task_name(config: ModelConfig) -> str:
    """What trains the models of a config.

    Raises:
        ValueError: they name no task, or one that there is not.
    """
    name = getattr(family(config.family).model, "task", None)
    if name not in tasks():
        known = ", ".join(sorted(tasks()))
        wrong = "no task" if name is None else f"the task {name!r}"
        raise ValueError(
            f"preset: expected one that a task trains ({known}), got {config.name}, whose family names {wrong}"
        )
    return str(name)


def _entry(name: str) -> Entry:
    known = tasks()
    if name not in known:
        raise ValueError(f"task: expected one of {', '.join(sorted(known))}, got {name!r}")
    return known[name]


@functools.cache
def _discover() -> None:
    import jc3d.train.tasks as package

    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
