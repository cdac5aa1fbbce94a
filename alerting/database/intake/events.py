"""Stored events and dead letters."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Text, cast, func, select, tuple_

from alerting.database.bulk import add_new_rows
from alerting.database.engine import Transaction
from alerting.database.rows.intake import EventRow, StoredEventRow
from alerting.database.sets import among
from alerting.database.tables import event
from alerting.domain.cases.contact_proof import Logged
from alerting.domain.customers.signals import Order
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import OF_PEOPLE, STORED, SurveyAnswered, sentiment_of


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """An event with the place it was read from and what was decided about its age."""

    event: Event
    place: str
    excluded: str | None


def insert_new(
    tx: Transaction, arrived: Iterable[Arrived], rulebook: str, now: datetime
) -> dict[tuple[str, str], int]:
    """Store events in the order of their identity; returns (source, id) -> seq of those not known
    before.
    """
    rows = [
        {
            "source": a.event.source,
            "id": a.event.id,
            "type": a.event.type,
            "time": a.event.time,
            "received_at": a.event.received_at,
            "recorded_at": now,
            "customer_key": a.event.customer_key,
            "digest": a.event.digest,
            "payload": a.event.payload,
            "sentiment": _sentiment(a.event),
            "raw": a.event.raw,
            "place": a.place,
            "clamped": a.event.clamped,
            "excluded": a.excluded,
            "rulebook": rulebook,
        }
        for a in sorted(arrived, key=lambda a: (a.event.source, a.event.id))
    ]
    found = add_new_rows(tx, event, rows, number="seq", named=("source", "id"))
    return {(row.source, row.id): row.seq for row in found}


def _sentiment(event: Event) -> str | None:
    said = event.payload
    return (
        sentiment_of(said.metric, said.score, said.scale)
        if isinstance(said, SurveyAnswered)
        else None
    )


def digests_of(
    tx: Transaction, identities: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """(source, id) -> digest of the events already stored."""
    if not identities:
        return {}
    rows = tx.execute(
        select(event.c.source, event.c.id, event.c.digest).where(
            tuple_(event.c.source, event.c.id).in_(identities)
        )
    )
    return {(r.source, r.id): r.digest for r in rows}


def ids_known(tx: Transaction, source: str, ids: Sequence[str]) -> dict[str, datetime]:
    """Those of a source's event ids that are stored, with the time of each event."""
    found: dict[str, datetime] = {}
    for start in range(0, len(ids), 1_000):
        mine = (event.c.source == source, among(tx, event.c.id, ids[start : start + 1_000]))
        found |= {
            row.id: row.time for row in tx.execute(select(event.c.id, event.c.time).where(*mine))
        }
    return found


def sources_but(tx: Transaction, source: str) -> list[str] | None:
    """The sources there are, where nothing ever came from this one; else None."""
    if tx.execute(select(event.c.seq).where(event.c.source == source).limit(1)).first() is not None:
        return None
    return list(tx.execute(select(event.c.source).distinct().order_by(event.c.source)).scalars())


def count_of_source(tx: Transaction, source: str, begin: datetime, end: datetime) -> int:
    """How many events of a source happened in [begin, end)."""
    mine = (event.c.source == source, event.c.time >= begin, event.c.time < end)
    return int(tx.execute(select(func.count()).select_from(event).where(*mine)).scalar_one())


def previous_answer(
    tx: Transaction, customer_key: str, before: datetime, seq: int
) -> Mapping[str, object] | None:
    """The payload of the customer's last scored survey before a moment, with its `time`."""
    rows = tx.execute(
        select(event.c.payload, event.c.time)
        .where(
            event.c.customer_key == customer_key,
            event.c.type == "survey.answered",
            event.c.time <= before,
            event.c.seq != seq,
        )
        .order_by(event.c.time.desc(), event.c.seq.desc())
        .limit(20)
    )
    return next(
        ({**r.payload, "time": r.time} for r in rows if r.payload.get("score") is not None), None
    )


def recent_interactions(
    tx: Transaction, customer_key: str, since: datetime, until: datetime
) -> list[Mapping[str, object]]:
    """The customer's interactions of a stretch of time, oldest first, each with its `time`."""
    rows = tx.execute(
        select(event.c.payload, event.c.time)
        .where(
            event.c.customer_key == customer_key,
            event.c.type == "interaction.recorded",
            event.c.time > since,
            event.c.time <= until,
        )
        .order_by(event.c.time, event.c.source, event.c.id)
        .limit(200)
    )
    return [{**r.payload, "time": r.time} for r in rows]


def outbound_between(
    tx: Transaction, customer_key: str, begin: datetime, end: datetime
) -> list[Logged]:
    """The interactions in which somebody of ours turned to the customer, in [begin, end], as
    systems reported them.
    """
    mine = (event.c.customer_key == customer_key, event.c.type == "interaction.recorded")
    rows = tx.execute(
        select(event.c.source, event.c.id, event.c.time, event.c.payload).where(
            *mine, event.c.time.between(begin, end)
        )
    )
    return [
        Logged(
            source=row.source,
            id=row.id,
            time=row.time,
            channel=row.payload.get("channel", ""),
            outcome=row.payload.get("outcome"),
            duration_seconds=row.payload.get("duration_seconds"),
        )
        for row in rows
        if row.payload.get("direction") == "outbound"
    ]


