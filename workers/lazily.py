"""Lazily is a group of commands whose modules are imported when one of them is asked for: whoever wants one command
does not wait for what the others need.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


class Lazily(TyperGroup):
    """A group with commands of its own and those of `places`: `module:function`, or `module:app` of a group within."""

    places: ClassVar[Mapping[str, str]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands, in the order of help."""
        return list(dict.fromkeys([*super().list_commands(ctx), *self.places]))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command, or None; where it is none, all are there to suggest one from."""
        unknown = cmd_name not in self.places and cmd_name not in self.commands
        for name, place in self.places.items():
            if (unknown or name == cmd_name) and name not in self.commands:
                self.add_command(_loaded(place, name), name)
        return super().get_command(ctx, cmd_name)


def _loaded(place: str, name: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name)(found)
    return get_command(alone)
