"""What every command shares: settings, the wired app, and errors as plain sentences with exit code 1 or 2."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import click

from alerting.adapters.logs import configure_logs
from alerting.bootstrap import App, bootstrap, check_ready
from alerting.domain.errors import AlertingError, RulebookInvalid, SettingsInvalid
from alerting.settings import read_settings


@contextmanager
def plain_errors() -> Iterator[None]:
    """What we raise on purpose is said plainly; anything else is a defect and keeps its traceback."""
    try:
        yield
    except RulebookInvalid as error:
        count = len(error.problems)
        click.echo(
            f"{error}\n{count} problem{'s' if count != 1 else ''} in rules/ or templates/; nothing was changed.",
            err=True,
        )
        sys.exit(1)
    except SettingsInvalid as error:
        click.echo("\n".join(f"settings: {line}" for line in error.problems), err=True)
        sys.exit(2)
    except (AlertingError, LookupError) as error:
        click.echo(f"error: {str(error) or type(error).__name__}", err=True)
        sys.exit(1)


@contextmanager
def opened(*, ready: bool = True) -> Iterator[App]:
    """The wired app; `ready` demands a migrated database that is no demo's."""
    with plain_errors():
        settings = read_settings()
        configure_logs(settings.log_level)
        app = bootstrap(settings)
        try:
            if ready:
                check_ready(app)
            yield app
        finally:
            app.close()


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_default))


def _default(value: Any) -> str:
    return value.isoformat() if isinstance(value, (datetime, date)) else str(value)


def table(header: list[str], rows: list[list[Any]]) -> None:
    """Columns as wide as they need to be."""
    cells = [header, *[["" if cell is None else str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
