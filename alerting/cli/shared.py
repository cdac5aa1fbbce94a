"""What every command shares: settings, the wired app, and errors as plain sentences with exit code
1 or 2.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from alerting.adapters.logs import configure_logs
from alerting.bootstrap import App, bootstrap, check_ready
from alerting.cli.words import printable
from alerting.domain.errors import (
    ActionRefused,
    AlertingError,
    DatabaseUnavailable,
    RulebookInvalid,
    SettingsInvalid,
)
from alerting.settings import Settings, read_settings


@contextmanager
def plain_errors() -> Iterator[None]:
    """What we raise on purpose is said plainly; anything else is a defect and keeps its
    traceback.
    """
    try:
        yield
    except RulebookInvalid as error:
        count = len(error.problems)
        click.echo(
            f"{error}\n{count} problem{'s' if count != 1 else ''} in rules/ or templates/; nothing "
            "was changed.",
            err=True,
        )
        sys.exit(1)
    except SettingsInvalid as error:
        click.echo("\n".join(f"settings: {line}" for line in error.problems), err=True)
        sys.exit(2)
    except DatabaseUnavailable as error:
        click.echo(f"error: a database does not answer: {error}", err=True)
        click.echo(
            "It is named by ALERTING_DATABASE_URL, that of the event log by "
            "ALERTING_LOCAL_LOG_URL.",
            err=True,
        )
        sys.exit(1)
    except (AlertingError, LookupError) as error:
        click.echo(f"error: {str(error) or type(error).__name__}", err=True)
        sys.exit(1)


@contextmanager
def opened(*, ready: bool = True) -> Iterator[App]:
    """The wired app; `ready` demands a migrated database that is no demo's."""
    with plain_errors():
        settings = read_settings()
        configure_logs(settings.log_level)
        if ready:
            _refuse_empty_folder(settings)
        try:
            app = bootstrap(settings)
        except OSError as error:
            raise SettingsInvalid(
                [f"ALERTING_DATA: {settings.data} cannot be used: {error.strerror}"]
            ) from error
        try:
            _reach(app)
            if ready:
                check_ready(app)
            yield app
        finally:
            app.close()


def _refuse_empty_folder(settings: Settings) -> None:
    """A command in the wrong folder would make a new, empty installation there."""
    url = make_url(settings.database_url)
    if (
        url.get_backend_name() == "sqlite"
        and "uri" not in url.query
        and not Path(str(url.database)).exists()
    ):
        raise SettingsInvalid(
            [
                f"there is no database at {url.database}; is this the right folder (ALERTING_DATA, "
                "ALERTING_DATABASE_URL)? "
                "`alerting migrate` makes a new one"
            ]
        )


def _reach(app: App) -> None:
    """Ask the database anything. What keeps it from answering is said with its place, never with
    its password.
    """
    url = make_url(app.settings.database_url)
    place = (
        url.database if url.host is None else f"{url.host}:{url.port or 5432}/{url.database or ''}"
    )
    try:
        with app.ctx.db.read() as tx:
            tx.now()
    except DatabaseUnavailable as error:
        raise DatabaseUnavailable(f"{place}: {error}") from error
    except DBAPIError as error:
        why = str(error.orig).strip().partition("\n")[0]
        raise SettingsInvalid(
            [f"ALERTING_DATABASE_URL: {place} is no database for us: {why}"]
        ) from error


@contextmanager
def writing(file: Path) -> Iterator[BinaryIO]:
    """A file that will be there whole, or as it was. Raises ActionRefused where it cannot be
    written.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(file)
    except OSError as error:
        raise ActionRefused(
            f"{file} cannot be written: {error.strerror}; name a file in a folder that is there"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def print_json(value: object) -> None:
    """Indented; times in ISO 8601, what JSON does not know as text."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_default))


def _default(value: object) -> str:
    return value.isoformat() if isinstance(value, (datetime, date)) else str(value)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as they need to be."""
    cells = [
        list(header),
        *[["" if cell is None else printable(cell) for cell in row] for row in rows],
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        click.echo(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
