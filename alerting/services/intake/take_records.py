"""Intake: records of the event log become events, alerts and cases, each batch in one transaction.

Order of work in a batch (transaction 2): position, events, customer locks, rulebook, time, facts,
judge, write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from alerting.database.audit.erasure import forgotten_until
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.intake import addresses, dead_letters, events, positions
from alerting.database.intake.positions import Partition
from alerting.database.people import staff_facts
from alerting.domain.alerts.judge import exclusion
from alerting.domain.errors import Temporary, UnreadableEvent
from alerting.domain.intake.events import Event, parse_event
from alerting.domain.intake.payloads import (
    OF_PEOPLE,
    CustomerForgotten,
    PersonRemoved,
    PersonUpdated,
)
from alerting.domain.routing.staff import PersonFact
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.judge_batch import EventBatch, Taken, judge_batch
from alerting.services.audit.forget import exclusions, forget_all
from alerting.services.context import Context, hold_rulebook, with_active_rulebook
from alerting.services.customers.memberships import Newcomers
from alerting.services.intake.match_arrived import matched, unmatched
from alerting.services.judging_round import begin_round

Result = TypeVar("Result")

ERASED = "erased"
"""The header of a record whose bytes were taken away because its customer was forgotten."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record as it came out of the event log, unread. `place` names it for people:
    topic/partition@offset.
    """

    place: str
    offset: int
    value: bytes | None
    headers: Mapping[str, bytes]
    timestamp: datetime | None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Records of one partition, and the position they begin at. `next` is where the log goes on
    after them.
    """

    partition: Partition
    expected: int
    next: int
    records: Sequence[Record]


def take_batch(ctx: Context, batch: Batch) -> Taken:
    """Handle a batch. Raises PositionMoved when another consumer has it, Temporary errors when the
    batch must be retried.

    Any other error bisects the batch down to the one record that cannot be handled, which becomes a
    dead letter.
    """
    try:
        return with_active_rulebook(ctx, lambda tx, rulebook: _take(tx, ctx, rulebook, batch))
    except Temporary:
        raise
    except Exception as error:
        if len(batch.records) <= 1:
            return _bury_whole(ctx, batch, error)
        first, second = _halves(batch)
        taken = take_batch(ctx, first)
        taken += take_batch(ctx, second)
        return taken


def take_records(ctx: Context, records: Sequence[Record]) -> Taken:
    """Handle records that stand in no partition: an import's rows. Unreadable ones become dead
    letters.
    """
    return with_active_rulebook(ctx, lambda tx, rulebook: _handle(tx, ctx, rulebook, records))


def take_events(
    ctx: Context, arrived: Sequence[tuple[Event, str]], ahead: Newcomers | None = None
) -> Taken:
    """Handle events of our own making, each with its place, in one transaction.

    `ahead`: where some customers will stand if nobody has heard of them before, and no other event
    here is about them.
    """
    return with_active_rulebook(
        ctx, lambda tx, rulebook: _handle_events(tx, ctx, rulebook, arrived, tx.now(), ahead)[0]
    )


def replay(ctx: Context, letter_id: int) -> UnreadableEvent | None:
    """Try a dead letter again; returns why it still cannot be read, or None when it was handled."""

    def attempt(tx: Transaction, rulebook: Rulebook) -> UnreadableEvent | None:
        found = dead_letters.list_letters(tx, waiting_only=False, only_id=letter_id)
        if not found:
            raise LookupError(f"there is no dead letter {letter_id}")
        row, now = found[0], tx.now()
        error = None
        try:
            event = dead_letters.reread(row)
            _, conflicts = _handle_events(tx, ctx, rulebook, [(event, row.place)], now)
            error = conflicts[0][1] if conflicts else None
        except UnreadableEvent as unreadable:
            error = unreadable
        dead_letters.note_replay(tx, letter_id, error, now)
        return error

    return with_active_rulebook(ctx, attempt)


def _halves(batch: Batch) -> tuple[Batch, Batch]:
    middle = len(batch.records) // 2
    border = batch.records[middle].offset
    first = Batch(
        partition=batch.partition,
        expected=batch.expected,
        next=border,
        records=batch.records[:middle],
    )
    second = Batch(
        partition=batch.partition, expected=border, next=batch.next, records=batch.records[middle:]
    )
    return first, second


def _take(tx: Transaction, ctx: Context, rulebook: Rulebook, batch: Batch) -> Taken:
    positions.move_position(tx, batch.partition, batch.expected, batch.next)
    if batch.records and batch.records[0].offset > batch.expected:
        positions.record_gap(tx, batch.partition, batch.expected, batch.records[0].offset, tx.now())
    return _handle(tx, ctx, rulebook, batch.records)


def _bury_whole(ctx: Context, batch: Batch, error: Exception) -> Taken:
    """The one record nothing can be done with: kept with bytes, place and reason, and the rest goes
    on.
    """
    reason = UnreadableEvent("cannot be handled", f"{type(error).__name__}: {error}")
    with ctx.db.write() as tx:
        now = tx.now()
        positions.move_position(tx, batch.partition, batch.expected, batch.next)
        dead_letters.bury(tx, [_letter(record, reason, now) for record in batch.records], now)
    return Taken(dead=len(batch.records))


