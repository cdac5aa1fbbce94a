"""What the processes write to standard error."""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaTCPTransport

from alerting.adapters.logs import configure_logs


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield capsys
    root.handlers[:] = before
    root.setLevel(level)


def test_an_error_is_one_line_of_json_with_its_fields(logged: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO")
    logging.getLogger("alerting.x").error("cannot", extra={"event": "one"})
    line = json.loads(logged.readouterr().err)
    assert {name: line[name] for name in ("level", "logger", "message", "event")} == {
        "level": "ERROR",
        "logger": "alerting.x",
        "message": "cannot",
        "event": "one",
    }


@pytest.mark.parametrize("closed_by_us", [True, False])
def test_of_a_lost_connection_only_that_is_told_which_we_did_not_close(
    logged: pytest.CaptureFixture[str], closed_by_us: bool
) -> None:
    configure_logs("INFO")
    ours, theirs = socket.socketpair()
    with closing(NetworkSelector()) as net, ours:
        transport = KafkaTCPTransport(net, ours)
        theirs.close()
        if closed_by_us:
            transport.close()
        transport._sock_recv()
        transport.abort()
    told = [json.loads(line)["level"] for line in logged.readouterr().err.splitlines()]
    assert told == ([] if closed_by_us else ["ERROR", "ERROR"])
