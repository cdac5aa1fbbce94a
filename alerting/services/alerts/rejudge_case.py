"""What becomes of a case when its alerts are others than before: made anew, joined, or left to
whoever has touched it.
"""

from dataclasses import dataclass, field, replace

from alerting.database.alerts import alert_records
from alerting.database.customers import customers
from alerting.database.mail import notifications
from alerting.database.rows.rules import AlertOfEvent
from alerting.domain.audit.entries import Machine
from alerting.domain.cases.case_alerts import join_case, open_case
from alerting.domain.cases.case_revision import OVER, AlreadyTold, not_yet_told, replan_case
from alerting.domain.cases.cases import Case, RaisedAlert
from alerting.domain.cases.clocks import Starts
from alerting.domain.people.people import Party
from alerting.domain.routing.fill_role import Assignment
from alerting.services.alerts.raise_alert import attach, case_to_join, looked_at_again, note_turns
from alerting.services.cases.apply_decision import Cause, apply_decision
from alerting.services.cases.load_case import clocks_of
from alerting.services.judging_round import Round
from alerting.services.mail.records import skip


@dataclass(kw_only=True)
class Rejudgement:
    """What a second judgement of one event comes to, while it is found out."""

    versions: int = 0
    ringing: list[RaisedAlert] = field(default_factory=list)
    """Those that ring and have not rung like this before."""
    replaced: bool = False
    """Whether one that rang does so no more, or for other people."""


def carry_out(
    round_: Round, key: str, case: Case | None, touched: bool, change: Rejudgement
) -> None:
    """The case after all versions are written: made anew where nobody has touched it, joined or
    opened otherwise.
    """
    if case is not None and not touched and change.replaced:
        for alert in change.ringing:
            alert_records.attach_alert(round_.tx, alert.id, case.id)
        _unsay(round_, case.id, withdrawn_only=False)
        alerts = [
            _standing(round_, row, case)
            for row in alert_records.standing_alerts(round_.tx, case.id)
        ]
        clocks = clocks_of(round_.tx, round_.ctx, case.id)
        told = _told(round_, case.id)
        decision = replan_case(case, clocks, alerts, round_.rulebook.policies, told, round_.now)
        cause = max(
            [alert.id for alert in change.ringing]
            or [alert_records.newest_alert(round_.tx, case.id)]
        )
        apply_decision(
            round_.tx,
            round_.ctx,
            decision,
            Machine.JUDGE,
            Cause(kind="alert", id=cause),
            round_.now,
        )
        note_turns(round_, decision.case, change.ringing, case, case.id)
        return
    if case is not None and change.replaced:
        _unsay(round_, case.id, withdrawn_only=True)
    for alert in change.ringing:
        _follow(round_, key, alert)


def _unsay(round_: Round, case_id: int, *, withdrawn_only: bool) -> None:
    """What former versions of its alerts wanted said and nobody has begun to send: the present ones
    say it.
    """
    for note in notifications.of_superseded(round_.tx, case_id, withdrawn_only=withdrawn_only):
        skip(round_.tx, note, "facts that arrived later changed the alert", round_.now)


def _follow(round_: Round, key: str, alert: RaisedAlert) -> None:
    """Open or join, telling only what its people have not been told."""
    found = case_to_join(round_, key, alert)
    if found is None:
        attach(round_, open_case(key, alert, round_.now), alert)
        return
    number = found.id
    clocks = clocks_of(round_.tx, round_.ctx, number)
    if found.contacted_at is not None and not found.answers(alert.starts.customer_sent):
        found, clocks = looked_at_again(
            round_, found
        )  # it opens again; otherwise a late fact ends no wait
    decision = join_case(found, clocks, alert, round_.rulebook.policies, round_.now)
    tell = not_yet_told(decision.tell, _told(round_, number))
    attach(round_, replace(decision, tell=tuple(tell)), alert, found)


def _told(round_: Round, case_id: int) -> AlreadyTold:
    """Who has a mail of this case, or is just getting one, and last knows what by it: whoever was
    told to call and then that somebody else does may have to be told once more.
    """
    kept = [note for note in notifications.of_case(round_.tx, case_id) if note.status != "skipped"]
    told: dict[tuple[str, str], None] = {}
    for note in kept:
        duty = str(note.data.get("duty", note.template))
        for over in OVER.get(duty, ()):
            told.pop((note.recipient, over), None)
        told[(note.recipient, duty)] = None
    return [pair for pair in told if pair[1] not in {"handled", "withdrawn"}]


def _standing(round_: Round, row: AlertOfEvent, case: Case) -> RaisedAlert:
    """A stored alert as it was raised."""
    rulebook = round_.ctx.shelf.get(round_.tx, row.rulebook)
    rule = rulebook.rule(row.rule)
    assert rule is not None, "a rulebook knows the rules it has raised alerts by"
    people: dict[str, list[Assignment]] = {"caller": [], "fixer": [], "informed": []}
    for one in row.people:
        party = round_.staff.get(one["party"]) or _left(one["party"])
        people[one["duty"]].append(
            Assignment(
                party=party, role=one["role"], why=tuple(one["why"]), through=one["through"] or ""
            )
        )
    return RaisedAlert(
        id=row.id,
        rule=row.rule,
        severity=row.severity,
        segment=row.segment,
        territory=row.territory,
        policy=rulebook.promised(
            rule.policy,
            customers.histories(round_.tx, [case.customer_key])[case.customer_key].as_of(row.time),
            people["caller"][0].party,
            people["fixer"][0].party if people["fixer"] else None,
        ),
        template=rule.template,
        starts=Starts.of_event(row.time, row.received_at, case.starts.case_opened),
        caller=people["caller"][0],
        fixer=people["fixer"][0] if people["fixer"] else None,
        informed=tuple(people["informed"]),
        away=frozenset(round_.staff.away),
    )


def _left(party: str) -> Party:
    """Somebody who is not in people.yaml any more; delivery will tell `default` instead."""
    return Party.model_construct(
        id=party, name=party, kind="person", email="", time_zone="UTC", locale="en"
    )
