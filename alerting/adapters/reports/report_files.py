"""Clocks as CSV, Excel workbook or Parquet: a row for each, none of whose texts a spreadsheet would
compute.

CSV has no types, so a text that begins like a formula gets an apostrophe in front of it; in a
workbook it is a cell of type text, as it is. Numbers stay numbers. Instants are ISO 8601 in UTC, in
Parquet TIMESTAMPTZ.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from alerting.adapters.files.parquet import duckdb_extra
from alerting.domain.errors import ActionRefused
from alerting.services.reports.report_clocks import COLUMNS

Rows = Iterable[Mapping[str, object]]

MOST = 1_048_575
"""Rows of a sheet below its heading."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_UNWRITABLE = {
    code: None
    for code in (*range(32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
    if chr(code) not in "\t\n\r"
}
_PARQUET = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", datetime: "TIMESTAMPTZ"}


def inert(value: object) -> object:
    """A value as a CSV cell: a text that begins like a formula gets an apostrophe, as OWASP
    advises.
    """
    if isinstance(value, datetime):
        return _iso(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def as_csv(rows: Rows) -> bytes:
    """UTF-8 with a mark of it, which spreadsheets need; comma, quotes where needed."""
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow(COLUMNS)
    writer.writerows([inert(row[name]) for name in COLUMNS] for row in rows)
    return b"\xef\xbb\xbf" + held.getvalue().encode()


def as_xlsx(rows: Rows) -> bytes:
    """One sheet. Raises ActionRefused where there are more rows than a sheet holds."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("clocks")
    sheet.freeze_panes = "A2"

    def cell(value: object) -> object:
        found = WriteOnlyCell(sheet)
        if isinstance(value, str):
            found.value = value.translate(_UNWRITABLE)
            found.data_type = "s"  # else what begins with = would be a formula
        else:
            found.value = _iso(value) if isinstance(value, datetime) else value
        return found

    sheet.append([cell(name) for name in COLUMNS])
    for count, row in enumerate(rows, 1):
        if count > MOST:
            raise ActionRefused(
                f"a sheet holds {MOST:,} rows; narrow the period, or write CSV or Parquet"
            )
        sheet.append([cell(row[name]) for name in COLUMNS])
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def as_parquet(rows: Rows) -> bytes:
    """By DuckDB. Raises ExtraMissing that names the extra."""
    duckdb = duckdb_extra()
    with TemporaryDirectory(prefix="alerting-report-") as folder:
        lines, target = Path(folder) / "rows.json", Path(folder) / "rows.parquet"
        with lines.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, default=_iso) + "\n")
        types = ", ".join(f"'{name}': '{_PARQUET[kind]}'" for name, kind in COLUMNS.items())
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            source = f"read_json('{lines}', format = 'newline_delimited', columns = {{{types}}})"
            connection.execute(f"COPY (SELECT * FROM {source}) TO '{target}' (FORMAT parquet)")
        return target.read_bytes()


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


WRITERS: Mapping[str, Callable[[Rows], bytes]] = {
    "csv": as_csv,
    "xlsx": as_xlsx,
    "parquet": as_parquet,
}
"""By the suffix of the file."""
