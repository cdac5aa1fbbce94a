"""Judging stored events: what they teach us goes in first, then each is judged, and its alerts open
or join cases.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from alerting.database.alerts import unknown_conditions, watches
from alerting.database.customers import customers, points
from alerting.database.customers.memberships import Move
from alerting.database.engine import Transaction
from alerting.database.intake import addresses, events
from alerting.domain.alerts.customer_silence import watch_name
from alerting.domain.alerts.judge import judge
from alerting.domain.customers.customers import CustomerChange, History
from alerting.domain.customers.history import history_points
from alerting.domain.customers.signals import Point, Signal
from alerting.domain.customers.standing import Subjects
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import OWN, CustomerDeleted, CustomerUpdated
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.judged import Judged
from alerting.services.alerts.owner_changes import follow_owners
from alerting.services.alerts.raise_alert import follow, store_alert, why_quiet
from alerting.services.alerts.rejudge_events import revise_after
from alerting.services.cases.aftercare import hear_checks
from alerting.services.cases.end_wait import customers_acted
from alerting.services.cases.grade_contacts import prove_by
from alerting.services.customers.memberships import (
    Newcomers,
    concerned,
    moved_events,
    note_standings,
    plan_members,
)
from alerting.services.customers.subjects import load_subjects
from alerting.services.judging_round import Round


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


@dataclass(kw_only=True)
class EventBatch:
    """Events that are stored under `seqs` and not yet judged, in their order; their customers are
    locked. Of `strangers` nothing is stored, and some of them may have been looked at `ahead`.
    """

    round: Round
    fresh: Sequence[events.Arrived]
    seqs: Mapping[tuple[str, str], int]
    strangers: Collection[str] = ()
    ahead: Newcomers | None = None
    changed: Mapping[str, History] = field(default_factory=dict)
    """Customers that this batch says something of, with it."""
    subjects: Subjects = field(default_factory=lambda: Subjects(histories={}))
    taken: Taken = field(default_factory=Taken)

    @property
    def events(self) -> list[Event]:
        return [arrived.event for arrived in self.fresh]

    def seq_of(self, event: Event) -> int:
        return self.seqs[(event.source, event.id)]


def judge_batch(batch: EventBatch) -> Taken:
    """Take a batch through every stage, in order."""
    for stage in STAGES:
        stage(batch)
    return batch.taken


def _learn(batch: EventBatch) -> None:
    """What the batch tells us about customers and signals goes in before anything is judged."""
    tx, known = batch.round.tx, _changes(batch.events)
    batch.changed = customers.add_changes(tx, known, batch.round.now, batch.strangers)
    moved = [key for key, given in sorted(known.items()) if _touches_contacts(given)]
    addresses.keep_addresses(tx, {key: batch.changed[key].newest.contacts for key in moved})
    left = {e.customer_key for e in batch.events if isinstance(e.payload, CustomerDeleted)}
    watches.forget(tx, left)
    points.add_points(tx, _points(batch.events, batch.round.rulebook))
    _watch(tx, batch.events, batch.round.rulebook)


def _changes(told: Sequence[Event]) -> dict[str, list[CustomerChange]]:
    found: dict[str, list[CustomerChange]] = defaultdict(list)
    for event in told:
        if isinstance(event.payload, CustomerUpdated):
            change = CustomerChange(
                valid_from=event.time,
                source=event.source,
                event_id=event.id,
                changes=event.payload.changes(),
            )
            found[event.customer_key].append(change)
    return found


def _touches_contacts(changes: Sequence[CustomerChange]) -> bool:
    return any("contacts" in change.changes for change in changes)


def _points(told: Sequence[Event], rulebook: Rulebook) -> list[Point]:
    """What the events leave for signals and history."""
    counting: dict[str, list[Signal]] = defaultdict(list)
    for signal in rulebook.signals.values():
        counting[signal.of].append(signal)
    found: list[Point] = []
    for event in told:
        found += history_points(event)
        for signal in counting[event.type]:
            found += signal.points_of(event)
    return found


def _watch(tx: Transaction, told: Sequence[Event], rulebook: Rulebook) -> None:
    """Rules on silence hear of every event of their kind, and of every customer that becomes
    known.
    """
    heard, known = [], []
    for rule in rulebook.silence_rules:
        assert rule.silent_for is not None, "what makes it a rule on silence"
        for event in told:
            seen = (watch_name(rule), event.customer_key, event.time, rule.silent_for)
            if event.type == rule.of:
                heard.append(seen)
            elif isinstance(event.payload, CustomerUpdated):
                known.append(seen)
    watches.note_known(tx, known)
    watches.note_heard(tx, heard)


def _load(batch: EventBatch) -> None:
    """Who the customers are, with what the batch itself says."""
    told, round_ = batch.events, batch.round
    keys = {event.customer_key for event in told}
    span = (told[0].time, told[-1].time)
    batch.subjects = load_subjects(round_.tx, keys, round_.rulebook, *span, batch.changed)


def _grade_contacts(batch: EventBatch) -> None:
    prove_by(batch.round.tx, batch.events)


def _end_waits(batch: EventBatch) -> None:
    """Whoever acted is waited for no longer."""
    customers_acted(batch.round.tx, batch.round.ctx, batch.events, batch.round.now)


def _raise_alerts(batch: EventBatch) -> None:
    """Each event is judged, and its alerts open or join cases."""
    round_, unknown = batch.round, list[dict[str, object]]()
    for arrived in batch.fresh:
        event = arrived.event
        if event.type not in round_.rulebook.heard:
            continue
        subject = batch.subjects.at(event.customer_key, event.time)
        judgement = judge(event, subject, round_.rulebook)
        judged = Judged(
            seq=batch.seq_of(event),
            judgement=judgement,
            rulebook=round_.rulebook,
            excluded=arrived.excluded,
        )
        unknown += _undecided(judged)
        batch.taken += _raise_all(round_, judged)
    unknown_conditions.note_unknown(round_.tx, unknown)


def _undecided(judged: Judged) -> list[dict[str, object]]:
    return [
        {"event_seq": judged.seq, "rule": outcome.rule.id, "condition": name}
        for outcome in judged.judgement.outcomes
        for name in outcome.unknown
    ]


def _raise_all(round_: Round, judged: Judged) -> Taken:
    """Every alert of one event; the strongest one that may tell people does."""
    taken, rang = Taken(), False
    for outcome in judged.judgement.by_severity:
        quiet = why_quiet(round_, judged, outcome.rule, rang=rang)
        raised = store_alert(round_, judged, outcome, quiet)
        taken.alerts += 1
        if quiet is None:
            taken.cases.add(follow(round_, judged.judgement.event.customer_key, raised))
            rang = True
    return taken


def _hear_checks(batch: EventBatch) -> None:
    """Answers to check surveys; what a rule made of one stands."""
    counting = [arrived.event for arrived in batch.fresh if arrived.excluded is None]
    heard = [(batch.seq_of(event), event) for event in counting]
    hear_checks(batch.round.tx, batch.round.ctx, batch.round.rulebook, heard, batch.round.now)


def _rejudge_late(batch: EventBatch) -> None:
    """What the batch says late is brought to the events that were judged without it."""
    met = [one for one in batch.fresh if one.event.customer_key not in batch.strangers]
    batch.taken.alerts += revise_after(batch.round, met, batch.seqs, batch.subjects)


def _follow_owners(batch: EventBatch) -> None:
    follow_owners(batch.round, batch.fresh, batch.seqs, batch.subjects.histories)


def _move_customers(batch: EventBatch) -> None:
    """Where the customers stand by now is noted; moves between segments are events, too."""
    told = [event for event in batch.events if event.type not in OWN]
    plan_members(batch.round, told, batch.subjects)
    causes = concerned(told, batch.round.rulebook)
    judge_moves(
        batch.round,
        note_standings(batch.round, causes, batch.subjects, batch.ahead, batch.strangers),
    )


STAGES: tuple[Callable[[EventBatch], None], ...] = (
    _learn,  # first: what the batch says counts for all of its events, whatever their order
    _load,
    _grade_contacts,  # before complaints ask whether they were answered
    _end_waits,  # before alerts join the cases that waited
    _raise_alerts,
    _hear_checks,  # after the rules, which have the first word about an answer
    _rejudge_late,  # after the events' own alerts, so that each is judged once
    _follow_owners,  # after all that opens cases: those go along, too
    _move_customers,  # last: moves are events of our own, and go through all of this again
)
"""What happens to a batch. Each stage may read what the ones before it wrote."""


def judge_moves(round_: Round, moves: Sequence[Move]) -> None:
    """Customers' moves between segments are events, too, where a rule wants them."""
    found = moved_events(moves, round_.rulebook, round_.now)
    if not found:
        return
    arrived = [events.Arrived(event=event, place="segments", excluded=None) for event in found]
    seqs = events.insert_new(round_.tx, arrived, round_.rulebook.hash, round_.now)
    judge_batch(EventBatch(round=round_, fresh=arrived, seqs=seqs))
