"""What openpyxl's reader of large sheets leaves out: merged cells, and formulas whose result was
never stored.

The sheet's XML is looked through in blocks; neither of the two needs the cells around it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from openpyxl.utils.cell import column_index_from_string, range_boundaries

from alerting.services.imports.customer_table import Cell

_BLOCK = 1 << 20
_OVERLAP = 1 << 13
"""Bytes looked at twice, so that nothing is missed at the border of two blocks; longer formulas are
not noticed.
"""

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell ref="([A-Z]+[0-9]+:[A-Z]+[0-9]+)"')
_NO_RESULT = re.compile(
    rb'<(?:\w+:)?c r="([A-Z]+)([0-9]+)"[^>]*>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^<]*</(?:\w+:)?f>)\s*'
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)


@dataclass(frozen=True, kw_only=True)
class Marks:
    """`merged`: first row -> (column from 0, last row) of cells that stand for several rows below
    each other.

    `no_result`: cells (row, column from 0) of formulas that nobody has computed.
    """

    merged: Mapping[int, list[tuple[int, int]]]
    no_result: frozenset[tuple[int, int]]


def marks_of(xml: IO[bytes]) -> Marks:
    """Of a worksheet's XML."""
    merged: dict[int, list[tuple[int, int]]] = {}
    formulas: set[tuple[int, int]] = set()
    ranges: set[bytes] = set()
    for block in _blocks(xml):
        formulas |= {
            (int(row), column_index_from_string(letters.decode()) - 1)
            for letters, row in _NO_RESULT.findall(block)
        }
        ranges |= set(_MERGED.findall(block))
    for written in sorted(ranges):
        column, top, _, bottom = range_boundaries(written.decode())
        if bottom > top:
            merged.setdefault(top, []).append((column - 1, bottom))
    return Marks(merged=merged, no_result=frozenset(formulas))


def _blocks(xml: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while block := xml.read(_BLOCK):
        yield rest + block
        rest = block[-_OVERLAP:]


class Merged:
    """Gives every row below a merged cell its value."""

    def __init__(self, marks: Marks) -> None:
        self._starts = marks.merged
        self._held: dict[int, tuple[int, Cell]] = {}

    def fill(self, row: int, cells: list[Cell]) -> list[Cell]:
        """The cells of the next row, `row` counted from 1."""
        for column, (last, value) in list(self._held.items()):
            if row > last:
                del self._held[column]
            else:
                cells += [None] * (column + 1 - len(cells))
                cells[column] = value
        for column, last in self._starts.get(row, ()):
            if column < len(cells):
                self._held[column] = (last, cells[column])
        return cells
