"""Files of delimited text: their lines, and what can be said of rows that cannot be read."""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alerting.domain.errors import ActionRefused

_FOREIGN = {
    b"PK\x03\x04": "is a spreadsheet",
    b"\xd0\xcf\x11\xe0": "is a spreadsheet",
    b"\xff\xfe": "is UTF-16",
    b"\xfe\xff": "is UTF-16",
}
"""How files begin that people take for CSV."""


_BLOCK = 1 << 20


class Strict(csv.excel):
    """Otherwise a quote that is never closed takes the rest of the file for one value, without a
    word.
    """

    strict = True
    skipinitialspace = True


def lines_of(raw: bytes, name: str) -> list[str]:
    """The lines of a text in UTF-8, with their ends. Raises ActionRefused for what is no such text.

    csv ends rows at \\n and \\r alone; str.splitlines would also end them at U+0085 and the like,
    inside a name.
    """
    return list(io.StringIO(_text(raw, name), newline=""))


def _text(raw: bytes, name: str) -> str:
    for start, what in _FOREIGN.items():
        if raw.startswith(start):
            raise ActionRefused(f"{name} {what}; save it as CSV UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(name, raw.count(b"\n", 0, error.start) + 1, error) from error


def check_text(path: Path, name: str) -> None:
    """Raises ActionRefused, with its line, for a file that is no text in UTF-8. Holds none of it in
    memory.
    """
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    with path.open("rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                raise _not_utf8(
                    name, line + error.object.count(b"\n", 0, error.start), error
                ) from error
            line += block.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(name, line, error) from error


def _not_utf8(name: str, line: int, error: UnicodeDecodeError) -> ActionRefused:
    byte = error.object[error.start]
    return ActionRefused(
        f"{name}:{line}: is not UTF-8 (byte {byte:#04x}); save the file as CSV UTF-8"
    )


class LineFeed:
    """The lines of a file for csv.reader. Those of the present row are kept: where it cannot be
    read, the next begins behind its first line.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.row: list[str] = []
        self._lines = iter(lines)
        self._again: deque[str] = deque()

    def __iter__(self) -> "LineFeed":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.row.append(line)
        return line

    def begin_behind_first(self) -> None:
        self._again.extendleft(reversed(self.row[1:]))
        self.row.clear()


def lines_from(lines: Sequence[str], at: int) -> Iterator[str]:
    """The lines from the one at `at` (from 0) on."""
    return (lines[i] for i in range(at, len(lines)))


def loosely(line: str, delimiter: str) -> list[str]:
    """What can be told of a row that cannot be read: most of all, whose it is."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def why(error: csv.Error, lines_read: int) -> str:
    """csv's findings in words a person can act on. A quote that is never closed also ends at csv's
    limit of a cell.
    """
    if lines_read > 1 or "end of data" in str(error):
        return (
            "a quote that opens in this line is not closed; close it, or write a quote inside "
            "a quoted value twice"
        )
    if "field larger" in str(error):
        return f"a value has more than {csv.field_size_limit()} characters; shorten it"
    return "text stands behind a closing quote; write a quote inside a quoted value twice"


@dataclass(frozen=True, kw_only=True)
class Cells:
    """One row: its first line (from 1) and its cells, or why it cannot be read."""

    line: int
    cells: Sequence[str]
    problem: str | None = None


BLANKS = " "
"""The delimiter of columns set off by any white space."""

_BLANK_SET = re.compile(r'"((?:[^"]|"")*)"(?!\S)|(\S+)')


def cells_of(
    lines: Sequence[str], begin: int, delimiter: str, plain: Collection[int] = ()
) -> Iterator[Cells]:
    """The rows from line `begin` (from 0) on that say something. Where one cannot be read, the next
    line begins anew.

    A cell at one of the positions `plain` never holds a line break: it would be a quote left open.
    """
    at = begin
    while at < len(lines):
        reader, first = _reader(lines, at, delimiter), at
        try:
            for cells in reader:
                if any(position < len(cells) and "\n" in cells[position] for position in plain):
                    raise csv.Error("unexpected end of data")
                if any(cell.strip() for cell in cells):
                    yield Cells(line=first + 1, cells=[cell.strip() for cell in cells])
                first = at + reader.line_num
            return
        except csv.Error as error:
            yield Cells(line=first + 1, cells=(), problem=why(error, at + reader.line_num - first))
            at = first + 1


class _Reader(Protocol):
    """What csv.reader is: rows of cells, and how many lines were read for them."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...


class _Blanks:
    """What csv.reader is to the other delimiters."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.line_num = 0

    def __iter__(self) -> "_Blanks":
        return self

    def __next__(self) -> list[str]:
        line = next(self.lines)
        self.line_num += 1
        return [bare or quoted.replace('""', '"') for quoted, bare in _BLANK_SET.findall(line)]


def _reader(lines: Sequence[str], at: int, delimiter: str) -> "_Reader":
    rest = lines_from(lines, at)
    return _Blanks(rest) if delimiter == BLANKS else csv.reader(rest, Strict, delimiter=delimiter)
