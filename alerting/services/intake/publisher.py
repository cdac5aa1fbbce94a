"""What we tell other systems by topics: dead letters, and customers' moves between segments. At
least once, one relay.
"""

import base64
import json
from typing import Any

from alerting.database.customers import memberships
from alerting.database.intake import dead_letters
from alerting.domain.customers.segment_moves import moved_event
from alerting.domain.errors import RecordTooLarge
from alerting.services.context import Context
from alerting.services.customers.memberships import facts_of
from alerting.services.intake.event_log import DEAD_LETTERS, SEGMENTS, EventLog, NewRecord

CUT_BYTES = 500_000
"""Of a dead letter its topic does not take whole: in base64 less than the 1 MB a broker takes by
default.
"""


def publish_moves(ctx: Context, event_log: EventLog) -> int:
    """Bring moves to their topic, at least once, each customer's in their order and numbered;
    returns how many.
    """
    with ctx.db.read() as tx:
        rows = memberships.unpublished(tx)
    if not rows:
        return 0
    event_log.append([_record(row) for row in rows])
    with ctx.db.write() as tx:
        memberships.mark_published(tx, [row.id for row in rows], tx.now())
    return len(rows)


def _record(row: Any) -> NewRecord:
    event = moved_event(facts_of(row), row.n, row.valid_from, row.valid_from)
    value = {
        "specversion": "1.0",
        "type": event.type,
        "source": event.source,
        "id": event.id,
        "time": event.time.isoformat(),
        "datacontenttype": "application/json",
        "sequence": f"{row.n:010d}",
        "data": facts_of(row),
    }
    return NewRecord(topic=SEGMENTS, key=row.customer_key, value=json.dumps(value).encode())


def publish_dead_letters(ctx: Context, event_log: EventLog) -> int:
    """Bring new dead letters to their topic, at least once; returns how many."""
    with ctx.db.read() as tx:
        rows = dead_letters.unpublished(tx)
    if not rows:
        return 0
    try:
        event_log.append([_dead_record(row) for row in rows])
    except RecordTooLarge:
        for row in rows:
            _publish_alone(event_log, row)
    with ctx.db.write() as tx:
        dead_letters.mark_published(tx, [row.id for row in rows], tx.now())
    return len(rows)


def _publish_alone(event_log: EventLog, row: Any) -> None:
    try:
        event_log.append([_dead_record(row)])
    except RecordTooLarge:
        event_log.append([_dead_record(row, cut=True)])


def _dead_record(row: Any, *, cut: bool = False) -> NewRecord:
    """The dead letter as JSON: bytes in base64, place, reason. Readable whatever the bytes were.

    `cut`: what the topic does not take whole loses its end and its headers there; the table has all
    of it.
    """
    raw = bytes(row.raw)
    value = {
        "id": row.id,
        "place": row.place,
        "reason": row.reason,
        "field": row.field,
        "detail": row.detail,
        "recorded_at": row.recorded_at.isoformat(),
        "headers": [] if cut else row.headers,
        "value": base64.b64encode(raw[:CUT_BYTES] if cut else raw).decode(),
    }
    if cut:
        value["cut_from"] = len(raw)
    return NewRecord(topic=DEAD_LETTERS, key=value["place"], value=json.dumps(value).encode())
