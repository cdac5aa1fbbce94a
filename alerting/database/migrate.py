"""Bringing a database up to date, and seeing whether it is.

Alembic is imported only where it works: it brings a template engine along, and every command asks
`is_current`.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from alerting.database.engine import Database, Transaction

HEAD = "0001"
"""The revision this code was written for: the newest one under migrations/."""

_LOCK = 7_205_759
"""The advisory lock under which one process migrates while others wait."""


def migrate(db: Database) -> str:
    """Run what is missing, in one transaction; returns the revision reached."""
    from alembic import command

    with db.write() as tx:
        if tx.is_postgresql:
            tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(_config(tx.connection), "head")
        return _current(tx) or ""


def _config(connection: sa.Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def is_current(db: Database) -> bool:
    """Whether the database stands at the revision this code was written for."""
    with db.read() as tx:
        return _current(tx) == HEAD


def _current(tx: Transaction) -> str | None:
    if not sa.inspect(tx.connection).has_table("alembic_version"):
        return None
    return tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
