"""Intake: records of the event log become events, alerts and cases, each batch in one transaction.

Order of work in a batch (transaction 2): position, events, customer locks, rulebook, time, facts, judge, write.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from alerting.database import audit, cases, customers, events, positions, rulebooks
from alerting.database.engine import Transaction
from alerting.database.positions import Partition
from alerting.domain.cases import SEVERITIES, RaisedAlert, join_case, open_case
from alerting.domain.customers import Change
from alerting.domain.errors import RulebookChanged, Temporary, UnreadableEvent
from alerting.domain.events import CustomerUpdated, Event, parse_event
from alerting.domain.judge import Judgement, RuleOutcome, exclusion, judge
from alerting.domain.people import Assignment, Staff, fill_role
from alerting.domain.rulebook import Rulebook
from alerting.domain.sla import Starts
from alerting.services.applying import Cause, apply_decision
from alerting.services.context import Context, hold_rulebook

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record as it came out of the event log, unread. `place` names it for people: topic/partition@offset."""

    place: str
    offset: int
    value: bytes | None
    headers: Mapping[str, bytes]
    timestamp: datetime | None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Records of one partition, and the position they begin at. `next` is where the log goes on after them."""

    partition: Partition
    expected: int
    next: int
    records: Sequence[Record]


@dataclass(kw_only=True)
class Taken:
    """What a batch came to, for the log line and for tests."""

    events: int = 0
    duplicates: int = 0
    dead: int = 0
    alerts: int = 0
    cases: set[int] = field(default_factory=set)

    def __iadd__(self, other: "Taken") -> "Taken":
        self.events += other.events
        self.duplicates += other.duplicates
        self.dead += other.dead
        self.alerts += other.alerts
        self.cases |= other.cases
        return self


def take_batch(ctx: Context, batch: Batch) -> Taken:
    """Handle a batch. Raises PositionMoved when another consumer has it, Temporary errors when the batch must be retried.

    Any other error bisects the batch down to the one record that cannot be handled, which becomes a dead letter.
    """
    try:
        return _retaking(ctx, lambda tx, rulebook: _take(tx, ctx, rulebook, batch))
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
    """Handle records that stand in no partition: an import's rows. Unreadable ones become dead letters."""
    return _retaking(ctx, lambda tx, rulebook: _handle(tx, ctx, rulebook, records))


def replay(ctx: Context, letter_id: int) -> UnreadableEvent | None:
    """Try a dead letter again; returns why it still cannot be read, or None when it was handled."""

    def attempt(tx: Transaction, rulebook: Rulebook) -> UnreadableEvent | None:
        found = events.dead_letters(tx, waiting_only=False, only_id=letter_id)
        if not found:
            raise LookupError(f"there is no dead letter {letter_id}")
        row, now = found[0], tx.now()
        error = None
        try:
            event = events.reread(row)
            _, conflicts = _handle_events(tx, ctx, rulebook, [(event, row.place)], now)
            error = conflicts[0][1] if conflicts else None
        except UnreadableEvent as unreadable:
            error = unreadable
        events.note_replay(tx, letter_id, error, now)
        return error

    return _retaking(ctx, attempt)


def _retaking(ctx: Context, use_case: Callable[[Transaction, Rulebook], Result]) -> Result:
    """Run with the active rulebook; once more whenever another one became active meanwhile (transaction 12)."""

    rulebook = ctx.shelf.newest()

    def once() -> Result:
        nonlocal rulebook
        if rulebook is None:
            with ctx.db.read() as tx:
                rulebook = ctx.shelf.active(tx)
        with ctx.db.write() as tx:
            return use_case(tx, rulebook)

    while True:
        try:
            return ctx.db.retrying(once) if ctx.db.engine.dialect.name == "sqlite" else once()
        except RulebookChanged:
            rulebook = None


def _halves(batch: Batch) -> tuple[Batch, Batch]:
    middle = len(batch.records) // 2
    border = batch.records[middle].offset
    first = Batch(partition=batch.partition, expected=batch.expected, next=border, records=batch.records[:middle])
    second = Batch(partition=batch.partition, expected=border, next=batch.next, records=batch.records[middle:])
    return first, second


def _take(tx: Transaction, ctx: Context, rulebook: Rulebook, batch: Batch) -> Taken:
    positions.move_position(tx, batch.partition, batch.expected, batch.next)
    if batch.records and batch.records[0].offset > batch.expected:
        positions.record_gap(tx, batch.partition, batch.expected, batch.records[0].offset, tx.now())
    return _handle(tx, ctx, rulebook, batch.records)


