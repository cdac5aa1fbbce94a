"""Runs `alerting` as production does: each role a process of its own, on PostgreSQL, Kafka and an
SMTP server.

Each test has its own database, consumer group and mail server, and finds the topics empty. The
broker is the fault tests' own, because the names of the topics are fixed and some tests delete
them.
"""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from psycopg.rows import dict_row

from tests.support.services.kafka import OwnBroker
from tests.support.services.plugin import CHOICE
from tests.support.services.postgres import PostgresServer
from tests.support.services.process import ServerProcess, free_port, tail
from tests.support.services.smtp import Accepted, Certificate, SmtpServer

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("alerting")
TOPICS = (
    "surveys",
    "interactions",
    "customers",
    "people",
    "alerting.dead-letters",
    "alerting.segments",
)
ADMIN_TOKEN = "admin-token-of-the-tests"
INGEST_KEY = "ingest-key-of-the-tests"
SEND_DEADLINE = 3
"""Seconds; the lease is twice that."""


def wait_until(
    condition: Callable[[], Any], timeout: float = 20, what: Callable[[], Any] = lambda: ""
) -> Any:
    """What `condition` comes to, as soon as that is true; fails after `timeout` seconds, and says
    `what` it was then.
    """
    give_up = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < give_up, f"not within {timeout:g} s: {what()}"
        time.sleep(0.03)
    return found


