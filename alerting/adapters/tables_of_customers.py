"""Tables of customers or people as files: CSV, with a header line. What cannot be a table is refused; a bad row is only noted."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from alerting.domain.errors import ActionRefused
from alerting.services.customer_rows import CUSTOMERS, Heading, Row, Table

_FOREIGN = {
    b"PK\x03\x04": "is a spreadsheet",
    b"\xd0\xcf\x11\xe0": "is a spreadsheet",
    b"\xff\xfe": "is UTF-16",
    b"\xfe\xff": "is UTF-16",
}
"""How files begin that people take for CSV."""


class _Strict(csv.excel):
    """Otherwise a quote that is never closed takes the rest of the file for one value, without a word."""

    strict = True
    skipinitialspace = True


def read_table(path: str, of: Heading = CUSTOMERS) -> Table:
    """The rows of a file, good and bad. Raises ActionRefused for a file that is no such table."""
    file = Path(path)
    name = "".join(ch if ch.isprintable() else "_" for ch in file.name)
    # csv ends rows at \n and \r alone; str.splitlines would also end them at U+0085 and the like, inside a name
    lines = list(io.StringIO(_text(file.read_bytes(), name), newline=""))
    heading = next((at for at, line in enumerate(lines) if line.strip()), None)
    if heading is None:
        raise ActionRefused(f"{name} is empty; its first line names the columns: {of.known}")
    delimiter = max(",;\t", key=lines[heading].count)
    columns, begin = _columns(lines, heading, delimiter, name, of)
    return Table(name=name, rows=list(_rows(lines, begin, delimiter, columns)), decimal_comma=delimiter == ";")


def _text(raw: bytes, name: str) -> str:
    for start, what in _FOREIGN.items():
        if raw.startswith(start):
            raise ActionRefused(f"{name} {what}; save it as CSV UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ActionRefused(
            f"{name}:{line}: is not UTF-8 (byte {raw[error.start]:#04x}); save the file as CSV UTF-8"
        ) from error


def _columns(lines: Sequence[str], at: int, delimiter: str, name: str, of: Heading) -> tuple[list[str], int]:
    """The columns by position (empty: no heading), and where the rows begin."""
    reader = csv.reader(_from(lines, at), _Strict, delimiter=delimiter)
    try:
        headings = [heading.strip() for heading in next(reader)]
    except csv.Error as error:
        raise ActionRefused(f"{name}:{at + 1}: the heading cannot be read: {_why(error, reader.line_num)}") from error
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
        reader, first = csv.reader(_from(lines, at), _Strict, delimiter=delimiter), at
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield _row(first + 1, at + reader.line_num, cells, columns)
                first = at + reader.line_num
            return
        except csv.Error as error:
            cells = _loosely(lines[first], delimiter)
            problem = _why(error, at + reader.line_num - first)
            yield Row(line=first + 1, last_line=first + 1, cells=_by_column(cells, columns), problem=problem)
            at = first + 1


def _from(lines: Sequence[str], at: int) -> Iterator[str]:
    return (lines[i] for i in range(at, len(lines)))


def _loosely(line: str, delimiter: str) -> list[str]:
    """What can be told of a row that cannot be read: most of all, whose it is."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


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


def _why(error: csv.Error, lines_read: int) -> str:
    """csv's findings in words a person can act on. A quote that is never closed also ends at csv's limit of a cell."""
    if lines_read > 1 or "end of data" in str(error):
        return "a quote that opens in this line is not closed; close it, or write a quote inside a quoted value twice"
    if "field larger" in str(error):
        return f"a value has more than {csv.field_size_limit()} characters; shorten it"
    return "text stands behind a closing quote; write a quote inside a quoted value twice"
