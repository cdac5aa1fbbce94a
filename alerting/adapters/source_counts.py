"""What a source says it sent: how many events a day, or each event's id, in a CSV file."""

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from alerting.adapters.delimited import Strict, lines_of, why
from alerting.domain.errors import ActionRefused
from alerting.services.reconciling import Sent

_IDS, _DAYS = {"id", "event_id", "token", "response_id"}, {"day", "date"}


def read_sent(path: Path) -> Sent:
    """Two columns, a day and a count, or one of ids; with a heading or without. Raises ActionRefused, naming the line."""
    lines = lines_of(path.read_bytes(), path.name)
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    reader = csv.reader(lines, Strict, delimiter=delimiter)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise ActionRefused(f"{path.name}:{reader.line_num}: {why(error, 1)}") from error
    if not rows:
        raise ActionRefused(f"{path.name} is empty; write day,count or one id a line")
    first = rows[0][1][0].casefold()
    body = rows[1:] if first in _IDS | _DAYS else rows
    if first in _IDS or (first not in _DAYS and len(rows[0][1]) == 1):
        return Sent(ids=_ids(path.name, body))
    return Sent(days=_days(path.name, body))


def _ids(name: str, rows: Sequence[tuple[int, list[str]]]) -> list[str]:
    empty = next((line for line, cells in rows if not cells[0]), None)
    if empty is not None:
        raise ActionRefused(f"{name}:{empty}: the id is empty")
    return list(dict.fromkeys(cells[0] for _, cells in rows))


def _days(name: str, rows: Sequence[tuple[int, list[str]]]) -> dict[date, int]:
    found: dict[date, int] = {}
    for line, cells in rows:
        try:
            day, count = date.fromisoformat(cells[0]), int(cells[1])
            if count < 0:
                raise ValueError("a negative count")
        except (ValueError, IndexError) as error:
            raise ActionRefused(
                f"{name}:{line}: {', '.join(cells)!r} is no day with its count; write 2026-03-06,12"
            ) from error
        if day in found:
            raise ActionRefused(f"{name}:{line}: {day} stands here twice; add the counts up")
        found[day] = count
    return found
