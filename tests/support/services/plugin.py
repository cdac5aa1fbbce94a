"""The services as fixtures. Each starts when a test first asks for it; the head of the run names
the broker.
"""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.services.kafka import Broker, Choice, OwnBroker, choose
from tests.support.services.postgres import PostgresServer
from tests.support.services.process import ServerFailed
from tests.support.services.smtp import Certificate, Security, SmtpServer, make_certificate

CHOICE = pytest.StashKey[Choice]()
STARTED_IN = pytest.StashKey[float]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Decide before the head is printed: a broker announced there is the broker used, or the run
    fails.
    """
    config = session.config
    say = config.get_terminal_writer().line
    try:
        config.stash[CHOICE] = choose(os.environ, may_fetch=not config.option.collectonly, say=say)
    except ServerFailed as failure:
        raise pytest.UsageError(str(failure)) from failure


def pytest_report_header(config: pytest.Config) -> str:
    return f"broker: {described(config.stash[CHOICE])}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells the process that prints the summary."""
    workeroutput = getattr(session.config, "workeroutput", None)
    if workeroutput is not None:
        workeroutput["broker_started_in"] = session.config.stash.get(STARTED_IN, None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = getattr(node, "workeroutput", {}).get("broker_started_in")
    if told is not None:
        slowest = max(told, node.config.stash.get(STARTED_IN, 0.0))
        node.config.stash[STARTED_IN] = slowest


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    choice = config.stash.get(CHOICE, None)
    if choice is None or hasattr(config, "workerinput"):
        return
    started_in = config.stash.get(STARTED_IN, None)
    use = "no test asked for it" if started_in is None else f"ready in {started_in:.1f} s"
    terminalreporter.write_line(f"broker: {described(choice)}; {use}")


def described(choice: Choice) -> str:
    return (
        f"{choice.kind} ({choice.why})"
        if choice.is_apache
        else f"NOT APACHE KAFKA but {choice.kind} ({choice.why})"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip by a mark, so that the summary lists every one under its own name."""
    choice = config.stash[CHOICE]
    if choice.is_apache:
        return
    for item in items:
        if item.get_closest_marker("apache_kafka"):
            item.add_marker(
                pytest.mark.skip(reason=f"needs Apache Kafka; the broker is {choice.kind}")
            )


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Iterator[Broker]:
    """The broker of this run. Its topics are shared: use names of your own."""
    began = time.monotonic()
    broker = pytestconfig.stash[CHOICE].make()
    try:
        broker.start()
        pytestconfig.stash[STARTED_IN] = time.monotonic() - began
        yield broker
    finally:
        broker.discard()


@pytest.fixture
def restartable_kafka(kafka: Broker) -> Iterator[OwnBroker]:
    """The same broker, for tests that stop, kill or restart it. Afterwards it runs again whatever
    they did.
    """
    if not isinstance(kafka, OwnBroker):
        pytest.skip("the broker in ALERTING_TEST_KAFKA is not ours to restart")
    yield kafka
    if not kafka.running:
        kafka.start()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer(in_memory=True)
    try:
        server.start()
        yield server
    finally:
        server.discard()


@pytest.fixture(scope="session")
def new_database(postgres_server: PostgresServer) -> Callable[[], str]:
    """`new_database()` makes an empty database and gives its SQLAlchemy URL."""
    return postgres_server.new_database


@pytest.fixture(scope="session")
def smtp_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("smtp"))


@pytest.fixture
def start_smtp(smtp_certificate: Certificate) -> Iterator[Callable[..., SmtpServer]]:
    """`start_smtp(security="none", login=None)` gives a listening server; all of them stop after
    the test.
    """
    servers: list[SmtpServer] = []

    def start(security: Security = "none", login: tuple[str, str] | None = None) -> SmtpServer:
        servers.append(SmtpServer(security=security, certificate=smtp_certificate, login=login))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def smtp(start_smtp: Callable[..., SmtpServer]) -> SmtpServer:
    """As relays are in earnest: STARTTLS required, then a login (alerting / secret)."""
    return start_smtp("starttls", login=("alerting", "secret"))
