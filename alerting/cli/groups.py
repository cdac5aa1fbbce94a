"""Groups of commands that are imported when they are called: `alerting --help` reads a table."""

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click


class Later(NamedTuple):
    """A command that is not imported yet: `module:attribute` below alerting.cli, and the first
    sentence of its help.
    """

    place: str
    help: str

    def load(self) -> click.Command:
        """Import it. Raises ImportError or AttributeError where the table is wrong."""
        module, _, attribute = self.place.partition(":")
        command: click.Command = getattr(import_module(f"alerting.cli.{module}"), attribute)
        return command


class LazyGroup(click.Group):
    """A group that knows its commands by name and help. One is imported when it is asked for."""

    def __init__(self, name: str, *, help: str, later: Mapping[str, Later]) -> None:
        super().__init__(name, help=help)
        self.later = later
        for each, command in later.items():  # what click lists, completes and suggests
            self.add_command(click.Command(each, help=command.help), each)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself, imported now; None where there is none of this name."""
        command = self.later.get(cmd_name)
        return None if command is None else command.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The names and first sentences of the table, without importing any of them."""
        names = self.list_commands(ctx)
        width = formatter.width - 6 - max(map(len, names))
        rows = [(name, self.commands[name].get_short_help_str(width)) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