def _bury_whole(ctx: Context, batch: Batch, error: Exception) -> Taken:
    """The one record nothing can be done with: kept with bytes, place and reason, and the rest goes on."""
    reason = UnreadableEvent("cannot be handled", f"{type(error).__name__}: {error}")
    with ctx.db.write() as tx:
        now = tx.now()
        positions.move_position(tx, batch.partition, batch.expected, batch.next)
        events.bury(tx, [_letter(record, reason, now) for record in batch.records], now)
    return Taken(dead=len(batch.records))


def _letter(record: Record, error: UnreadableEvent, now: datetime) -> events.DeadLetter:
    return events.DeadLetter(
        place=record.place,
        raw=record.value or b"",
        headers=record.headers,
        received_at=_received(record, now),
        error=error,
    )


def _received(record: Record, now: datetime) -> datetime:
    """When our log took it. A producer's clock may run ahead of ours; nothing was received in the future."""
    return min(record.timestamp, now) if record.timestamp is not None else now


def _handle(tx: Transaction, ctx: Context, rulebook: Rulebook, records: Sequence[Record]) -> Taken:
    now = tx.now()
    readable: list[tuple[Event, str]] = []
    letters: list[events.DeadLetter] = []
    by_place = {record.place: record for record in records}
    for record in records:
        try:
            readable.append((parse_event(record.value, record.headers, _received(record, now)), record.place))
        except UnreadableEvent as error:
            letters.append(_letter(record, error, now))
    taken, conflicts = _handle_events(tx, ctx, rulebook, readable, now)
    letters += [_letter(by_place[place], error, now) for place, error in conflicts]
    events.bury(tx, letters, now)
    taken.dead = len(letters)
    return taken


def _handle_events(
    tx: Transaction, ctx: Context, rulebook: Rulebook, arrived: Sequence[tuple[Event, str]], now: datetime
) -> tuple[Taken, list[tuple[str, UnreadableEvent]]]:
    """Store, join, judge and act on readable events; returns also the places of conflicting duplicates."""
    first: dict[tuple[str, str], events.Arrived] = {}
    repeated: list[tuple[Event, str]] = []
    for event, place in arrived:
        identity = (event.source, event.id)
        if identity in first:
            repeated.append((event, place))
        else:
            first[identity] = events.Arrived(event=event, place=place, excluded=exclusion(event, rulebook, now))
    seqs = events.insert_new(tx, first.values(), rulebook.hash, now)
    repeated += [(a.event, a.place) for identity, a in first.items() if identity not in seqs]
    conflicts = _conflicts(tx, repeated)
    fresh = sorted((a for identity, a in first.items() if identity in seqs), key=lambda a: a.event.order)
    customers.lock_customers(tx, (a.event.customer_key for a in fresh), now)
    hold_rulebook(tx, rulebook)
    taken = Taken(events=len(fresh), duplicates=len(repeated) - len(conflicts))
    if fresh:
        _judge_all(tx, ctx, rulebook, fresh, seqs, taken)
    return taken, conflicts


def _conflicts(tx: Transaction, repeated: Sequence[tuple[Event, str]]) -> list[tuple[str, UnreadableEvent]]:
    """Of events that repeat a known identity, those that say something else than the first."""
    stored = events.digests_of(tx, list({(e.source, e.id) for e, _ in repeated}))
    return [
        (
            place,
            UnreadableEvent("conflicting duplicate", f"{event.source} {event.id} is already known with other content"),
        )
        for event, place in repeated
        if stored[(event.source, event.id)] != event.digest
    ]


def _judge_all(
    tx: Transaction,
    ctx: Context,
    rulebook: Rulebook,
    fresh: Sequence[events.Arrived],
    seqs: Mapping[tuple[str, str], int],
    taken: Taken,
) -> None:
    now = tx.now()
    _learn(tx, fresh, rulebook, now)
    keys = {a.event.customer_key for a in fresh}
    histories = customers.histories(tx, keys)
    begin = fresh[0].event.time - customers.longest_window(rulebook.signals)
    points = customers.points_between(tx, keys, begin, fresh[-1].event.time)
    staff = rulebooks.staff_at(tx, now)
    unknown: list[dict[str, Any]] = []
    for arrived in fresh:
        event = arrived.event
        seq = seqs[(event.source, event.id)]
        key = event.customer_key
        judgement = judge(event, histories[key].as_of(event.time), points.get(key, ()), rulebook)
        unknown += [
            {"event_seq": seq, "rule": o.rule.id, "condition": n} for o in judgement.outcomes for n in o.unknown
        ]
        for outcome in sorted(judgement.alerts, key=lambda o: -SEVERITIES.index(o.rule.severity)):
            taken.alerts += 1
            case_id = _raise(tx, ctx, rulebook, staff, judgement, outcome, seq, arrived.excluded, now)
            taken.cases |= {case_id} if case_id is not None else set()
    events.note_unknown(tx, unknown)


