"""A unit test is alone: it starts no process, opens no connection and no database, and asks for no
fixture that does.
"""

import sys
from collections.abc import Iterator

import pytest

from tests.support.layout import fixtures_outside

ALLOWED = frozenset({"installation", "alerting"})
"""Of the shared fixtures those that only copy files and run a command within this process."""

EVENTS = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.posix_spawn",
        "os.system",
        "socket.bind",
        "socket.connect",
        "sqlite3.connect",
        "subprocess.Popen",
    }
)
"""What Python tells its audit hooks of processes, connections and databases."""


class NotAlone(Exception):
    """A unit test reaches for a process, a connection or a database; it belongs elsewhere."""


class _Watch:
    """Audit hooks stay for as long as Python runs; this one acts while a unit test runs."""

    on = False

    def __call__(self, event: str, arguments: object) -> None:
        if self.on and event in EVENTS:
            raise NotAlone(f"{event} {arguments}: tests/unit has no part of this")


_watch = _Watch()
sys.addaudithook(_watch)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture is made, so that nothing is started in vain."""
    asked = (fixtures_outside() - ALLOWED) & set(getattr(item, "fixturenames", ()))
    if asked:
        pytest.fail(f"a unit test may not ask for {', '.join(sorted(asked))}", pytrace=False)


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    _watch.on = True
    yield
    _watch.on = False
