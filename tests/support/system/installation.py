"""A whole installation as real processes, and its outcome."""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
from confluent_kafka import Producer
from psycopg.rows import dict_row

from tests.support.services.kafka import OwnBroker
from tests.support.services.process import tail
from tests.support.services.smtp import SmtpServer
from tests.support.system.events import call, envelope, survey
from tests.support.system.roles import PROGRAM, Role, wait_until

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

    # The outcome

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