_PAYLOAD = cast(event.c.payload, Text).label("payload")
"""Its text, for `stored_event`: faster than reading it in the driver, and writing it, and reading
it again.
"""

_ROW = select(*(column for column in event.c if column is not event.c.payload), _PAYLOAD)
_EVENT = select(
    *(
        event.c[name]
        for name in ("source", "id", "type", "time", "received_at", "digest", "raw", "clamped")
    ),
    event.c.customer_key,
    _PAYLOAD,
)
"""All that an `Event` is made of."""


def stored_events(tx: Transaction, event_type: str, since: datetime) -> Iterable[Event]:
    """Stored events of one type, read again from their bytes where possible; used to give a new
    signal its points.
    """
    chosen = _EVENT.where(event.c.type == event_type, event.c.time > since)
    for row in tx.each(StoredEventRow, chosen.order_by(event.c.seq)):
        yield stored_event(row)


def find_event(tx: Transaction, reference: str, source: str | None = None) -> list[EventRow]:
    """Rows of events by number (`#12`), or by id, of one source or of any; newest first."""
    e = event.c
    if reference.startswith("#"):
        digits = reference[1:]
        known = digits.isascii() and digits.isdecimal() and len(digits) <= 18
        return tx.rows(EventRow, _ROW.where(e.seq == int(digits))) if known else []
    statement = _ROW.where(e.id == reference).order_by(e.seq.desc()).limit(20)
    return tx.rows(EventRow, statement.where(e.source == source) if source else statement)


def events_of(tx: Transaction, customer_key: str, until: datetime) -> list[Event]:
    """All a customer's stored events up to a moment, in their order."""
    e = event.c
    statement = _EVENT.where(e.customer_key == customer_key, e.time <= until)
    rows = tx.each(StoredEventRow, statement.order_by(e.time, e.source, e.id))
    return [stored_event(row) for row in rows]


def events_between(
    tx: Transaction, customer_key: str, begin: datetime, end: datetime
) -> list[Event]:
    """A customer's stored events in (begin, end], in their order."""
    e = event.c
    statement = _EVENT.where(e.customer_key == customer_key, e.time > begin, e.time <= end)
    rows = tx.each(StoredEventRow, statement.order_by(e.time, e.source, e.id))
    return [stored_event(row) for row in rows]


def judged_after(
    tx: Transaction, since: Mapping[str, Order], oldest: datetime, without: Collection[int]
) -> list[EventRow]:
    """Rows of these customers' events that come after a point in each one's order, customer by
    customer, in order.
    """
    e = event.c
    if not since:
        return []
    earliest = max(min(order[0] for order in since.values()), oldest)
    mine = (
        among(tx, e.customer_key, sorted(since)),
        e.time >= earliest,
        e.type.in_(sorted(STORED)),
    )
    numbers = [
        row.seq
        for row in tx.execute(select(e.seq, e.customer_key, e.time, e.source, e.id).where(*mine))
        if row.time >= oldest and (row.time, row.source, row.id) > since[row.customer_key]
    ]
    wanted = sorted(set(numbers) - set(without))
    order = (e.customer_key, e.time, e.source, e.id)
    return (
        tx.rows(EventRow, _ROW.where(among(tx, e.seq, wanted)).order_by(*order)) if wanted else []
    )


def customers_with_events(tx: Transaction, begin: datetime, end: datetime) -> list[str]:
    """The keys of customers something happened to in [begin, end], sorted."""
    e = event.c
    of_customers = e.type.not_in(OF_PEOPLE)
    statement = select(e.customer_key).where(e.time >= begin, e.time <= end, of_customers)
    statement = statement.distinct().order_by(e.customer_key)
    return list(tx.execute(statement).scalars())


def events_of_many(tx: Transaction, keys: Sequence[str], until: datetime) -> Iterator[Event]:
    """The events of several customers up to a moment, customer by customer; each one's in no order,
    which is quicker.
    """
    e = event.c
    chosen = _EVENT.where(among(tx, e.customer_key, keys), e.time <= until)
    for row in tx.each(StoredEventRow, chosen.order_by(e.customer_key)):
        yield stored_event(row)


def stored_event(row: StoredEventRow) -> Event:
    """An Event from its row."""
    found = Event(
        source=row.source,
        id=row.id,
        type=row.type,
        time=row.time,
        received_at=row.received_at,
        payload=STORED[row.type].model_validate_json(row.payload),
        digest=row.digest,
        raw=bytes(row.raw),
        clamped=row.clamped,
    )
    return (
        found
        if found.customer_key == row.customer_key
        else replace(found, matched=row.customer_key)
    )
