"""Facts that arrive late: the events they touch are judged again, by the rulebook that judged them
first.

docs/architecture.md, transaction 5. Alerts are raised, upgraded or withdrawn; nobody is told twice;
a case that somebody has touched stays with that person, and only says what changed.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby

from alerting.database.alerts import alert_records
from alerting.database.audit import audit_entries
from alerting.database.cases import cases
from alerting.database.customers import points
from alerting.database.customers.scales import scales_until
from alerting.database.intake import events
from alerting.database.rows.intake import EventRow
from alerting.database.rows.rules import AlertRow
from alerting.domain.alerts.judge import RuleOutcome, exclusion, judge
from alerting.domain.cases.cases import Case, RaisedAlert, Status
from alerting.domain.customers.customers import History
from alerting.domain.customers.history import ANSWER, CONTACT
from alerting.domain.customers.signals import Order, Point
from alerting.domain.customers.standing import Subjects
from alerting.domain.errors import RulebookInvalid
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import OWN, CustomerUpdated, SilenceNoticed
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.judged import Judged, Revision
from alerting.services.alerts.raise_alert import filled_parties, parties, store_alert, why_quiet
from alerting.services.alerts.rejudge_case import Rejudgement, carry_out
from alerting.services.customers.subjects import load_histories
from alerting.services.judging_round import Round

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


def revise_since(
    round_: Round, since: Mapping[str, Order], subjects: Subjects, without: Collection[int] = ()
) -> int:
    """The same for customers whose facts are others from a point in their order on; `without` these
    events.
    """
    if not since:
        return 0
    oldest = round_.now - round_.rulebook.lateness
    rows = events.judged_after(round_.tx, since, oldest, without)
    changed = 0
    for key, found in groupby(rows, key=lambda row: row.customer_key):
        changed += _revise_customer(round_, key, list(found), subjects)
    return changed


def _touched_since(fresh: Iterable[Event], histories: Mapping[str, History]) -> dict[str, Order]:
    """From when on each customer's facts are others now. What we first hear of a customer also
    counts for the time before.
    """
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


def _revise_customer(round_: Round, key: str, rows: Sequence[EventRow], subjects: Subjects) -> int:
    """One customer's events, in their order."""
    books = {name: _read(round_, name) for name in {row.rulebook for row in rows}}
    known = {name: book for name, book in books.items() if book is not None}
    rows = [row for row in rows if row.rulebook in known and row.type in known[row.rulebook].heard]
    if not rows:
        return 0
    window = max(points.longest_window(book.signals) for book in known.values())
    scales = scales_until(round_.tx, rows[-1].time)
    pasts = _pasts(round_, subjects.lineages(key), rows[0].time - window, rows[-1].time, known)
    changed = 0
    for row in rows:
        rulebook = known[row.rulebook]
        event = events.stored_event(row)
        then = replace(subjects, points=pasts[row.rulebook], scales=scales).at(key, event.time)
        judgement = judge(event, then, rulebook, every_rule=True)
        if _disproved(round_, event):
            judgement = replace(
                judgement, outcomes=tuple(outcome.refuted() for outcome in judgement.outcomes)
            )
        excluded = row.excluded or exclusion(event, rulebook, round_.now)
        changed += _revise(
            round_, Judged(seq=row.seq, judgement=judgement, rulebook=rulebook, excluded=excluded)
        )
    return changed


def _disproved(round_: Round, event: Event) -> bool:
    """Whether a silence that was noticed was none: something came in it, and only reached us
    later.
    """
    if not isinstance(event.payload, SilenceNoticed):
        return False
    heard = events.events_between(round_.tx, event.customer_key, event.payload.since, event.time)
    return any(one.type == event.payload.of for one in heard)


def _pasts(
    round_: Round,
    keys: Iterable[str],
    begin: datetime,
    end: datetime,
    books: Mapping[str, Rulebook],
) -> dict[str, dict[str, list[Point]]]:
    """The points of the customer and its groups for each rulebook: signals from the stored events,
    whatever was kept.
    """
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
        log.warning(
            "a rulebook that this version cannot read judges nothing again",
            extra={"rulebook": name[:12]},
        )
        return None


def _signal_points(life: Iterable[Event], rulebook: Rulebook) -> list[Point]:
    found: list[Point] = []
    for event in life:
        for signal in rulebook.signals.values():
            found += signal.points_of(event)
    return found


