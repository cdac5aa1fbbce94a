"""Facts that arrive late: the events they touch are judged again, by the rulebook that judged them first.

DESIGN.md, transaction 5. Alerts are raised, upgraded or withdrawn; nobody is told twice; a case that somebody has touched
stays with that person, and only says what changed.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from alerting.database import audit, cases, events, notifications, points
from alerting.database.scales import scales_until
from alerting.domain.case_alerts import join_case, open_case
from alerting.domain.case_revision import AlreadyTold, not_yet_told, replan_case
from alerting.domain.cases import Case, RaisedAlert, Status
from alerting.domain.customers import History
from alerting.domain.errors import RulebookInvalid
from alerting.domain.events import Event
from alerting.domain.history import ANSWER, CONTACT
from alerting.domain.judge import RuleOutcome, exclusion, judge
from alerting.domain.payloads import OWN, CustomerUpdated
from alerting.domain.people import Assignment, Party
from alerting.domain.rulebook import Rulebook
from alerting.domain.signals import Order, Point
from alerting.domain.sla import Starts
from alerting.domain.standing import Subjects
from alerting.services.applying import Cause, apply_decision
from alerting.services.claiming import skip
from alerting.services.raising import Judged, Revision, Round, attach, filled_parties, parties, store_alert, why_quiet

log = logging.getLogger(__name__)

ALWAYS: Order = (datetime(1, 1, 1, tzinfo=UTC), "", "")


def revise_after(
    round_: Round,
    fresh: Sequence[events.Arrived],
    seqs: Mapping[tuple[str, str], int],
    subjects: Subjects,
) -> int:
    """Judge again what was judged without these facts; returns how many alerts changed."""
    since = _touched_since((arrived.event for arrived in fresh), subjects.histories)
    return revise_since(round_, since, subjects, seqs.values())


def revise_since(round_: Round, since: Mapping[str, Order], subjects: Subjects, without: Collection[int] = ()) -> int:
    """The same for customers whose facts are others from a point in their order on; `without` these events."""
    if not since:
        return 0
    oldest = round_.now - round_.rulebook.lateness
    rows = events.judged_after(round_.tx, since, oldest, without)
    changed = 0
    for key, found in groupby(rows, key=lambda row: row.customer_key):
        changed += _revise_customer(round_, key, list(found), subjects)
    return changed


def _touched_since(fresh: Iterable[Event], histories: Mapping[str, History]) -> dict[str, Order]:
    """From when on each customer's facts are others now. What we first hear of a customer also counts for the time before."""
    since: dict[str, Order] = {}
    for event in fresh:
        if event.type in OWN:
            continue
        begin = event.order
        if isinstance(event.payload, CustomerUpdated) and histories[event.customer_key].begins_with(
            event.source, event.id
        ):
            begin = ALWAYS
        since[event.customer_key] = min(since.get(event.customer_key, begin), begin)
    return since


def _revise_customer(round_: Round, key: str, rows: Sequence[Any], subjects: Subjects) -> int:
    """One customer's events, in their order."""
    books = {row.rulebook: _read(round_, row.rulebook) for row in rows}
    known = {name: book for name, book in books.items() if book is not None}
    if not known:
        return 0
    window = max(points.longest_window(book.signals) for book in known.values())
    scales = scales_until(round_.tx, rows[-1].time)
    pasts = _pasts(round_, subjects.lineages(key), rows[0].time - window, rows[-1].time, known)
    changed = 0
    for row in rows:
        rulebook = books[row.rulebook]
        if rulebook is not None:
            event = events.stored_event(row)
            then = replace(subjects, points=pasts[row.rulebook], scales=scales).at(key, event.time)
            judgement = judge(event, then, rulebook, every_rule=True)
            excluded = row.excluded or exclusion(event, rulebook, round_.now)
            changed += _revise(round_, Judged(seq=row.seq, judgement=judgement, rulebook=rulebook, excluded=excluded))
    return changed


