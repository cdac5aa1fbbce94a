"""Columns of a file somebody else made, by name or by number: how the file separates them is found
by trying.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from alerting.adapters.imports.delimited import BLANKS, Cells, cells_of
from alerting.domain.errors import ActionRefused

_DELIMITERS = (",", ";", "\t", "|", BLANKS)
_TRIED = 200
"""Rows by which it is decided how a file separates its columns."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The columns to find: a heading's name, or a position as digits, counted from 1.

    `fits` says whether the cells of these columns can be a row, `begins` whether they can at all be
    one and not a heading; the latter is asked only where all columns are given by position.
    """

    columns: Sequence[str]
    fits: Callable[[Sequence[str]], bool]
    begins: Callable[[Sequence[str]], bool]

    @property
    def by_position(self) -> bool:
        return all(map(_is_position, self.columns))


@dataclass(frozen=True, kw_only=True)
class ColumnLayout:
    """How a file is to be read: its delimiter, where the wanted columns stand (from 0), and the
    line (from 0) its rows begin at. `heading` are the names of all columns; None without one.
    """

    delimiter: str
    at: tuple[int, ...]
    begin: int
    heading: Sequence[str] | None

    def rows(self, lines: Sequence[str]) -> Iterator[Cells]:
        """The rows below the heading that say something."""
        return cells_of(lines, self.begin, self.delimiter, self.at)

    def wanted(self, row: Cells) -> list[str]:
        """The wanted cells of a row. Raises ValueError where it cannot be read, or does not have as
        many as it should.
        """
        if row.problem:
            raise ValueError(row.problem)
        count = f"{len(row.cells)} cell{'' if len(row.cells) == 1 else 's'}"
        if len(row.cells) <= max(self.at):
            raise ValueError(f"{count}, and column {max(self.at) + 1} is needed")
        if self.heading is not None and any(row.cells[len(self.heading) :]):
            raise ValueError(
                f"{count}, the heading names {len(self.heading)} columns; quote a value that holds "
                "the separator"
            )
        return [row.cells[at] for at in self.at]


def first_line(lines: Sequence[str], name: str) -> int:
    """The first line that is not blank. Raises ActionRefused where there is none."""
    found = next((at for at, line in enumerate(lines) if line.strip()), None)
    if found is None:
        raise ActionRefused(f"{name} is empty")
    return found


def find_layout(lines: Sequence[str], name: str, wanted: Wanted) -> ColumnLayout:
    """By the delimiter with which most of the first rows fit. Raises ActionRefused where none finds
    the columns.
    """
    first = first_line(lines, name)
    found: list[tuple[int, ColumnLayout]] = []
    for delimiter in _DELIMITERS:
        heading = next(cells_of(lines, first, delimiter), None)
        at = None if heading is None else _positions(heading.cells, wanted.columns)
        if heading is not None and at is not None:
            layout = _with_heading(lines, first, delimiter, at, heading, wanted)
            rows = islice(layout.rows(lines), _TRIED)
            fitting = sum(
                len(row.cells) > max(at) and wanted.fits([row.cells[one] for one in at])
                for row in rows
            )
            found.append((fitting, layout))
    best = max(found, key=lambda pair: pair[0], default=None)
    if best is None or (best[0] == 0 and wanted.by_position):
        raise ActionRefused(_not_found(lines, first, wanted, name))
    return best[1]


def _with_heading(
    lines: Sequence[str],
    first: int,
    delimiter: str,
    at: tuple[int, ...],
    heading: Cells,
    wanted: Wanted,
) -> ColumnLayout:
    cells = heading.cells
    if wanted.by_position and len(cells) > max(at) and wanted.begins([cells[one] for one in at]):
        return ColumnLayout(delimiter=delimiter, at=at, begin=first, heading=None)
    second = next(islice(cells_of(lines, first, delimiter), 1, None), None)
    begin = len(lines) if second is None else second.line - 1
    return ColumnLayout(delimiter=delimiter, at=at, begin=begin, heading=cells)


def _positions(heading: Sequence[str], columns: Sequence[str]) -> tuple[int, ...] | None:
    """Where the columns stand, from 0; None where the heading does not have one of them."""
    found = [int(one) - 1 if _is_position(one) else _place(heading, one) for one in columns]
    at = tuple(one for one in found if one is not None and one >= 0)
    return at if len(at) == len(found) else None


def _place(heading: Sequence[str], column: str) -> int | None:
    """Exactly as written, or else the only one that differs in small and capital letters, or by
    `attributes.`.
    """
    if column in heading:
        return heading.index(column) if heading.count(column) == 1 else None
    alike = [
        at
        for at, one in enumerate(heading)
        if bare(one).casefold() == bare(column.strip()).casefold()
    ]
    return alike[0] if len(alike) == 1 else None


def bare(heading: str) -> str:
    """`attributes.tier`, which `alerting import` reads, is `tier`."""
    return heading.removeprefix("attributes.").removeprefix("attribute.")


def _is_position(column: str) -> bool:
    return column.isascii() and column.isdecimal() and len(column) < 5


def _not_found(lines: Sequence[str], first: int, wanted: Wanted, name: str) -> str:
    """Which column is missing, with what there is and what was probably meant."""
    delimiter = max(_DELIMITERS[:-1], key=lines[first].count)
    row = next(cells_of(lines, first, delimiter if delimiter in lines[first] else BLANKS))
    place = f"{name}:{first + 1}"
    if row.problem:
        return f"{place}: the heading cannot be read: {row.problem}"
    known = ", ".join(f"{at} {cell[:40]}" for at, cell in enumerate(row.cells, 1))
    said = list(_missing(row.cells, wanted.columns))
    if not said:
        said = [f"no row can be read by its columns {', '.join(wanted.columns)}"]
    return "\n".join(f"{place}: {one}" for one in (*said, f"the columns are: {known}"))


def _missing(heading: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    for column in dict.fromkeys(columns):
        if _is_position(column):
            if not 0 < int(column) <= len(heading):
                yield f"there is no column {column}; they are counted from 1 to {len(heading)}"
        elif _place(heading, column) is None:
            if heading.count(column) > 1:
                yield f"there are several columns {column!r}; give its number"
                continue
            near = get_close_matches(
                column.casefold(), [one.casefold() for one in heading], n=1, cutoff=0.5
            )
            hint = next((one for one in heading if near and one.casefold() == near[0]), None)
            yield f"there is no column {column!r}" + (f"; did you mean {hint!r}?" if hint else "")
