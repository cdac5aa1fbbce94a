"""An event log of each kind."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alerting.adapters.intake.kafka import KafkaLog
from alerting.adapters.intake.local_log import LocalLog
from alerting.database.engine import Database
from alerting.services.intake.event_log import EventLog
from tests.support.intake.event_logs import LOGS


@pytest.fixture(params=LOGS)
def open_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], EventLog]]:
    """Opens the same log each time it is called, as each process does."""
    opened: list[EventLog] = []
    if request.param == "Kafka":
        broker = request.getfixturevalue("kafka")
        group = f"contract-{uuid.uuid4().hex[:8]}"

        def make() -> EventLog:
            return KafkaLog([broker.bootstrap], group, {}, session_timeout=6.0)
    else:
        new_database = (
            request.getfixturevalue("new_database") if "PostgreSQL" in request.param else None
        )
        url = new_database() if new_database else f"sqlite:///{tmp_path / 'log.db'}"

        def make() -> EventLog:
            log = LocalLog(Database(url, has_instance=False))
            log.prepare()
            return log

    def open_one() -> EventLog:
        opened.append(make())
        return opened[-1]

    yield open_one
    for log in opened:
        log.close()
