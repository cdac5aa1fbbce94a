"""Judging stored events: what they teach us goes in first, then each is judged, and its alerts open
or join cases.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerting.database.alerts import watches
from alerting.database.customers import customers, points
from alerting.database.customers.memberships import Move
from alerting.database.engine import Transaction
from alerting.database.intake import addresses, events
from alerting.domain.alerts.customer_silence import watch_name
from alerting.domain.alerts.judge import judge
from alerting.domain.customers.customers import CustomerChange, History
from alerting.domain.customers.history import history_points
from alerting.domain.customers.signals import Signal
from alerting.domain.intake.payloads import OWN, CustomerDeleted, CustomerUpdated
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.owner_changes import follow_owners
from alerting.services.alerts.raise_alert import Judged, follow, store_alert, why_quiet
from alerting.services.alerts.rejudge_events import revise_after
from alerting.services.cases.aftercare import hear_checks
from alerting.services.cases.end_wait import customers_acted
from alerting.services.cases.grade_contacts import prove_by
from alerting.services.context import Context
from alerting.services.customers.memberships import (
    Newcomers,
    concerned,
    moved_events,
    note_standings,
    plan_members,
)
from alerting.services.customers.subjects import load_subjects
from alerting.services.judging_round import Round, begin_round


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


def judge_all(
    tx: Transaction,
    ctx: Context,
    rulebook: Rulebook,
    fresh: Sequence[events.Arrived],
    seqs: Mapping[tuple[str, str], int],
    strangers: Collection[str] = (),
    ahead: Newcomers | None = None,
) -> Taken:
    """Judge events that are stored under `seqs` and not yet judged, in their order. The customers
    are locked.

    Then what they say late is brought to the events that were judged without it; of `strangers`
    there are none, and some of them may have been looked at `ahead`.
    """
    round_, taken = begin_round(tx, ctx, rulebook), Taken()
    known = _learn(tx, fresh, rulebook, round_.now, strangers)
    keys = {a.event.customer_key for a in fresh}
    subjects = load_subjects(tx, keys, rulebook, fresh[0].event.time, fresh[-1].event.time, known)
    prove_by(tx, [arrived.event for arrived in fresh])
    customers_acted(tx, ctx, [arrived.event for arrived in fresh], round_.now)
    unknown: list[dict[str, object]] = []
    for arrived in fresh:
        event = arrived.event
        if event.type not in rulebook.heard:
            continue
        seq = seqs[(event.source, event.id)]
        judgement = judge(event, subjects.at(event.customer_key, event.time), rulebook)
        unknown += [
            {"event_seq": seq, "rule": o.rule.id, "condition": n}
            for o in judgement.outcomes
            for n in o.unknown
        ]
        judged = Judged(seq=seq, judgement=judgement, rulebook=rulebook, excluded=arrived.excluded)
        taken += _raise_all(round_, judged)
    heard = [(seqs[(a.event.source, a.event.id)], a.event) for a in fresh if a.excluded is None]
    hear_checks(tx, ctx, rulebook, heard, round_.now)
    events.note_unknown(tx, unknown)
    met = [arrived for arrived in fresh if arrived.event.customer_key not in strangers]
    taken.alerts += revise_after(round_, met, seqs, subjects)
    follow_owners(round_, fresh, seqs, subjects.histories)
    told = [arrived.event for arrived in fresh if arrived.event.type not in OWN]
    plan_members(round_, told, subjects)
    judge_moves(
        round_, note_standings(round_, concerned(told, rulebook), subjects, ahead, strangers)
    )
    return taken


def judge_moves(round_: Round, moves: Sequence[Move]) -> None:
    """Customers' moves between segments are events, too, where a rule wants them."""
    found = moved_events(moves, round_.rulebook, round_.now)
    if not found:
        return
    arrived = [events.Arrived(event=event, place="segments", excluded=None) for event in found]
    seqs = events.insert_new(round_.tx, arrived, round_.rulebook.hash, round_.now)
    judge_all(round_.tx, round_.ctx, round_.rulebook, arrived, seqs)


def _raise_all(round_: Round, judged: Judged) -> Taken:
    """Every alert of one event; the strongest one that may ring does."""
    taken, rang = Taken(), False
    for outcome in judged.judgement.by_severity:
        quiet = why_quiet(round_, judged, outcome.rule, rang=rang)
        raised = store_alert(round_, judged, outcome, quiet)
        taken.alerts += 1
        if quiet is None:
            taken.cases.add(follow(round_, judged.judgement.event.customer_key, raised))
            rang = True
    return taken


def _learn(
    tx: Transaction,
    fresh: Sequence[events.Arrived],
    rulebook: Rulebook,
    now: datetime,
    strangers: Collection[str],
) -> dict[str, History]:
    """What the batch tells us about customers and signals goes in before anything is judged;
    returns whom it changed.
    """
    changes: dict[str, list[CustomerChange]] = defaultdict(list)
    counting: dict[str, list[Signal]] = defaultdict(list)
    for signal in rulebook.signals.values():
        counting[signal.of].append(signal)
    left = []
    for event in (a.event for a in fresh):
        if isinstance(event.payload, CustomerUpdated):
            change = CustomerChange(
                valid_from=event.time,
                source=event.source,
                event_id=event.id,
                changes=event.payload.changes(),
            )
            changes[event.customer_key].append(change)
        left += history_points(event)
        for signal in counting[event.type]:
            left += signal.points_of(event)
    known = customers.add_changes(tx, changes, now, strangers)
    moved = [
        key
        for key, given in sorted(changes.items())
        if any("contacts" in change.changes for change in given)
    ]
    addresses.keep_addresses(tx, {key: known[key].newest.contacts for key in moved})
    watches.forget(
        tx, {a.event.customer_key for a in fresh if isinstance(a.event.payload, CustomerDeleted)}
    )
    points.add_points(tx, left)
    _watch(tx, fresh, rulebook)
    return known


def _watch(tx: Transaction, fresh: Sequence[events.Arrived], rulebook: Rulebook) -> None:
    """Rules on silence hear of every event of their kind, and of every customer that becomes
    known.
    """
    heard, known = [], []
    for rule in rulebook.silence_rules:
        assert rule.silent_for is not None, "what makes it a rule on silence"
        for event in (a.event for a in fresh):
            seen = (watch_name(rule), event.customer_key, event.time, rule.silent_for)
            if event.type == rule.of:
                heard.append(seen)
            elif isinstance(event.payload, CustomerUpdated):
                known.append(seen)
    watches.note_known(tx, known)
    watches.note_heard(tx, heard)
