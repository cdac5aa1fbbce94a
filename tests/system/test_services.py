"""The services the other tests stand on, each in a real session."""

import signal
import smtplib
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from tests.support.services.kafka import Broker, OwnBroker, answers, choose
from tests.support.services.postgres import PostgresServer
from tests.support.services.process import ServerFailed, ServerProcess, free_port
from tests.support.services.smtp import SmtpServer

ROOT = Path(__file__).parents[2]


# Kafka


def produce(broker: Broker, topic: str, values: list[bytes]) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    try:
        for sent in [producer.send(topic, value) for value in values]:
            sent.get(timeout=10)
    finally:
        producer.close()


def consume(broker: Broker, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    try:
        consumer.assign(
            [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        )
        return sorted(next(consumer).value for _ in range(count))
    finally:
        consumer.close()


TEN = [b"record %d" % number for number in range(10)]


def test_what_is_produced_is_consumed(kafka: Broker) -> None:
    topic = f"ten-{uuid.uuid4()}"
    produce(kafka, topic, TEN)
    assert consume(kafka, topic, 10) == TEN


@pytest.mark.apache_kafka
def test_a_restarted_broker_has_kept_its_records_and_its_address(
    restartable_kafka: OwnBroker,
) -> None:
    topic = f"kept-{uuid.uuid4()}"
    produce(restartable_kafka, topic, TEN)
    restartable_kafka.restart()
    assert consume(restartable_kafka, topic, 10) == TEN


@pytest.mark.apache_kafka
def test_a_killed_broker_comes_back_with_its_records(restartable_kafka: OwnBroker) -> None:
    topic = f"killed-{uuid.uuid4()}"
    produce(restartable_kafka, topic, TEN)
    restartable_kafka.kill()
    assert not answers(restartable_kafka.bootstrap, patience=0.5)
    restartable_kafka.start()
    assert consume(restartable_kafka, topic, 10) == TEN


def test_a_broker_that_is_named_but_dead_is_refused_with_its_address() -> None:
    dead = f"127.0.0.1:{free_port()}"
    with pytest.raises(ServerFailed, match=f"{dead}, but no Kafka broker answers"):
        choose({"ALERTING_TEST_KAFKA": dead})


def test_a_server_that_is_no_broker_is_not_taken_for_one(
    start_smtp: Callable[..., SmtpServer],
) -> None:
    assert not answers(f"127.0.0.1:{start_smtp().port}", patience=1)


def test_scripts_kafka_names_the_remedy_when_java_is_missing(tmp_path: Path) -> None:
    nothing_installed = {"PATH": str(tmp_path), "ALERTING_CACHE": str(tmp_path)}
    command = [sys.executable, str(ROOT / "scripts" / "kafka"), "check"]
    result = subprocess.run(command, env=nothing_installed, capture_output=True, text=True)
    assert result.returncode == 1
    assert "java is missing. Install a Java runtime >= 17" in result.stderr


# A server process


def test_a_server_dies_with_its_starter_even_when_that_is_killed(tmp_path: Path) -> None:
    starter = (
        "import sys, time; from pathlib import Path; from tests.support.services.process import "
        "ServerProcess;"
        f"server = ServerProcess(['sleep', '60'], Path({str(tmp_path / 'log')!r}));"
        "print(server._process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        server_id = int(process.stdout.readline())
        wait_for(lambda: command_of(server_id).startswith("sleep"))
        process.send_signal(signal.SIGKILL)
    wait_for(lambda: not command_of(server_id))


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    server = ServerProcess(["sh", "-c", "echo no such port; exit 3"], tmp_path / "log")
    with pytest.raises(ServerFailed, match=r"status 3:\nno such port"):
        server.wait_until(lambda: False, patience=10)


def command_of(process_id: int) -> str:
    """Empty for a process that is gone, or dead and not yet collected."""
    try:
        return Path(f"/proc/{process_id}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_for(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


# PostgreSQL


def plain(url: str) -> str:
    """The URL as psycopg itself reads it."""
    return url.replace("postgresql+psycopg:", "postgresql:", 1)


def test_each_database_is_new_and_empty(new_database: Callable[[], str]) -> None:
    one, other = new_database(), new_database()
    with psycopg.connect(plain(one)) as connection:
        connection.execute("CREATE TABLE only_here ()")
    with psycopg.connect(plain(other)) as connection:
        tables = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone()
        version = connection.execute("SHOW server_version_num").fetchone()
    assert tables == (0,)
    assert version is not None
    assert version[0].startswith("18")


def test_a_restart_cuts_connections_and_keeps_what_was_committed(
    postgres_server: PostgresServer, new_database: Callable[[], str]
) -> None:
    url = plain(new_database())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        postgres_server.restart()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_nobody_gets_in_without_the_password(new_database: Callable[[], str]) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(plain(new_database()), password="wrong")


# SMTP


@contextmanager
def session(server: SmtpServer, *, login: bool = True):
    with smtplib.SMTP(server.host, server.port, timeout=5) as client:
        assert server.certificate
        client.starttls(context=ssl.create_default_context(cafile=str(server.certificate.ca_file)))
        if login:
            client.login("alerting", "secret")
        yield client


def send(client: smtplib.SMTP, *recipients: str) -> dict:
    return client.sendmail(
        "alerts@example.com", recipients, b"Subject: Call them\r\n\r\nPlease.\r\n"
    )


def test_a_message_is_accepted_over_tls_after_login(smtp: SmtpServer) -> None:
    with session(smtp) as client:
        send(client, "vp@example.com")
    (message,) = smtp.wait_for(1)
    assert message.mail_from == "alerts@example.com"
    assert message.rcpt_tos == ("vp@example.com",)
    assert message.raw == b"Subject: Call them\r\n\r\nPlease.\r\n"
    assert message.email["subject"] == "Call them"


def test_implicit_tls_serves_too(start_smtp: Callable[..., SmtpServer]) -> None:
    server = start_smtp("tls", login=("alerting", "secret"))
    context = ssl.create_default_context(cafile=str(server.certificate.ca_file))
    with smtplib.SMTP_SSL(server.host, server.port, context=context, timeout=5) as client:
        client.login("alerting", "secret")
        send(client, "vp@example.com")
    assert len(server.messages) == 1


def test_nothing_is_accepted_without_tls_or_login(smtp: SmtpServer) -> None:
    with (
        smtplib.SMTP(smtp.host, smtp.port, timeout=5) as client,
        pytest.raises(smtplib.SMTPSenderRefused, match="530"),
    ):
        send(client, "vp@example.com")
    with (
        session(smtp, login=False) as client,
        pytest.raises(smtplib.SMTPSenderRefused, match="530"),
    ):
        send(client, "vp@example.com")
    with session(smtp, login=False) as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login("alerting", "wrong")
    assert smtp.messages == ()


def test_a_certificate_of_an_unknown_authority_is_visible_as_such(smtp: SmtpServer) -> None:
    with smtplib.SMTP(smtp.host, smtp.port, timeout=5) as client:
        with pytest.raises(ssl.SSLCertVerificationError):
            client.starttls(context=ssl.create_default_context())
        client.close()


def test_one_recipient_is_refused_and_the_other_served(smtp: SmtpServer) -> None:
    smtp.refuse["gone@example.com"] = "550 no such user"
    with session(smtp) as client:
        assert send(client, "gone@example.com", "here@example.com") == {
            "gone@example.com": (550, b"no such user")
        }
    assert smtp.messages[0].rcpt_tos == ("here@example.com",)


def test_a_deferring_server_takes_the_mail_later(smtp: SmtpServer) -> None:
    smtp.defer = True
    with session(smtp) as client, pytest.raises(smtplib.SMTPRecipientsRefused, match="451"):
        send(client, "vp@example.com")
    smtp.defer = False
    with session(smtp) as client:
        send(client, "vp@example.com")
    assert len(smtp.messages) == 1


def test_a_dropped_connection_leaves_the_client_in_doubt_about_an_accepted_message(
    smtp: SmtpServer,
) -> None:
    smtp.drop_after_data = True
    with session(smtp) as client, pytest.raises(smtplib.SMTPServerDisconnected):
        send(client, "vp@example.com")
    assert len(smtp.messages) == 1


def test_a_stopped_server_comes_back_at_the_same_address(smtp: SmtpServer) -> None:
    with session(smtp) as client:
        smtp.stop()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(client, "vp@example.com")
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP(smtp.host, smtp.port, timeout=5)
    smtp.start()
    with session(smtp) as client:
        send(client, "vp@example.com")
    assert len(smtp.wait_for(1)) == 1


def test_waiting_in_vain_says_how_many_came(smtp: SmtpServer) -> None:
    with pytest.raises(AssertionError, match="0 of 1 messages"):
        smtp.wait_for(1, timeout=0.05)