def _pasts(
    round_: Round, keys: Iterable[str], begin: datetime, end: datetime, books: Mapping[str, Rulebook]
) -> dict[str, dict[str, list[Point]]]:
    """The points of the customer and its groups for each rulebook: signals from the stored events, whatever was kept."""
    held = points.points_between(round_.tx, keys, begin, end)
    found: dict[str, dict[str, list[Point]]] = {name: {} for name in books}
    for key in keys:
        lasting = [point for point in held.get(key, ()) if point.definition in {ANSWER, CONTACT}]
        life = events.events_between(round_.tx, key, begin, end)
        for name, book in books.items():
            found[name][key] = [*lasting, *_signal_points(life, book)]
    return found


def _read(round_: Round, name: str) -> Rulebook | None:
    try:
        return round_.ctx.shelf.get(round_.tx, name)
    except RulebookInvalid:
        log.warning("a rulebook that this version cannot read judges nothing again", extra={"rulebook": name[:12]})
        return None


def _signal_points(life: Iterable[Event], rulebook: Rulebook) -> list[Point]:
    return [point for event in life for signal in rulebook.signals.values() for point in signal.points_of(event)]


@dataclass(kw_only=True)
class _Change:
    """What a second judgement of one event comes to, while it is found out."""

    versions: int = 0
    ringing: list[RaisedAlert] = field(default_factory=list)
    """Those that ring and have not rung like this before."""
    replaced: bool = False
    """Whether one that rang does so no more, or for other people."""


def _revise(round_: Round, judged: Judged) -> int:
    """Bring the alerts of one event up to what it comes to now; returns how many versions were written."""
    every = cases.alerts_of_event(round_.tx, judged.seq)
    standing = {row.rule: row for row in every if row.superseded_at is None and row.state != "withdrawn"}
    case = _case_of(round_, standing.values())
    touched = case is None or audit.touched_by_people(round_.tx, "case", str(case.id))
    change = _Change()
    rang = False
    for outcome in judged.judgement.by_severity:
        row = standing.pop(outcome.rule.id, None)
        if row is not None and row.suppressed is None:
            quiet = "outranked" if rang and not touched else None
        else:
            quiet = why_quiet(round_, judged, outcome.rule, rang=rang)
        rang = rang or quiet is None
        matters = row is None or not _same(round_, judged, outcome, row, quiet)
        if matters or row.because != cases.because(outcome):
            state = "upgraded" if any(other.suppressed is None for other in every) else "raised"
            raised = _write(round_, judged, outcome, quiet, _next(every, outcome, state), row)
            change.versions += 1
            if matters:
                change.replaced |= row is not None and row.suppressed is None
                change.ringing += [raised] if quiet is None else []
    for outcome in judged.judgement.outcomes:
        row = standing.get(outcome.rule.id)
        if row is not None:
            _write(round_, judged, outcome, row.suppressed, _next(every, outcome, "withdrawn"), row)
            change.versions += 1
            change.replaced |= row.suppressed is None
    if change.versions:
        _carry_out(round_, judged, case, touched, change)
    return change.versions


def _case_of(round_: Round, rows: Iterable[Any]) -> Case | None:
    """The unresolved case these alerts opened or joined."""
    numbers = {row.case_id for row in rows if row.case_id is not None}
    found = [cases.case_by_id(round_.tx, number) for number in sorted(numbers)]
    return next((case for case in found if case is not None and case.status is not Status.RESOLVED), None)


def _same(round_: Round, judged: Judged, outcome: RuleOutcome, row: Any, quiet: str | None) -> bool:
    told_as_before = (row.suppressed is None) == (quiet is None)
    return (
        told_as_before
        and row.segment == judged.segment
        and parties(row.people) == filled_parties(round_, judged, outcome)
    )


def _next(every: Sequence[Any], outcome: RuleOutcome, state: str) -> Revision:
    number = max((row.revision for row in every if row.rule == outcome.rule.id), default=0) + 1
    return Revision(number=number, state=state)


def _write(
    round_: Round, judged: Judged, outcome: RuleOutcome, quiet: str | None, revision: Revision, row: Any
) -> RaisedAlert:
    """A new version of an alert; what the version before still wants said is said by this one, or not at all."""
    raised = store_alert(round_, judged, outcome, quiet, revision)
    if row is not None and row.case_id is not None:
        cases.attach_alert(round_.tx, raised.id, row.case_id)
    return raised


