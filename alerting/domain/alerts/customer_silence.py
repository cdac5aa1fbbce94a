"""Silence as a signal: a rule that fires because nothing came for a while.

Each customer is watched for each such rule from the last event of its kind on, or from when we
first knew the customer. When the time is over, an event of our own says so, and is judged like any
other: explained, back-tested, never twice.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise

from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import SilenceNoticed
from alerting.domain.rulebook.rulebook import Rule

SOURCE = "/silence"


def watch_name(rule: Rule) -> str:
    """Names what is watched for; a rule that is edited is watched for anew."""
    assert rule.silent_for is not None, "only rules on silence are watched for"
    return f"{rule.id} {rule.of} {int(rule.silent_for.total_seconds())}"


def silence_event(rule: Rule, customer_key: str, since: datetime, now: datetime) -> Event:
    """What our follow-up notices: `rule`'s silence of one customer was full at `since` and its
    length.
    """
    assert rule.silent_for is not None, "only rules on silence are watched for"
    assert rule.of is not None, "a rule on silence says of what"
    identity = hashlib.sha256(
        f"{watch_name(rule)}\n{customer_key}\n{since.isoformat()}".encode()
    ).hexdigest()
    payload = SilenceNoticed(
        customer_id=customer_key, rule=rule.id, of=rule.of, since=since, days=rule.silent_for.days
    )
    return Event(
        source=SOURCE,
        id=identity[:32],
        type="silence",
        time=since + rule.silent_for,
        received_at=now,
        payload=payload,
        digest=identity,
        raw=b"",
    )


def silences_in(
    rule: Rule,
    customer_key: str,
    heard: Iterable[datetime],
    known_at: datetime | None,
    end: datetime,
) -> Iterator[Event]:
    """Every silence of a life that was full by `end`: between the times something was `heard`, and
    since the last.

    Before anything was heard it counts from when the customer was first known; where that was
    never, from the first.
    """
    assert rule.silent_for is not None, "only rules on silence are watched for"
    times = sorted(heard)
    if known_at is not None and (not times or known_at < times[0]):
        times.insert(0, known_at)
    for since, until in pairwise([*times, None]):
        assert since is not None, "only the last has no end"
        full = since + rule.silent_for
        if full <= end and (until is None or full < until):
            yield silence_event(rule, customer_key, since, full)
