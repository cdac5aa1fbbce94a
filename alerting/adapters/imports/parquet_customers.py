"""Tables of customers as Parquet, read by DuckDB. It is an extra: `alerting[parquet]`."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from alerting.adapters.imports.headings import Layout, take_heading
from alerting.domain.errors import ActionRefused, ExtraMissing
from alerting.services.imports.customer_table import Row, Table
from alerting.services.imports.import_mapping import ImportMapping

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FETCHED = 5_000
"""Rows held in memory at once."""


def read_parquet(file: Path, name: str, mapping: ImportMapping) -> Table:
    """Raises ActionRefused for a file that cannot be read, ExtraMissing where DuckDB is not
    installed.
    """
    if mapping.heading_row is not None:
        raise ActionRefused(
            f"{name} is Parquet, whose columns have names; leave `heading_row` out of the mapping"
        )
    with _opened(file, name, "*", "LIMIT 0") as found:
        headings = [str(column[0]) for column in found.description]
    with _opened(file, name, "count(*)", "") as found:
        counted = found.fetchone()
        size = int(counted[0]) if counted else 0
    layout = take_heading(headings, mapping, name)
    return Table(
        name=name,
        columns=layout.columns,
        rows=partial(_rows, file, name, layout, headings),
        fixed=mapping.fixed,
        notices=layout.notices,
        size=size,
    )


def _rows(file: Path, name: str, layout: Layout, headings: list[str]) -> Iterator[Row]:
    """Numbered from 1: there is no heading among them."""
    wanted = ", ".join('"' + headings[at].replace('"', '""') + '"' for at in layout.at)
    number = 0
    with _opened(file, name, wanted, "") as found:
        while fetched := found.fetchmany(_FETCHED):
            for cells in fetched:
                number += 1
                if any(cell is not None and cell != "" for cell in cells):
                    yield Row(line=number, last_line=number, cells=cells)


@contextmanager
def _opened(file: Path, name: str, what: str, rest: str) -> Iterator["DuckDBPyConnection"]:
    try:
        import duckdb
    except ImportError as error:
        raise ExtraMissing(
            "Parquet is read by DuckDB, which is not installed: pip install duckdb (the extra "
            "alerting[parquet])"
        ) from error
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        try:
            found = connection.execute(
                f"SELECT {what} FROM read_parquet(?) {rest}", [_literally(file)]
            )
        except duckdb.Error as error:
            why = str(error).splitlines()[0]
            raise ActionRefused(
                f"{name} cannot be read as Parquet: {why}; write the file again"
            ) from error
        yield found


def _literally(file: Path) -> str:
    """DuckDB takes stars and brackets in names for patterns."""
    return "".join(f"[{ch}]" if ch in "*?[" else ch for ch in str(file))
