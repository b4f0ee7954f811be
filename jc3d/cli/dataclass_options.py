"""Options of a command that are made from the fields of dataclasses, so that a setting stands in one place.

Of a field the option takes name, type and default; its help is the first sentence of what the dataclass's docstring
says of it under "Attributes:". ``Literal`` becomes a choice, ``tuple[str, ...]`` an option to repeat, ``bool`` a pair
``--x/--no-x``. The field's metadata may say more:

- ``flags``: the names of the option instead of the field's, such as ``("--threshold",)`` or ``("--out", "-o")``;
- ``shown``: the default in words, where the value says little;
- ``help``: the description, where the docstring's is not for the shell.

Dataclasses often stand in modules that import torch, and ``jc3d --help`` must not: :func:`add_command` makes the
options when the command is called, not when it is listed.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from types import GenericAlias
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand

from jc3d.cli.long_help import LongHelpCommand

_KEYWORD = inspect.Parameter.KEYWORD_ONLY

Options = list[inspect.Parameter]
"""Parameters of a function as typer reads them, one an option."""


def options(settings: type[Any], panel: str | None = None, skip: Collection[str] = ()) -> Options:
    """An option for every field of a dataclass.

    Args:
        settings: the dataclass.
        panel: heading of the options in the help; None: the command's own.
        skip: fields without an option.

    Raises:
        ValueError: a field that the docstring does not describe, or that has no default.
    """
    described, types = descriptions(settings), get_type_hints(settings)
    found = []
    for each in fields(settings):
        if each.name in skip:
            continue
        help_text = each.metadata.get("help") or described.get(each.name)
        if not help_text or each.default is MISSING:
            wanted = "a default and a description under Attributes:"
            raise ValueError(f"{settings.__name__}.{each.name}: expected {wanted}, got none")
        found.append(_option(each, types[each.name], help_text, panel))
    return found


def _option(field: Field[Any], kind: Any, help_text: str, panel: str | None) -> inspect.Parameter:
    default: Any = field.default
    metavar = None
    if get_origin(kind) is tuple:
        help_text += " Repeat it."
        metavar = f"<{get_args(kind)[0].__name__}>"  # of one
        kind, default = GenericAlias(list, get_args(kind)[:1]), list(default)
    info = typer.Option(
        *_flags(field, kind),
        help=help_text,
        metavar=metavar,
        rich_help_panel=panel,
        show_default=field.metadata.get("shown") or default not in (None, []),
    )
    return inspect.Parameter(field.name, _KEYWORD, default=default, annotation=_annotated(kind, info))


def _flags(field: Field[Any], kind: Any) -> tuple[str, ...]:
    name = field.name.replace("_", "-")
    flags: tuple[str, ...] = field.metadata.get("flags", (f"--{name}/--no-{name}" if kind is bool else f"--{name}",))
    return flags


def _annotated(kind: Any, info: Any) -> Any:
    return Annotated[kind, info]  # kinds are values here, which type checkers do not expect


def hidden(parameter: inspect.Parameter, old_name: str) -> inspect.Parameter:
    """The same option by the name it had before, which the help does not show."""
    kind, info = parameter.annotation.__origin__, parameter.annotation.__metadata__[0]
    flag = "--" + old_name.replace("_", "-")
    return parameter.replace(
        name=old_name, annotation=_annotated(kind, typer.Option(flag, help=info.help, hidden=True))
    )


def descriptions(settings: type[Any]) -> dict[str, str]:
    """What the docstrings of a dataclass and of those it extends say of its fields, a sentence each, without markup."""
    found: dict[str, str] = {}
    for each in reversed(settings.__mro__):
        _, _, section = inspect.cleandoc(each.__doc__ or "").partition("\nAttributes:\n")
        body = section.split("\n\n")[0]
        for name, text in re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", body, re.MULTILINE):
            found[name] = _sentence(text)
    return found


def _sentence(text: str) -> str:
    """The first sentence of a description in the style of docstrings, for people."""
    plain = re.sub(r":\w+:`~?([^`]*)`", r"\1", " ".join(text.split())).replace("``", "")
    first = re.split(r"(?<=\.)\s+(?=[A-Z])", plain)[0].rstrip(".")
    return f"{first[:1].upper()}{first[1:]}."


def add_command(app: typer.Typer, function: Callable[..., None], make_options: Callable[[], Options]) -> None:
    """Adds a command with options of its own and generated ones.

    Args:
        app: where to.
        function: of its own parameters, as typer reads them, and ``**given``: of the generated options those that are
            given on the command line, repeated ones as tuples.
        make_options: makes the generated ones, each time the command is called.
    """

    class Lazy(TyperCommand):
        """Stands in the list of commands; the command itself is made when it is called."""

        def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
            return _build(function, make_options()).make_context(info_name, args, parent, **extra)

        def invoke(self, context: Any) -> Any:
            return context.command.invoke(context)

    def listed() -> None:
        """Has no options, and never runs."""

    app.command(function.__name__, cls=Lazy, help=inspect.getdoc(function))(listed)


def _build(function: Callable[..., None], generated: Sequence[inspect.Parameter]) -> Any:
    signature = inspect.signature(function, eval_str=True)
    own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    names = {each.name for each in generated}

    def command(context: typer.Context, **values: Any) -> None:
        given = {name: value for name, value in values.items() if name in names and _is_given(context, name)}
        function(
            **{name: value for name, value in values.items() if name not in names},
            **{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()},
        )

    context = inspect.Parameter("context", _KEYWORD, annotation=typer.Context)
    parameters = [context, *(each.replace(kind=_KEYWORD) for each in own), *generated]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(function.__name__, cls=LongHelpCommand, help=inspect.getdoc(function))(command)
    return typer.main.get_command(app)


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def shared_options(owners: Mapping[str, type[Any]], noun: str) -> Options:
    """An option for every field of several dataclasses; a field that several have is one option.

    Args:
        owners: dataclasses by the name that the help calls their owner by.
        noun: what owners are, such as ``task``; heads the panels.

    Raises:
        ValueError: as :func:`options`, or a field of one name and two types.
    """
    found: dict[str, inspect.Parameter] = {}
    names: dict[str, list[str]] = {}
    for owner, settings in owners.items():
        for each in options(settings):
            names.setdefault(each.name, []).append(owner)
            if each.annotation.__origin__ != found.setdefault(each.name, each).annotation.__origin__:
                raise ValueError(f"{each.name}: expected one type in {' and '.join(names[each.name])}, got two")
    for name, parameter in found.items():
        info = parameter.annotation.__metadata__[0]
        info.rich_help_panel = f"Of the {noun}{'s' * (len(names[name]) > 1)} {' and '.join(names[name])}"
        defaults = {owner: getattr(owners[owner], name) for owner in names[name]}
        if len(set(defaults.values())) > 1:
            info.show_default = ", ".join(f"{value} ({owner})" for owner, value in defaults.items())
    return sorted(found.values(), key=lambda each: -len(names[each.name]))