def _learn(tx: Transaction, fresh: Sequence[events.Arrived], rulebook: Rulebook, now: datetime) -> None:
    """What the batch tells us about customers and signals goes in before anything is judged."""
    changes: dict[str, list[Change]] = defaultdict(list)
    points = []
    for event in (a.event for a in fresh):
        if isinstance(event.payload, CustomerUpdated):
            change = Change(
                valid_from=event.time, source=event.source, event_id=event.id, changes=event.payload.changes()
            )
            changes[event.customer_key].append(change)
        for signal in rulebook.signals.values():
            points += signal.points_of(event)
    for key, given in sorted(changes.items()):
        customers.add_changes(tx, key, given, now)
    customers.add_points(tx, points)


def _raise(
    tx: Transaction,
    ctx: Context,
    rulebook: Rulebook,
    staff: Staff,
    judgement: Judgement,
    outcome: RuleOutcome,
    seq: int,
    suppressed: str | None,
    now: datetime,
) -> int | None:
    """One alert: stored with its facts, then opening or joining the customer's case unless it is too old to ring."""
    event = judgement.event
    alert_id = cases.raise_alert(
        tx,
        event_seq=seq,
        customer_key=event.customer_key,
        segment=judgement.membership.segment,
        outcome=outcome,
        signals=judgement.signals,
        rulebook=rulebook.hash,
        suppressed=suppressed,
        now=now,
    )
    _audit_alert(tx, judgement, outcome, alert_id, suppressed, now)
    if suppressed is not None:
        return None
    raised = _raised(judgement, outcome, alert_id, rulebook, staff, now)
    case = cases.unresolved_cases(tx, [event.customer_key]).get(event.customer_key)
    if case is None:
        decision = open_case(event.customer_key, raised, now)
    else:
        assert case.id is not None, "a stored case has its number"
        decision = join_case(case, cases.clocks_of(tx, [case.id])[case.id], raised, now)
    case_id = apply_decision(tx, ctx, decision, "judge", Cause(kind="alert", id=alert_id), now)
    cases.attach_alert(tx, alert_id, case_id)
    return case_id


def _raised(
    judgement: Judgement, outcome: RuleOutcome, alert_id: int, rulebook: Rulebook, staff: Staff, now: datetime
) -> RaisedAlert:
    rule, event, segment = outcome.rule, judgement.event, judgement.membership.segment

    def fill(role: str) -> Assignment:
        return fill_role(role, judgement.customer, segment, rulebook.routing, staff)

    return RaisedAlert(
        id=alert_id,
        rule=rule.id,
        severity=rule.severity,
        segment=segment,
        policy=rulebook.policies[rule.policy],
        template=rule.template,
        starts=Starts(customer_sent=event.time, received=event.received_at, case_opened=now),
        caller=fill(rule.caller),
        fixer=fill(rule.fixer) if rule.fixer else None,
        informed=tuple(fill(role) for role in rule.inform),
    )


def _audit_alert(
    tx: Transaction, judgement: Judgement, outcome: RuleOutcome, alert_id: int, suppressed: str | None, now: datetime
) -> None:
    event = judgement.event
    facts = {
        "rule": outcome.rule.id,
        "segment": judgement.membership.segment,
        "segment_why": judgement.membership.why,
        "conditions": [truth.name for truth in outcome.truths],
        "event": {"source": event.source, "id": event.id, "digest": event.digest},
    }
    comment = getattr(event.payload, "comment", None)
    entry = audit.Entry(
        actor="judge",
        action="alert.suppressed" if suppressed else "alert.raised",
        subject_kind="alert",
        subject_id=str(alert_id),
        happened_at=event.time,
        cause=f"event:{event.source} {event.id}",
        customer_key=event.customer_key,
        facts={**facts, "suppressed": suppressed} if suppressed else facts,
        personal={"comment": comment} if comment else {},
    )
    audit.write(tx, entry, now)
