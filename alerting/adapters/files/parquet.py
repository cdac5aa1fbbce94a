"""The facts and alerts of a back-test as Parquet files, for figures computed by other means.

Verdicts are gathered as lines of JSON, each share of the customers in files of its own, so that
several processes can write at once; DuckDB turns them into one file each. It is an extra:
`alerting[parquet]`.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TextIO

from alerting.domain.alerts.backtest import Keep, Tested, TestedAlert
from alerting.domain.conditions import Type
from alerting.domain.errors import ExtraMissing

Columns = Mapping[str, Type]

ANSWERS = "event.answers"
"""The answers a survey asked for beside its score: nobody knows their names, so they are JSON in
one column.
"""

WHOLE = "whole"
"""Which of a row's numbers were whole: `7 / 2` is 3 for those, and 3.5 for others."""

_PARQUET = {
    Type.TEXT: "VARCHAR",
    Type.NUMBER: "DOUBLE",
    Type.NUMERIC: "DOUBLE",
    Type.BIGINT: "BIGINT",
    Type.BOOLEAN: "BOOLEAN",
    Type.DATE: "DATE",
    Type.TIME: "TIMESTAMPTZ",
    Type.TEXTS: "VARCHAR[]",
    Type.ANY: "VARCHAR",
}
_ALERTS = {"rule": "VARCHAR", "severity": "VARCHAR", "mailed": "VARCHAR[]"}
_EVENT = {"event.time": "TIMESTAMPTZ", "event.source": "VARCHAR", "event.id": "VARCHAR"}


@dataclass(frozen=True, kw_only=True)
class FactsExport:
    """Where the verdicts of a running back-test are kept. `books` are the columns of the facts, by
    rulebook: a, b.
    """

    parts: Path
    books: Mapping[str, Columns]

    @contextmanager
    def keeping(self, share: int) -> Iterator[Keep]:
        """Takes the verdicts about one share of the customers."""
        with ExitStack() as stack:
            files = {
                name: stack.enter_context(self._part(name, share)) for name in _names(self.books)
            }

            def keep(which: str, verdict: Tested) -> None:
                columns = self.books[which]
                files[f"facts_{which}"].write(_line(_row(verdict.facts, columns)))
                for alert in verdict.alerts:
                    files[f"alerts_{which}"].write(_line(_alert(alert)))

            yield keep

    def _part(self, name: str, share: int) -> TextIO:
        return gzip.open(
            self.parts / f"{name}-{share:06}.json.gz", "wt", compresslevel=1, encoding="utf-8"
        )


@contextmanager
def exporting(folder: Path, books: Mapping[str, Columns]) -> Iterator[FactsExport]:
    """Writes facts_a.parquet and alerts_a.parquet, with a rulebook B also theirs, when all went
    well.

    Raises ExtraMissing before anything is judged.
    """
    duckdb_extra()
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".parts-", dir=folder) as parts:
        export = FactsExport(parts=Path(parts), books=books)
        yield export
        for name in _names({"a": {}, "b": {}}):
            (folder / f"{name}.parquet").unlink(missing_ok=True)  # what an earlier back-test left
        for which, columns in books.items():
            facts = {**{name: _PARQUET[kind] for name, kind in columns.items()}, WHOLE: "VARCHAR[]"}
            _write(export.parts, f"facts_{which}", {**_EVENT, **facts}, folder)
            _write(export.parts, f"alerts_{which}", {**_EVENT, **_ALERTS}, folder)


def _names(books: Mapping[str, Columns]) -> list[str]:
    return [f"{what}_{which}" for which in books for what in ("facts", "alerts")]


def _row(facts: Mapping[str, object], columns: Columns) -> dict[str, object]:
    row = {name: facts[name] for name in columns if facts.get(name) is not None}
    row[WHOLE] = [
        name
        for name, kind in columns.items()
        if kind in {Type.NUMBER, Type.NUMERIC} and type(row.get(name)) is int
    ]
    answers = {
        name.removeprefix(f"{ANSWERS}."): value
        for name, value in facts.items()
        if name.startswith(f"{ANSWERS}.")
    }
    return {**row, ANSWERS: _line(answers).strip()} if answers else row


def _alert(alert: TestedAlert) -> dict[str, object]:
    event = {"event.time": alert.time, "event.source": alert.source, "event.id": alert.event_id}
    return {**event, "rule": alert.rule, "severity": alert.severity, "mailed": alert.mailed}


def _line(row: Mapping[str, object]) -> str:
    return json.dumps(row, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: object) -> object:
    """Every fraction came as JSON and is a double, but for totals and averages, which may lose a
    sixteenth digit.
    """
    if isinstance(value, Decimal):
        return float(value)
    assert isinstance(value, (datetime, date)), f"a fact is no {type(value).__name__}"
    return value.isoformat()


def _write(parts: Path, name: str, columns: Mapping[str, str], folder: Path) -> None:
    """The columns are told, never guessed: a file without a line has them, too."""
    types = ", ".join(f"{_quoted(column)}: {_quoted(kind)}" for column, kind in columns.items())
    lines = (
        f"read_json({_quoted(f'{parts}/{name}-*.json.gz')}, format = 'newline_delimited', "
        f"columns = {{{types}}})"
    )
    order = ", ".join(f'"{column}"' for column in _EVENT)
    with duckdb_extra().connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET temp_directory = {_quoted(str(parts))}")
        target = _quoted(str(folder / f"{name}.parquet"))
        connection.execute(
            f"COPY (SELECT * FROM {lines} ORDER BY {order}) TO {target} (FORMAT parquet)"
        )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def duckdb_extra() -> ModuleType:
    """The module. Raises ExtraMissing that says how to get it."""
    try:
        import duckdb
    except ImportError as error:
        raise ExtraMissing(
            "Parquet is written by DuckDB, which is not installed: pip install duckdb (the extra "
            "alerting[parquet])"
        ) from error
    return duckdb
