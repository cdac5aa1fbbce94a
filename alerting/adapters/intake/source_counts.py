"""What a source says it sent: how many events a day, or each event's id, in a CSV file."""

import csv
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from alerting.adapters.imports.delimited import Strict, lines_of, why
from alerting.domain.errors import ActionRefused
from alerting.services.intake.reconciliation import Sent

_IDS = {
    "id",
    "ids",
    "token",
    "uuid",
    *(f"{of}id" for of in ("event", "response", "answer", "submission", "record", "entry")),
}
_DAYS = {"day", "date"}
_YEARS = range(1900, 9000)
"""In others a day has no end, or a zone no day."""


def read_sent(path: Path) -> Sent:
    """Two columns, a day and a count, or one of ids; with a heading or without. Raises
    ActionRefused, naming the line.
    """
    lines = lines_of(path.read_bytes(), path.name)
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    reader = csv.reader(lines, Strict, delimiter=delimiter)
    try:
        rows = [
            (reader.line_num, [cell.strip() for cell in row])
            for row in reader
            if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise ActionRefused(f"{path.name}:{reader.line_num}: {why(error, 1)}") from error
    if not rows:
        raise ActionRefused(f"{path.name} is empty; write day,count or one id a line")
    first = re.sub(r"[\s_-]", "", rows[0][1][0].casefold())
    body = rows[1:] if first in _IDS | _DAYS else rows
    if not body:
        raise ActionRefused(
            f"{path.name} has a heading and nothing below it; write day,count or one id a line"
        )
    if body is rows:
        _refuse_heading(path.name, rows)
    if first in _IDS or (first not in _DAYS and len(rows[0][1]) == 1):
        return Sent(ids=_ids(path.name, body))
    return Sent(days=_days(path.name, body))


def _refuse_heading(name: str, rows: Sequence[tuple[int, list[str]]]) -> None:
    """A heading in words of its own would be one more id that is missing."""
    (line, (first, *_)), others = rows[0], [cells[0] for _, cells in rows[1:]]
    if others and not _has_digit(first) and all(map(_has_digit, others)):
        raise ActionRefused(
            f"{name}:{line}: {first!r} is nothing like what stands below it; write id or day,count"
        )


def _ids(name: str, rows: Sequence[tuple[int, list[str]]]) -> list[str]:
    empty = next((line for line, cells in rows if not cells[0]), None)
    if empty is not None:
        raise ActionRefused(f"{name}:{empty}: the id is empty")
    strange = next((line for line, cells in rows if "\x00" in cells[0]), None)
    if strange is not None:
        raise ActionRefused(f"{name}:{strange}: no id holds a NUL; save the file as CSV UTF-8")
    return list(dict.fromkeys(cells[0] for _, cells in rows))


def _days(name: str, rows: Sequence[tuple[int, list[str]]]) -> dict[date, int]:
    found: dict[date, int] = {}
    for line, cells in rows:
        try:
            day = date.fromisoformat(cells[0])
            if not re.fullmatch(r"[0-9]{1,12}", cells[1]):
                raise ValueError("no such day or count")
        except (ValueError, IndexError) as error:
            raise ActionRefused(
                f"{name}:{line}: {', '.join(cells)!r} is no day with its count; write 2026-03-06,12"
            ) from error
        if day.year not in _YEARS:
            raise ActionRefused(
                f"{name}:{line}: {day} is no day on which anything was sent; write one of 1900 to "
                "8999"
            )
        if day in found:
            raise ActionRefused(f"{name}:{line}: {day} stands here twice; add the counts up")
        found[day] = int(cells[1])
    return found


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))