def _revise(round_: Round, judged: Judged) -> int:
    """Bring the alerts of one event up to what it comes to now; returns how many versions were
    written.
    """
    every = alert_records.alerts_of_event(round_.tx, judged.seq)
    standing = {
        row.rule: row for row in every if row.superseded_at is None and row.state != "withdrawn"
    }
    case = _case_of(round_, standing.values())
    touched = case is None or audit_entries.touched_by_people(round_.tx, "case", str(case.id))
    change = Rejudgement()
    rang = False
    for outcome in judged.judgement.by_severity:
        row = standing.pop(outcome.rule.id, None)
        if row is not None and row.suppressed is None:
            quiet = "outranked" if rang and not touched and case is not None else None
        elif row is not None and row.suppressed not in {None, "outranked"}:
            quiet = (
                row.suppressed
            )  # what kept it quiet when it came still does: a silence that is over rings nothing
        else:
            quiet = why_quiet(round_, judged, outcome.rule, rang=rang)
        rang = rang or quiet is None
        over = (
            case is None and row is not None and row.suppressed is None
        )  # it was answered, and its case resolved
        matters = not over and (
            row is None or not _same(round_, judged, outcome, row, quiet, every)
        )
        if row is None or matters or row.because != alert_records.because(outcome):
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
        carry_out(round_, judged.judgement.event.customer_key, case, touched, change)
    return change.versions


def hand_on(round_: Round, seq: int, former: str, customer_key: str) -> None:
    """An event turns out to be another customer's. Its case goes along; where that customer has
    one, it ends for that one.

    Both customers are locked. Whatever was done about the case stays done, and whoever was told
    hears what became of it.
    """
    every = alert_records.alerts_of_event(round_.tx, seq)
    standing = [row for row in every if row.superseded_at is None and row.state != "withdrawn"]
    case = _case_of(round_, standing)
    if case is not None:
        others = [
            row for row in alert_records.standing_alerts(round_.tx, case.id) if row.event_seq != seq
        ]
        if not others and customer_key not in cases.unresolved_cases(round_.tx, [customer_key]):
            cases.move_case(round_.tx, case.id, customer_key)
            return
    change = Rejudgement(
        versions=len(standing), replaced=any(row.suppressed is None for row in standing)
    )
    for row in standing:
        kept = {name: getattr(row, name) for name in alert_records.NewAlert.__dataclass_fields__}
        again = alert_records.NewAlert(
            **{**kept, "revision": row.revision + 1, "state": "withdrawn"}
        )
        number = alert_records.raise_alert(round_.tx, again, round_.now)
        if row.case_id is not None:
            alert_records.attach_alert(round_.tx, number, row.case_id)
    if standing:
        carry_out(round_, former, case, False, change)


def judge_again(round_: Round, row: EventRow) -> int:
    """One stored event, as if it had just come; returns how many versions of alerts were
    written.
    """
    subjects = Subjects(histories=load_histories(round_.tx, [row.customer_key]))
    return _revise_customer(round_, row.customer_key, [row], subjects)


def _case_of(round_: Round, rows: Iterable[AlertRow]) -> Case | None:
    """The unresolved case these alerts opened or joined."""
    numbers = {row.case_id for row in rows if row.case_id is not None}
    found = [cases.case_by_id(round_.tx, number) for number in sorted(numbers)]
    return next(
        (case for case in found if case is not None and case.status is not Status.RESOLVED), None
    )


def _same(
    round_: Round,
    judged: Judged,
    outcome: RuleOutcome,
    row: AlertRow,
    quiet: str | None,
    every: Sequence[AlertRow],
) -> bool:
    first = next(one for one in every if one.rule == row.rule)
    told_as_before = (row.suppressed is None) == (quiet is None)
    return (
        told_as_before
        and row.segment == judged.segment
        and parties(row.people) == filled_parties(round_, judged, outcome, first)
    )


def _next(every: Sequence[AlertRow], outcome: RuleOutcome, state: str) -> Revision:
    number = max((row.revision for row in every if row.rule == outcome.rule.id), default=0) + 1
    return Revision(number=number, state=state)


def _write(
    round_: Round,
    judged: Judged,
    outcome: RuleOutcome,
    quiet: str | None,
    revision: Revision,
    row: AlertRow | None,
) -> RaisedAlert:
    """A new version of an alert; what the version before still wants said is said by this one, or
    not at all.
    """
    raised = store_alert(round_, judged, outcome, quiet, revision)
    if row is not None and row.case_id is not None:
        alert_records.attach_alert(round_.tx, raised.id, row.case_id)
    return raised
