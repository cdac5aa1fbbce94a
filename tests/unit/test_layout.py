"""Where tests stand: each for itself, and the unit tests without processes and databases."""

import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support.layout import ROOT, files_of_tests, fixtures_outside, imported
from tests.unit.conftest import ALLOWED, NotAlone


def test_no_test_file_imports_from_another() -> None:
    files = files_of_tests()
    assert len(files) > 100
    for path in files:
        names = [name for name in imported(path) if name.startswith("tests.")]
        assert [name for name in names if ".test_" in name] == [], path


def test_what_tests_share_imports_no_test() -> None:
    for path in (ROOT / "tests" / "support").rglob("*.py"):
        others = ("tests.unit", "tests.database", "tests.system", "tests.acceptance")
        assert [name for name in imported(path) if name.startswith(others)] == [], path


def test_every_test_stands_in_one_of_the_four_folders() -> None:
    folders = {path.relative_to(ROOT / "tests").parts[0] for path in files_of_tests()}
    assert folders == {"unit", "database", "system", "acceptance"}


def connect() -> None:
    with socket.socket() as one:
        one.connect(("127.0.0.1", 1))


def serve() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))


@pytest.mark.parametrize(
    "reach",
    [
        lambda: subprocess.Popen([sys.executable, "--version"]),
        lambda: sqlite3.connect(":memory:"),
        connect,
        serve,
    ],
    ids=["process", "database", "connection", "server"],
)
def test_a_unit_test_is_kept_from_reaching_out(reach: Callable[[], object]) -> None:
    with pytest.raises(NotAlone):
        reach()


def test_fixtures_that_start_something_are_not_for_unit_tests() -> None:
    shared = fixtures_outside()
    assert {"world", "small_world", "new_database", "migrated", "process", "kafka"} <= shared
    assert shared >= ALLOWED
    assert ALLOWED.isdisjoint({"world", "own_world", "migrated", "process", "database_url"})
