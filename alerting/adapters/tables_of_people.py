"""Tables of people as files: CSV, with a header line. What cannot be a table is refused; a bad row is only noted."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from alerting.adapters.delimited import Strict, lines_from, lines_of, loosely, why
from alerting.domain.errors import ActionRefused
from alerting.services.text_table import Heading, Row, Table


def read_table(path: str, of: Heading) -> Table:
    """The rows of a file, good and bad. Raises ActionRefused for a file that is no such table."""
    file = Path(path)
    name = "".join(ch if ch.isprintable() else "_" for ch in file.name)
    lines = lines_of(file.read_bytes(), name)
    heading = next((at for at, line in enumerate(lines) if line.strip()), None)
    if heading is None:
        raise ActionRefused(f"{name} is empty; its first line names the columns: {of.known}")
    delimiter = max(",;\t", key=lines[heading].count)
    columns, begin = _columns(lines, heading, delimiter, name, of)
    return Table(name=name, rows=list(_rows(lines, begin, delimiter, columns)), decimal_comma=delimiter == ";")


def _columns(lines: Sequence[str], at: int, delimiter: str, name: str, of: Heading) -> tuple[list[str], int]:
    """The columns by position (empty: no heading), and where the rows begin."""
    reader = csv.reader(lines_from(lines, at), Strict, delimiter=delimiter)
    try:
        headings = [heading.strip() for heading in next(reader)]
    except csv.Error as error:
        raise ActionRefused(f"{name}:{at + 1}: the heading cannot be read: {why(error, reader.line_num)}") from error
    columns = [of.named(heading) if heading else "" for heading in headings]
    problems = []
    unknown = [_unknown(heading, of) for heading, column in zip(headings, columns, strict=True) if column is None]
    if unknown:
        problems.append(f"unknown columns {', '.join(unknown)}; {of.advice}leave them out")
    twice = [column for column, count in Counter(columns).items() if column and count > 1]
    if twice:
        problems.append(f"two columns {', '.join(twice)}; leave one of them out")
    if of.key not in columns:
        problems.append(f"there is no column {of.key}; {of.known}")
    if problems:
        raise ActionRefused("\n".join(f"{name}:{at + 1}: {problem}" for problem in problems))
    return [column or "" for column in columns], at + reader.line_num


def _unknown(heading: str, of: Heading) -> str:
    near = of.nearest(heading)
    shown = heading if len(heading) <= 40 else heading[:40] + "..."
    return f"{shown} (did you mean {near}?)" if near else shown


def _rows(lines: Sequence[str], begin: int, delimiter: str, columns: Sequence[str]) -> Iterator[Row]:
    """Every row that says something. Where one cannot be read, the next line begins a row again."""
    at = begin
    while at < len(lines):
        reader, first = csv.reader(lines_from(lines, at), Strict, delimiter=delimiter), at
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield _row(first + 1, at + reader.line_num, cells, columns)
                first = at + reader.line_num
            return
        except csv.Error as error:
            cells = loosely(lines[first], delimiter)
            problem = why(error, at + reader.line_num - first)
            yield Row(line=first + 1, last_line=first + 1, cells=_by_column(cells, columns), problem=problem)
            at = first + 1


def _row(line: int, last_line: int, cells: Sequence[str], columns: Sequence[str]) -> Row:
    stray = next((cell for at, cell in enumerate(cells) if cell.strip() and not "".join(columns[at : at + 1])), None)
    problem = None
    if stray is not None:
        problem = (
            f"{len(cells)} cells, the heading names {len(columns)} columns: nobody knows what {stray.strip()[:40]!r} is; "
            "quote a value that holds the separator"
        )
    elif len(cells) == 1 and len(columns) > 1:
        problem = f"1 cell, the heading names {len(columns)} columns"
    return Row(line=line, last_line=last_line, cells=_by_column(cells, columns), problem=problem)


def _by_column(cells: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    return {column: cell for column, cell in zip(columns, cells, strict=False) if column}
