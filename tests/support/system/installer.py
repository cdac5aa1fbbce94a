"""Installations made for a test, which end with it."""

import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.support.services.kafka import OwnBroker
from tests.support.services.plugin import CHOICE
from tests.support.services.postgres import PostgresServer
from tests.support.services.process import free_port
from tests.support.services.smtp import Certificate, SmtpServer
from tests.support.system.installation import ADMIN_TOKEN, INGEST_KEY, Installation, plain
from tests.support.system.rules import copy_rules
from tests.support.system.topics import empty_topics

SEND_DEADLINE = 3
"""Seconds; the lease is twice that."""


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
