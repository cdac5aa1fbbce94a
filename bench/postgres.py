"""A PostgreSQL server for the figures, from the wheel the tests use; here a commit waits for the
disk, as in production.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.services import postgres


@contextmanager
def postgresql() -> Iterator[postgres.PostgresServer]:
    """A running server; `new_database()` gives the URL of an empty database."""
    postgres.SETTINGS.update(fsync="on", full_page_writes="on")
    server = postgres.PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.discard()