class Role(ServerProcess):
    """One `alerting run ...`."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        super().__init__(command, log)
        self.running = True

    def end(self, how: int = signal.SIGTERM, patience: float = 20) -> None:
        super().end(how, patience)
        self.running = False

    def kill(self) -> None:
        """As a power cut would."""
        self.end(signal.SIGKILL)

    def pause(self) -> None:
        """Stand still, as a machine does that swaps or is moved."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def exit_code(self) -> int | None:
        return self._process.poll()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log lines. What is no JSON (a traceback of the interpreter itself) is given as a
        message.
        """
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"message": line, "level": "PLAIN"})
        return found

    def said(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("message") == message]


@dataclass(kw_only=True)
class Installation:
    """One production-like installation. `environment` is what every process of it gets."""

    folder: Path
    broker: OwnBroker | None
    smtp: SmtpServer
    environment: dict[str, str]
    database: str
    roles: list[Role] = field(default_factory=list)
    _producer: Producer | None = None

    # Processes

    def run(self, *roles: str, **variables: str) -> Role:
        """Start `alerting run ROLES` as one process; its log is a file of its own."""
        number = len(self.roles) + 1
        role = Role(
            self._command("run", *roles, **variables),
            self.folder / f"{number}-{'-'.join(roles)}.log",
        )
        self.roles.append(role)
        return role

    def cli(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = self._command(*arguments, **variables)
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=60)

    def _command(self, *arguments: str, **variables: str) -> list[str]:
        """With exactly the variables we name: nothing of the developer's own environment counts."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        every = kept | self.environment | variables
        return [
            "env",
            "-i",
            f"--chdir={self.folder}",
            *(f"{k}={v}" for k, v in every.items()),
            str(PROGRAM),
            *arguments,
        ]

    def stop(self) -> None:
        for role in self.roles:
            if role.running:
                role.end(signal.SIGKILL)
        self._producer = None

    def begun(self, *consumers: Role, partitions: int = 8, timeout: float = 30) -> None:
        """Wait until these consumers have shared out all partitions of the four topics among
        them.
        """
        wait_until(
            lambda: (
                all(map(partitions_of, consumers))
                and len(set().union(*map(partitions_of, consumers))) == partitions
            ),
            timeout,
            lambda: [tail(role.log) for role in consumers],
        )

    # Events, by a producer that is not ours

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: str = "",
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int = -1,
    ) -> None:
        """Hand one record to Kafka; `flush` waits until all are there. Partition -1: by the key."""
        if self._producer is None:
            assert self.broker is not None
            self._producer = Producer(
                {
                    "bootstrap.servers": self.broker.bootstrap,
                    "message.max.bytes": 8_000_000,
                    "linger.ms": 1,
                    "log_level": 0,
                    "allow.auto.create.topics": False,
                }
            )
        self._producer.produce(
            topic, value=value, key=key.encode(), headers=list(headers), partition=partition
        )
        self._producer.poll(0)

    def flush(self) -> None:
        assert self._producer is not None
        assert self._producer.flush(30) == 0, "records are not acknowledged"

    def survey(self, customer: str, score: int = 2, **more: Any) -> str:
        """A survey answer through Kafka; returns the event's id."""
        made = survey(customer, score, **more)
        self.produce("surveys", json.dumps(made).encode(), customer)
        return str(made["id"])

    def call(self, customer: str, outcome: str = "unresolved", **more: Any) -> str:
        made = call(customer, outcome, **more)
        self.produce("interactions", json.dumps(made).encode(), customer)
        return str(made["id"])

    def customer(self, customer_id: str, **more: Any) -> str:
        made = envelope("customer.updated", {"customer_id": customer_id, **more})
        self.produce("customers", json.dumps(made).encode(), customer_id)
        return str(made["id"])

    # What came of it

    def sql(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        with psycopg.connect(
            plain(self.database), autocommit=True, row_factory=dict_row
        ) as connection:
            found = connection.execute(statement, parameters or None)
            return found.fetchall() if found.description else []

    def one(self, statement: str, *parameters: Any) -> Any:
        """The single value a query gives; None without a row."""
        rows = self.sql(statement, *parameters)
        return next(iter(rows[0].values())) if rows else None

    def count(self, table: str, where: str = "true") -> int:
        return int(self.one(f"SELECT count(*) FROM {table} WHERE {where}"))

    def wait_for_events(self, count: int, timeout: float = 30) -> None:
        wait_until(
            lambda: self.count("event") >= count,
            timeout,
            lambda: f"{self.count('event')} of {count} events",
        )

    def wait_for_sent(self, count: int, timeout: float = 30) -> None:
        """Wait until so many notifications are sent, by our own book."""
        sent = "status = 'sent'"
        wait_until(
            lambda: self.count("notification", sent) >= count,
            timeout,
            lambda: self.sql("SELECT status, reason, count(*) FROM notification GROUP BY 1, 2"),
        )

    def http(self, path: str, body: Any = None, timeout: float = 30) -> tuple[int, Any]:
        """Status and JSON (or text) of a request to the web role, with admin token and API key."""
        request = Request(self.environment["ALERTING_BASE_URL"] + path)
        request.add_header(
            "Authorization", f"Bearer {INGEST_KEY if body is not None else ADMIN_TOKEN}"
        )
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(request, data, timeout) as answer:
                status, text = answer.status, answer.read()
        except HTTPError as error:
            with error:
                status, text = error.code, error.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text.decode()

    def wait_for_web(self, role: Role | None = None) -> None:
        wait_until(lambda: self._web_answers(), 20, lambda: tail((role or self.roles[-1]).log))

    def _web_answers(self) -> bool:
        try:
            return self.http("/healthz")[0] == 200
        except OSError:
            return False


def partitions_of(consumer: Role) -> set[str]:
    """The partitions a consumer has begun, ever."""
    return {str(line["partition"]) for line in consumer.said("partition begun")}


def plain(url: str) -> str:
    """The URL as psycopg itself reads it."""
    return url.replace("postgresql+psycopg:", "postgresql:", 1)


# Events


def envelope(kind: str, data: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Without `time`: it happened when the log took it, so no test depends on a date."""
    return {
        "specversion": "1.0",
        "type": kind,
        "source": "/fault-tests",
        "id": uuid.uuid4().hex,
        "data": data,
        **more,
    }


def survey(customer: str, score: int = 2, **more: Any) -> dict[str, Any]:
    parts = {name: more.pop(name) for name in ("id", "source", "time") if name in more}
    data = {
        "customer_id": customer,
        "survey_id": "relationship",
        "metric": "nps",
        "score": score,
        **more,
    }
    return envelope("survey.answered", data, **parts)


def call(customer: str, outcome: str = "unresolved", **more: Any) -> dict[str, Any]:
    parts = {name: more.pop(name) for name in ("id", "source", "time") if name in more}
    data = {
        "customer_id": customer,
        "channel": "phone",
        "direction": "inbound",
        "outcome": outcome,
        **more,
    }
    # A phone system knows when a call was: three of one millisecond, in two batches, would be told
    # apart by their ids.
    return envelope(
        "interaction.recorded", data, **{"time": datetime.now(UTC).isoformat(), **parts}
    )


# Mails


def message_ids(mails: Sequence[Accepted]) -> Counter[str]:
    """How often each Message-ID was accepted."""
    return Counter(str(mail.email["Message-ID"]) for mail in mails)


def sent_twice(mails: Sequence[Accepted]) -> dict[str, int]:
    return {message_id: times for message_id, times in message_ids(mails).items() if times > 1}


def told(mails: Sequence[Accepted]) -> list[tuple[str, str]]:
    """Who was told what, sorted: (`service.desk`, first words of the subject)."""
    return sorted((mail.rcpt_tos[0].split("@")[0], str(mail.email["Subject"])) for mail in mails)


# The parts


def copy_rules(folder: Path, edit: Callable[[Path], None] = lambda folder: None) -> Path:
    """rules/ and templates/ into `folder`, with a go_live long ago, so that no test depends on the
    date.

    `edit` gets the folder and may change the copy further.
    """
    for name in ("rules", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    settings = folder / "rules" / "settings.yaml"
    text, count = re.subn(
        r'^go_live: "[^"]*"', 'go_live: "2000-01-01T00:00:00Z"', settings.read_text(), flags=re.M
    )
    assert count == 1
    settings.write_text(text)
    edit(folder)
    return folder / "rules"


def replace_in(path: Path, old: str, new: str) -> int:
    """Replace the first `old`; returns the number of its line."""
    text = path.read_text()
    assert old in text, f"{path.name} no longer has {old!r}"
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def empty_topics(broker: OwnBroker, partitions: int = 2) -> None:
    """Delete our topics and make them anew: a new topic id, and nothing in them."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    delete_topics(
        broker, *[name for name in admin.list_topics(timeout=10).topics if name in TOPICS]
    )
    make_topics(broker, *TOPICS, partitions=partitions)


def delete_topics(broker: OwnBroker, *names: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in (admin.delete_topics(list(names)) if names else {}).values():
        done.result(20)


def make_topics(broker: OwnBroker, *names: str, partitions: int = 2) -> None:
    """Two partitions are also what the broker makes by itself, where a consumer is quicker than
    we.
    """
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in admin.create_topics([NewTopic(name, partitions, 1) for name in names]).values():
        try:
            done.result(20)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    wait_until(lambda: set(names) <= set(admin.list_topics(timeout=10).topics))


def delete_records(broker: OwnBroker, topic: str, partition: int, before: int) -> None:
    """As retention would, only at once."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in admin.delete_records([TopicPartition(topic, partition, before)]).values():
        done.result(20)


def environment_of(folder: Path, smtp: SmtpServer, rules: Path) -> dict[str, str]:
    assert smtp.certificate is not None and smtp.login is not None
    port = free_port()
    return {
        "ALERTING_DATA": str(folder / "data"),
        "ALERTING_RULES": str(rules),
        "ALERTING_TEMPLATES": str(rules.with_name("templates")),
        "ALERTING_SMTP_HOST": smtp.host,
        "ALERTING_SMTP_PORT": str(smtp.port),
        "ALERTING_SMTP_SECURITY": smtp.security,
        "ALERTING_SMTP_USER": smtp.login[0],
        "ALERTING_SMTP_PASSWORD": smtp.login[1],
        "ALERTING_SMTP_CA_FILE": str(smtp.certificate.ca_file),
        "ALERTING_SEND_DEADLINE": str(SEND_DEADLINE),
        "ALERTING_MAIL_FROM": "Customer alerts <alerts@example.com>",
        "ALERTING_BASE_URL": f"http://127.0.0.1:{port}",
        "ALERTING_LISTEN": f"127.0.0.1:{port}",
        "ALERTING_LINK_KEYS": "link-key-of-the-fault-tests",
        "ALERTING_ADMIN_TOKEN": ADMIN_TOKEN,
        "ALERTING_INGEST_KEYS": INGEST_KEY,
        "ALERTING_TICK": "0.5",
    }


@pytest.fixture(scope="session")
def own_kafka(pytestconfig: pytest.Config) -> Iterator[OwnBroker]:
    """A broker only for tests of whole installations: they delete its topics, stop it and kill
    it.
    """
    broker = pytestconfig.stash[CHOICE].make()
    if not isinstance(broker, OwnBroker):
        pytest.skip("the broker in ALERTING_TEST_KAFKA is not ours to empty and restart")
    try:
        broker.start()
        yield broker
    finally:
        broker.discard()


@pytest.fixture(scope="session")
def migrated_database(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A database after `alerting migrate` with the starter rules; tests copy it."""
    folder = tmp_path_factory.mktemp("migrated")
    url = postgres_server.new_database()
    migrate_database(url, copy_rules(folder))
    return url


def migrate_database(url: str, rules: Path) -> None:
    from alerting.bootstrap import bootstrap, prepare
    from alerting.settings import read_settings

    environment = {
        "ALERTING_DATABASE_URL": url,
        "ALERTING_RULES": str(rules),
        "ALERTING_TEMPLATES": str(rules.with_name("templates")),
        "ALERTING_LINK_KEYS": secrets.token_hex(16),
    }
    app = bootstrap(read_settings(environment))
    try:
        prepare(app)
    finally:
        app.close()


def copy_database(url: str, copy: str | None = None) -> str:
    """A copy of a database nobody is connected to; `copy` names the database it replaces. Returns
    the copy's URL.
    """
    base, _, source = url.rpartition("/")
    name = copy.rpartition("/")[2] if copy else f"copy_{secrets.token_hex(6)}"
    with psycopg.connect(plain(f"{base}/postgres"), autocommit=True) as connection:
        if copy:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
    return f"{base}/{name}"


@dataclass(kw_only=True)
class Installer:
    """Makes installations, and ends everything that it started."""

    broker: OwnBroker
    postgres: PostgresServer
    migrated: str
    certificate: Certificate
    folder: Path
    made: list[Installation] = field(default_factory=list)

    def __call__(
        self,
        *,
        edit: Callable[[Path], None] | None = None,
        smtp: type[SmtpServer] = SmtpServer,
        kafka: bool = True,
    ) -> Installation:
        """`edit` changes the copy of rules/ and templates/ before the first start; without `kafka`
        the local log serves.
        """
        folder = self.folder / f"installation-{len(self.made) + 1}"
        folder.mkdir(parents=True)
        server = smtp(
            security="starttls", certificate=self.certificate, login=("alerting", "secret")
        )
        server.start()
        rules = copy_rules(folder, edit or (lambda _: None))
        if edit is None:
            database = copy_database(self.migrated)
        else:
            database = self.postgres.new_database()
            migrate_database(database, rules)
        environment = environment_of(folder, server, rules) | {"ALERTING_DATABASE_URL": database}
        if kafka:
            empty_topics(self.broker)
            environment |= {
                "ALERTING_KAFKA": self.broker.bootstrap,
                "ALERTING_KAFKA_GROUP": f"faults-{uuid.uuid4().hex[:8]}",
                "ALERTING_KAFKA_SESSION_TIMEOUT": "6",
            }
        place = Installation(
            folder=folder,
            broker=self.broker,
            smtp=server,
            environment=environment,
            database=database,
        )
        self.made.append(place)
        return place

    def end(self) -> None:
        for place in self.made:
            place.stop()
            place.smtp.stop()
        if not self.broker.running:
            self.broker.start()


@pytest.fixture(scope="session")
def new_installer(
    own_kafka: OwnBroker,
    postgres_server: PostgresServer,
    migrated_database: str,
    smtp_certificate: Certificate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[], Installer]:
    def new() -> Installer:
        return Installer(
            broker=own_kafka,
            postgres=postgres_server,
            migrated=migrated_database,
            certificate=smtp_certificate,
            folder=tmp_path_factory.mktemp("installations"),
        )

    return new


@pytest.fixture
def install(new_installer: Callable[[], Installer]) -> Iterator[Installer]:
    """`install(...)` makes an installation, nothing of which runs yet; everything ends with the
    test.
    """
    installer = new_installer()
    yield installer
    installer.end()
