"""Judging stored events: what they teach us goes in first, then each is judged, and its alerts open or join cases."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alerting.database import audit, cases, customers, events, points, rulebooks, silences, watches
from alerting.database.engine import Transaction
from alerting.domain.case_alerts import join_case, open_case
from alerting.domain.cases import SEVERITIES, RaisedAlert
from alerting.domain.customers import Change
from alerting.domain.events import Event
from alerting.domain.history import history_points
from alerting.domain.judge import Judgement, RuleOutcome, judge
from alerting.domain.payloads import CustomerUpdated
from alerting.domain.people import Assignment, Staff, fill_role
from alerting.domain.rulebook import Rule, Rulebook
from alerting.domain.silence import watch_name
from alerting.domain.sla import Starts
from alerting.domain.suppression import Silence, suppression
from alerting.services.applying import Cause, apply_decision
from alerting.services.context import Context


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
) -> Taken:
    """Judge events that are stored under `seqs` and not yet judged, in their order. The customers are locked."""
    now, taken = tx.now(), Taken()
    _learn(tx, fresh, rulebook, now)
    keys = {a.event.customer_key for a in fresh}
    histories = customers.histories(tx, keys)
    begin = fresh[0].event.time - points.longest_window(rulebook.signals)
    held = points.points_between(tx, keys, begin, fresh[-1].event.time)
    staff, quieted = rulebooks.staff_at(tx, now), silences.active_silences(tx, now)
    unknown: list[dict[str, Any]] = []
    for arrived in fresh:
        event = arrived.event
        seq = seqs[(event.source, event.id)]
        key = event.customer_key
        judgement = judge(event, histories[key].as_of(event.time), held.get(key, ()), rulebook)
        unknown += [
            {"event_seq": seq, "rule": o.rule.id, "condition": n} for o in judgement.outcomes for n in o.unknown
        ]
        rang = False
        for outcome in sorted(judgement.alerts, key=lambda o: -SEVERITIES.index(o.rule.severity)):
            taken.alerts += 1
            quiet = _suppression(tx, judgement, outcome.rule, arrived.excluded, quieted, rang, now)
            case_id = _raise(tx, ctx, rulebook, staff, judgement, outcome, seq, quiet, now)
            taken.cases |= {case_id} if case_id is not None else set()
            rang = rang or quiet is None
    events.note_unknown(tx, unknown)
    return taken


def _learn(tx: Transaction, fresh: Sequence[events.Arrived], rulebook: Rulebook, now: datetime) -> None:
    """What the batch tells us about customers and signals goes in before anything is judged."""
    changes: dict[str, list[Change]] = defaultdict(list)
    left = []
    for event in (a.event for a in fresh):
        if isinstance(event.payload, CustomerUpdated):
            change = Change(
                valid_from=event.time, source=event.source, event_id=event.id, changes=event.payload.changes()
            )
            changes[event.customer_key].append(change)
        left += history_points(event)
        for signal in rulebook.signals.values():
            left += signal.points_of(event)
    for key, given in sorted(changes.items()):
        customers.add_changes(tx, key, given, now)
    points.add_points(tx, left)
    _watch(tx, fresh, rulebook)


def _watch(tx: Transaction, fresh: Sequence[events.Arrived], rulebook: Rulebook) -> None:
    """Rules on silence hear of every event of their kind, and of every customer that becomes known."""
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


def _answered(tx: Transaction, event: Event) -> bool:
    """Whether it arrived so late that the customer was called since, and the case is over."""
    if event.customer_key in cases.unresolved_cases(tx, [event.customer_key]):
        return False
    until = cases.answered_until(tx, event.customer_key)
    return until is not None and min(event.time, event.received_at) <= until


def _suppression(
    tx: Transaction,
    judgement: Judgement,
    rule: Rule,
    excluded: str | None,
    quieted: Sequence[Silence],
    rang: bool,
    now: datetime,
) -> str | None:
    """`rang`: a stronger rule has told people about this very event."""
    event, cooling = judgement.event, False
    if rule.cooldown is not None:
        since = event.time - rule.cooldown
        cooling = silences.last_alert(tx, rule.id, event.customer_key, since, event.time) is not None
    return suppression(
        rule,
        event.customer_key,
        judgement.membership.segment,
        now,
        excluded=excluded,
        answered=_answered(tx, event),
        silences=quieted,
        cooling=cooling,
        outranked=rang,
    )


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
        decision = join_case(case, cases.clocks_of(tx, [case.id])[case.id], raised, rulebook.policies, now)
    case_id = apply_decision(tx, ctx, decision, "judge", Cause(kind="alert", id=alert_id), now)
    cases.attach_alert(tx, alert_id, case_id)
    return case_id


def _raised(
    judgement: Judgement, outcome: RuleOutcome, alert_id: int, rulebook: Rulebook, staff: Staff, now: datetime
) -> RaisedAlert:
    rule, event, segment = outcome.rule, judgement.event, judgement.membership.segment

    def fill(role: str, *, to_call: bool = False) -> Assignment:
        return fill_role(role, judgement.customer, segment, rulebook.routing, staff, to_call=to_call)

    return RaisedAlert(
        id=alert_id,
        rule=rule.id,
        severity=rule.severity,
        segment=segment,
        policy=rulebook.policies[rule.policy],
        template=rule.template,
        starts=Starts.of_event(event.time, event.received_at, now),
        caller=fill(rule.caller, to_call=True),
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