def _letter(record: Record, error: UnreadableEvent, now: datetime) -> dead_letters.DeadLetter:
    return dead_letters.DeadLetter(
        place=record.place,
        raw=record.value or b"",
        headers=record.headers,
        received_at=_received(record, now),
        error=error,
    )


def _received(record: Record, now: datetime) -> datetime:
    """When our log took it. A producer's clock may run ahead of ours; nothing was received in the
    future.

    Logs count milliseconds. Records of the same one are told apart by their offsets: an event that
    carries no time of its own must not come before the one it followed, whatever their ids are.
    """
    if record.timestamp is None:
        return now
    return min(record.timestamp + timedelta(microseconds=record.offset % 1_000), now)


def _handle(tx: Transaction, ctx: Context, rulebook: Rulebook, records: Sequence[Record]) -> Taken:
    now = tx.now()
    readable: list[tuple[Event, str]] = []
    letters: list[dead_letters.DeadLetter] = []
    by_place = {record.place: record for record in records}
    for record in records:
        if ERASED in record.headers:
            continue  # its customer was forgotten; the log keeps the place
        try:
            readable.append(
                (
                    parse_event(record.value, record.headers, _received(record, now), now),
                    record.place,
                )
            )
        except UnreadableEvent as error:
            letters.append(_letter(record, error, now))
    taken, conflicts = _handle_events(tx, ctx, rulebook, readable, now)
    letters += [_letter(by_place[place], error, now) for place, error in conflicts]
    dead_letters.bury(tx, letters, now)
    taken.dead = len(letters)
    return taken


def _handle_events(
    tx: Transaction,
    ctx: Context,
    rulebook: Rulebook,
    arrived: Sequence[tuple[Event, str]],
    now: datetime,
    ahead: Newcomers | None = None,
) -> tuple[Taken, list[tuple[str, UnreadableEvent]]]:
    """Store, join, judge and act on readable events; returns also the places of conflicting
    duplicates.
    """
    first, repeated = _apart(arrived, rulebook, now)
    first, shared = matched(tx, first)
    gone = forgotten_until(tx, (a.event.customer_key for a in first.values()))
    late = exclusions([a.event for a in first.values()], gone)
    first = {
        name: replace(a, excluded="forgotten") if name in late else a for name, a in first.items()
    }
    seqs = events.insert_new(tx, first.values(), rulebook.hash, now)
    addresses.note_unmatched(tx, unmatched(first, seqs, shared))
    repeated += [(a.event, a.place) for identity, a in first.items() if identity not in seqs]
    conflicts = _conflicts(tx, repeated)
    fresh = sorted(
        (a for identity, a in first.items() if identity in seqs), key=lambda a: a.event.order
    )
    judged = [a for a in fresh if a.event.type not in OF_PEOPLE]
    strangers = customers.lock_customers(tx, (a.event.customer_key for a in judged), now)
    hold_rulebook(tx, rulebook)
    taken = Taken(events=len(fresh), duplicates=len(repeated) - len(conflicts))
    staff_facts.add_facts(tx, (fact_of(a.event) for a in fresh if a.event.type in OF_PEOPLE), now)
    if judged:
        batch = EventBatch(
            round=begin_round(tx, ctx, rulebook),
            fresh=judged,
            seqs=seqs,
            strangers=strangers,
            ahead=ahead,
        )
        taken += judge_batch(batch)
        if gone or any(isinstance(a.event.payload, CustomerForgotten) for a in judged):
            forget_all(begin_round(tx, ctx, rulebook), judged, gone)
    return taken, conflicts


def _apart(
    arrived: Sequence[tuple[Event, str]], rulebook: Rulebook, now: datetime
) -> tuple[dict[tuple[str, str], events.Arrived], list[tuple[Event, str]]]:
    """The first of each source and id, and those that repeat one of them."""
    first: dict[tuple[str, str], events.Arrived] = {}
    repeated: list[tuple[Event, str]] = []
    for event, place in arrived:
        identity = (event.source, event.id)
        if identity in first:
            repeated.append((event, place))
        else:
            excluded = exclusion(event, rulebook, now)
            first[identity] = events.Arrived(event=event, place=place, excluded=excluded)
    return first, repeated


def fact_of(event: Event) -> PersonFact:
    """What an event says of one of our people, from its time on."""
    payload = event.payload
    assert isinstance(payload, PersonUpdated | PersonRemoved), (
        "no other event is about our own people"
    )
    return PersonFact(
        party=payload.person_id,
        valid_from=event.time,
        source=event.source,
        event_id=event.id,
        changes=payload.changes(),
    )


def _conflicts(
    tx: Transaction, repeated: Sequence[tuple[Event, str]]
) -> list[tuple[str, UnreadableEvent]]:
    """Of events that repeat a known identity, those that say something else than the first."""
    stored = events.digests_of(tx, list({(e.source, e.id) for e, _ in repeated}))
    return [
        (
            place,
            UnreadableEvent(
                "conflicting duplicate",
                f"{event.source} {event.id} is already known with other content",
            ),
        )
        for event, place in repeated
        if stored[(event.source, event.id)] != event.digest
    ]
