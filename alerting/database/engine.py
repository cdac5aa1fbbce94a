"""Connections and transactions. Driver errors are translated here, and nowhere else."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic_core
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError

from alerting.database.tables import instance
from alerting.domain.errors import DatabaseUnavailable, Temporary

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Result = TypeVar("Result")
Shape = TypeVar("Shape", bound="DataclassInstance")

BUSY_TIMEOUT_MS = 30_000
"""How long a SQLite writer waits for the one before it."""

PING_AFTER = 1.0
"""Seconds in the pool after which a connection is asked whether it still lives."""

_RETRYABLE = {
    "40001",
    "40P01",
    "55P03",
    "57P01",
    "57P02",
    "57P03",
    "53000",
    "53100",
    "53200",
    "53300",
}
"""PostgreSQL: serialization failure, deadlock, lock not available, shutting down, out of
resources.
"""

_MISPLACED = {"25006", "42501", "42P01", "42703"}
"""PostgreSQL: read-only, no right to, no such table, no such column. The database is at fault,
never an event.
"""


_SQLITE_TEMPORARY = ("locked", "busy", "disk I/O error", "disk is full", "unable to open")


class Transaction:
    """One open transaction: SQLAlchemy's connection, and the clock all production time comes
    from.
    """

    def __init__(self, connection: Connection, offset: timedelta) -> None:
        self.connection = connection
        self._offset = offset

    @property
    def dialect(self) -> str:
        return self.connection.dialect.name

    @property
    def is_postgresql(self) -> bool:
        return self.dialect == "postgresql"

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        return self.connection.execute(statement, parameters)

    def rows(self, shape: type[Shape], statement: sa.Executable) -> list[Shape]:
        """What a query finds, as frozen dataclasses: each field from the column of its name. Raises
        TypeError where the query lacks one.
        """
        return list(self.each(shape, statement))

    def each(self, shape: type[Shape], statement: sa.Executable) -> Iterator[Shape]:
        """The same row by row, where many are not to be held at once."""
        result = self.connection.execute(statement)
        names = tuple(field.name for field in fields(shape))
        columns = {name: place for place, name in enumerate(result.keys())}
        if missing := [name for name in names if name not in columns]:
            raise TypeError(
                f"{shape.__name__} needs {', '.join(missing)}, which no column is called"
            )
        places = [columns[name] for name in names]
        for row in result:
            filled = object.__new__(
                shape
            )  # setting frozen fields one by one costs several times as much
            vars(filled).update(zip(names, map(row.__getitem__, places), strict=True))
            yield filled

    def first(self, shape: type[Shape], statement: sa.Executable) -> Shape | None:
        """The first row a query finds, or None."""
        return next(iter(self.rows(shape, statement)), None)

    def now(self) -> datetime:
        """The database's time. Ask after the locks: what waited for a lock must not carry an old
        time.
        """
        if self.is_postgresql:
            moment = self.connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
            return moment.astimezone(UTC) + self._offset  # type: ignore[no-any-return]
        milliseconds = self.connection.execute(
            sa.text("SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)")
        ).scalar_one()
        return (
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds) + self._offset
        )

    def insert(self, table: sa.Table) -> Any:
        """An INSERT that knows ON CONFLICT on both databases."""
        if self.is_postgresql:
            from sqlalchemy.dialects.postgresql import insert as postgresql_insert

            return postgresql_insert(table)
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        return sqlite_insert(table)


class Database:
    """A SQLite or PostgreSQL database. Transactions are READ COMMITTED; on SQLite a writer is
    alone.
    """

    def __init__(self, url: str, *, has_instance: bool = True) -> None:
        """`has_instance` is False for a database of other tables, whose clock no demo moves."""
        self.url = url
        self.engine = _engine(url)
        self._has_instance = has_instance

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that changes something. Commits at the end, rolls back on any exception."""
        with self._begin(writing=True) as transaction:
            yield transaction

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only looks; on SQLite it does not wait for writers."""
        with self._begin(writing=False) as transaction:
            yield transaction

    @contextmanager
    def _begin(self, *, writing: bool) -> Iterator[Transaction]:
        with _translated(), self.engine.connect() as connection:
            connection = connection.execution_options(alerting_writing=writing)
            with connection.begin():
                offset = _clock_offset(connection) if self._has_instance else timedelta(0)
                yield Transaction(connection, offset)

    def retrying(self, use_case: Callable[[], Result], attempts: int = 5) -> Result:
        """Run a use case again when the database or another process asked for it."""
        for attempt in range(1, attempts + 1):
            try:
                return use_case()
            except Temporary:
                if attempt == attempts:
                    raise
                time.sleep(random.uniform(0.02, 0.1) * 2**attempt)
        raise AssertionError("the loop returns or raises")

    def settle(self) -> None:
        """SQLite: bring what was written into the database's own file and empty the log beside it,
        where old bytes stay.
        """
        if self.engine.dialect.name == "sqlite":
            with _translated():
                connection = self.engine.raw_connection()
                try:
                    connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    connection.close()

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        engine = sa.create_engine(
            url,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            json_deserializer=pydantic_core.from_json,
            pool_size=10,
            max_overflow=20,
        )
        event.listen(engine, "checkin", _note_idle)
        event.listen(engine, "checkout", partial(_ping_when_idle, engine))
        return engine
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        json_deserializer=pydantic_core.from_json,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _sqlite_connect)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _note_idle(_connection: Any, record: Any) -> None:
    record.info["idle_since"] = time.monotonic()


def _ping_when_idle(engine: Engine, connection: Any, record: Any, _proxy: Any) -> None:
    """A connection may have died while idle: then another is taken. Asking each time would cost a
    tenth of a mail.
    """
    if time.monotonic() - record.info.get("idle_since", time.monotonic()) < PING_AFTER:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise DisconnectionError(_first_line_of(error)) from error


def _sqlite_connect(connection: Any, _record: Any) -> None:
    """WAL, so that readers and the writer do not block each other; FULL, so that a commit survives
    a power cut. What is deleted is overwritten: somebody may have asked for it.
    """
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def _sqlite_begin(connection: Connection) -> None:
    """BEGIN IMMEDIATE is the lock on SQLite: a read that becomes a write ignores the busy
    timeout.
    """
    writing = connection.get_execution_options().get("alerting_writing", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED")


def _clock_offset(connection: Connection) -> timedelta:
    """How far a demo's clock was moved; nothing in production, and nothing before the tables
    exist.
    """
    if not connection.info.get("alerting_demo", True):
        return timedelta(0)
    if not sa.inspect(connection).has_table("instance"):
        return timedelta(0)
    row = connection.execute(select(instance.c.kind, instance.c.clock_offset_us)).first()
    if row is not None:
        connection.info["alerting_demo"] = row.kind == "demo"
    return (
        timedelta(microseconds=row.clock_offset_us)
        if row is not None and row.kind == "demo"
        else timedelta(0)
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated or _is_temporary(error):
            raise DatabaseUnavailable(_first_line(error)) from error
        raise


def _is_temporary(error: DBAPIError) -> bool:
    """A lost connection, a lock or a full disk; not a statement or a value the database will never
    take.
    """
    if not isinstance(error, (OperationalError, InterfaceError)):
        return getattr(error.orig, "sqlstate", None) in _RETRYABLE | _MISPLACED
    if isinstance(error.orig, sqlite3.Error):
        return any(word in str(error.orig) for word in _SQLITE_TEMPORARY)
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state in _RETRYABLE or state.startswith("08")


def _first_line(error: DBAPIError) -> str:
    return _first_line_of(error.orig)


def _first_line_of(error: BaseException | None) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
