"""A table of texts with a heading, held in memory: a list of people is short."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the file: its lines, and its cells by column. Empty cells say nothing. `problem`: it cannot be read."""

    line: int
    last_line: int
    cells: Mapping[str, str]
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file of people. `decimal_comma`: its cells are separated by semicolons, as where decimals have a comma."""

    name: str
    rows: Sequence[Row]
    decimal_comma: bool = False


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What the heading of a table may hold: the column every row needs, the others by name, and what to tell."""

    key: str
    named: Callable[[str], str | None]
    nearest: Callable[[str], str | None]
    known: str
    advice: str