def _carry_out(round_: Round, judged: Judged, case: Case | None, touched: bool, change: _Change) -> None:
    """The case after all versions are written: made anew where nobody has touched it, joined or opened otherwise."""
    key = judged.judgement.event.customer_key
    if case is not None and not touched and change.replaced:
        assert case.id is not None, "a stored case has its number"
        for alert in change.ringing:
            cases.attach_alert(round_.tx, alert.id, case.id)
        _unsay(round_, case.id, withdrawn_only=False)
        alerts = [_standing(round_, row, case) for row in cases.standing_alerts(round_.tx, case.id)]
        clocks = cases.clocks_of(round_.tx, [case.id])[case.id]
        told = _told(round_, case.id)
        decision = replan_case(case, clocks, alerts, round_.rulebook.policies, told, round_.now)
        cause = max([alert.id for alert in change.ringing] or [cases.newest_alert(round_.tx, case.id)])
        apply_decision(round_.tx, round_.ctx, decision, "judge", Cause(kind="alert", id=cause), round_.now)
        return
    if case is not None and case.id is not None and change.replaced:
        _unsay(round_, case.id, withdrawn_only=True)
    for alert in change.ringing:
        _follow(round_, key, alert)


def _unsay(round_: Round, case_id: int, *, withdrawn_only: bool) -> None:
    """What former versions of its alerts wanted said and nobody has begun to send: the present ones say it."""
    for note in notifications.of_superseded(round_.tx, case_id, withdrawn_only=withdrawn_only):
        skip(round_.tx, note, "facts that arrived later changed the alert", round_.now)


def _follow(round_: Round, key: str, alert: RaisedAlert) -> None:
    """Open or join, telling only what its people have not been told."""
    found = cases.unresolved_cases(round_.tx, [key]).get(key)
    if found is None:
        attach(round_, open_case(key, alert, round_.now), alert.id)
        return
    assert found.id is not None, "a stored case has its number"
    clocks = cases.clocks_of(round_.tx, [found.id])[found.id]
    decision = join_case(found, clocks, alert, round_.rulebook.policies, round_.now)
    tell = not_yet_told(decision.tell, _told(round_, found.id))
    attach(round_, replace(decision, tell=tuple(tell)), alert.id)


def _told(round_: Round, case_id: int) -> AlreadyTold:
    """Who has a mail of this case, or is just getting one."""
    kept = [note for note in notifications.of_case(round_.tx, case_id) if note.status != "skipped"]
    duties = {"call", "fix", "informed"}
    pairs = [(note.recipient, str(note.data.get("duty", note.template))) for note in kept]
    return list(dict.fromkeys(pair for pair in pairs if pair[1] in duties))


def _standing(round_: Round, row: Any, case: Case) -> RaisedAlert:
    """A stored alert as it was raised."""
    rulebook = round_.ctx.shelf.get(round_.tx, row.rulebook)
    rule = rulebook.rule(row.rule)
    assert rule is not None, "a rulebook knows the rules it has raised alerts by"
    people: dict[str, list[Assignment]] = {"caller": [], "fixer": [], "informed": []}
    for one in row.people:
        party = round_.staff.get(one["party"]) or _left(one["party"])
        people[one["duty"]].append(Assignment(party=party, role=one["role"], why=tuple(one["why"])))
    return RaisedAlert(
        id=row.id,
        rule=row.rule,
        severity=row.severity,
        segment=row.segment,
        policy=rulebook.policies[rule.policy],
        template=rule.template,
        starts=Starts.of_event(row.time, row.received_at, case.starts.case_opened),
        caller=people["caller"][0],
        fixer=people["fixer"][0] if people["fixer"] else None,
        informed=tuple(people["informed"]),
    )


def _left(party: str) -> Party:
    """Somebody who is not in people.yaml any more; delivery will tell `default` instead."""
    return Party.model_construct(id=party, name=party, kind="person", email="", time_zone="UTC", locale="en")
