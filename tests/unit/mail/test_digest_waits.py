"""How long a mail may wait for others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.cases.cases import SEVERITIES
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.sla import ClockKind
from alerting.domain.mail.notifications import can_wait
from alerting.domain.times.working_time import Amount
from tests.support.builders import party

NOW = datetime(2026, 3, 6, 8, 30, tzinfo=UTC)


def clock(by: Any, minutes: int) -> Clock:
    return Clock(
        kind=ClockKind.CONTACT if by == "caller" else ClockKind.RESOLVE,
        cycle=1,
        plan=1,
        by=by,
        policy="p",
        started_at=NOW - timedelta(days=1),
        due_at=NOW + timedelta(minutes=minutes),
        within=Amount(length=timedelta(days=1, minutes=minutes)),
        calendar="always",
    )


@given(
    left=st.integers(-60, 10_000),
    wait=st.integers(0, 1440),
    duty=st.sampled_from(["call", "fix", "informed", "handled", "a-rules-own"]),
    severity=st.sampled_from(SEVERITIES),
)
def test_nobody_is_left_less_than_half_of_the_time_that_remains(
    left: int, wait: int, duty: str, severity: str
) -> None:
    by = "fixer" if duty == "fix" else "caller"
    until = NOW + timedelta(minutes=wait)
    waits = can_wait(duty, duty, severity, [clock(by, left)], until, NOW)
    if severity == "critical":
        assert not waits
    elif duty in {"informed", "handled"}:
        assert waits
    else:
        assert waits == (2 * wait <= left)


def test_a_person_may_not_gather_mails_for_longer_than_a_day() -> None:
    with pytest.raises(ValueError, match="between a second and a day"):
        party("ann", digest="2d")
    with pytest.raises(ValueError, match="not a duration"):
        party("ann", digest="soon")
