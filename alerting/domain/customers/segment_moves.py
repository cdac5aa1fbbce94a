"""A customer's change of segment or tags as an event of our own: judged, explained and back-tested
like any other.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import SegmentChanged

SOURCE = "/segments"


def moved_event(facts: Mapping[str, object], n: int, time: datetime, now: datetime) -> Event:
    """The `n`-th change of a customer, with the fields of SegmentChanged."""
    payload = SegmentChanged.model_validate(facts)
    digest = hashlib.sha256(payload.model_dump_json().encode()).hexdigest()
    return Event(
        source=SOURCE,
        id=f"{payload.customer_id}#{n}",
        type="segment.changed",
        time=time,
        received_at=now,
        payload=payload,
        digest=digest,
        raw=b"",
    )
