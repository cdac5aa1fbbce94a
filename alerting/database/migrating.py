"""Bringing a database up to date, and seeing whether it is."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from alerting.database.engine import Database, Transaction

_LOCK = 7_205_759
"""The advisory lock under which one process migrates while others wait."""


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def migrate(db: Database) -> str:
    """Run what is missing, in one transaction; returns the revision reached."""
    with db.write() as tx:
        if tx.is_postgresql:
            tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(_config(tx.connection), "head")
        return _current(tx) or ""


def is_current(db: Database) -> bool:
    """Whether the database stands at the revision this code was written for."""
    with db.read() as tx:
        return _current(tx) == ScriptDirectory.from_config(_config()).get_current_head()


def _current(tx: Transaction) -> str | None:
    return MigrationContext.configure(tx.connection).get_current_revision()
