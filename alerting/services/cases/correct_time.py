"""Corrections of wrong times: one proposes, a manager is asked, somebody else approves."""

from datetime import datetime

from alerting.database.audit import audit_entries
from alerting.database.cases import case_records, cases
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.people import staff_facts
from alerting.database.rows.cases import AttemptRow, CorrectionRow
from alerting.domain.audit.entries import Action
from alerting.domain.cases.cases import Case, Decision
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.corrections import (
    Call,
    Corrected,
    Correction,
    OnRecord,
    decide,
    propose,
    removed_at,
)
from alerting.domain.errors import ActionRefused
from alerting.domain.mail.notifications import NewNotification
from alerting.domain.templates import Template
from alerting.services.cases.grade_contacts import prove
from alerting.services.cases.load_clocks import clocks_of, complaints_of
from alerting.services.cases.respond import Actor, must_be_a_person, respond
from alerting.services.context import Context


def propose_correction(
    ctx: Context,
    case_id: int,
    actor: Actor,
    what: Corrected,
    becomes: datetime,
    reason: str,
    subject: int | None = None,
) -> int:
    """Put a correction on record and ask the proposer's manager, or `default`; returns its number.

    `subject` is the number of a call, or of the cycle whose cause it is about; without it the last
    call that reached the customer is meant, and the present cycle.
    """
    numbers: list[int] = []

    def given(tx: Transaction, case: Case) -> Correction:
        if what is Corrected.CONTACT:
            attempt = _attempt(tx, case, subject)
            number, was = attempt.id, attempt.happened_at
        else:
            number = subject or case.cycle
            was = removed_at(case, clocks_of(tx, ctx, case.id), number)
        return Correction(
            id=None,
            what=what,
            subject=number,
            was=was,
            becomes=becomes,
            reason=reason,
            by=actor.party,
        )

    def act(tx: Transaction, case: Case, clocks: list[Clock], now: datetime) -> Decision:
        return propose(case, given(tx, case), complaints_of(tx, ctx, case, clocks), now)

    def remember(tx: Transaction, case: Case, now: datetime) -> None:
        numbers[:] = [case_records.add_correction(tx, case.id, given(tx, case), now)]
        _ask(tx, ctx, case, numbers[0], actor.party, now)

    respond(ctx, case_id, actor, None, act, remember)
    return numbers[0]


def decide_correction(ctx: Context, number: int, actor: Actor, approved: bool) -> Case:
    """Approve a correction, or decline it. Raises ActionRefused for one that is decided, or one's
    own.
    """
    with ctx.db.read() as tx:
        row = case_records.correction_by_id(tx, number)
    if row is None:
        raise ActionRefused(f"there is no correction {number}")

    def act(tx: Transaction, case: Case, clocks: list[Clock], now: datetime) -> Decision:
        found = case_records.correction_by_id(tx, number)
        assert found is not None, "corrections are never deleted"
        if found.decided_at is not None:
            raise ActionRefused(f"correction {number} is decided already")
        must_be_a_person(tx, actor.party, now)
        record = _record(tx, ctx, case, clocks, found.subject)
        return decide(case, clocks, _correction(found), record, actor.party, approved, now)

    def remember(tx: Transaction, case: Case, now: datetime) -> None:
        case_records.settle_correction(tx, number, actor.party, approved, now)
        if approved and row.what == Corrected.CONTACT and row.subject is not None:
            case_records.correct_attempt(tx, row.subject, row.becomes)
            prove(tx, [case.customer_key], row.becomes, row.becomes)

    return respond(ctx, row.case_id, actor, None, act, remember)


def _record(
    tx: Transaction, ctx: Context, case: Case, clocks: list[Clock], subject: int | None
) -> OnRecord:
    attempts = cases.attempts_of(tx, case.id)
    calls = [
        Call(id=a.id, cycle=a.cycle, happened_at=a.happened_at, reached=a.reached) for a in attempts
    ]
    cycle = next(
        (call.cycle for call in calls if call.id == subject), case.cycle
    )  # of a cause none is needed
    return OnRecord(
        calls=calls,
        complaints=complaints_of(tx, ctx, case, clocks),
        taken_at=_taken_at(tx, case.id, cycle),
        policies=ctx.shelf.active(tx).policies,
        may_open=_may_open(tx, case),
    )


def _may_open(tx: Transaction, case: Case) -> bool:
    """Not whose customer was forgotten, nor beside another open case of the same customer."""
    others = cases.unresolved_cases(tx, [case.customer_key])
    return (
        case.forgotten_at is None
        and case.withdrawn_at is None
        and all(o.id == case.id for o in others.values())
    )


def _taken_at(tx: Transaction, case_id: int, cycle: int) -> list[datetime]:
    """When somebody said to call in a cycle and a promise was kept by that, as the audit knows."""
    present, found = 1, []
    for entry in audit_entries.entries_of(tx, "case", str(case_id), personal_values=False):
        if entry.action == Action.CASE_REOPENED:
            present = entry.facts.number("cycle")
        said = entry.action in {Action.CASE_ACKNOWLEDGED, Action.CASE_WAITING}
        if present == cycle and said and entry.facts.get("clocks"):
            found.append(entry.happened_at)
    return found


def _correction(row: CorrectionRow) -> Correction:
    return Correction(
        id=row.id,
        what=Corrected(row.what),
        subject=row.subject,
        was=row.was,
        becomes=row.becomes,
        reason=row.reason,
        by=row.by,
    )


def _attempt(tx: Transaction, case: Case, number: int | None) -> AttemptRow:
    attempts = cases.attempts_of(tx, case.id)
    reached = [attempt for attempt in attempts if attempt.reached]
    if number is None:
        if not reached:
            raise ActionRefused(
                f"nobody has reached the customer of {case.number}; there is no time to correct"
            )
        return reached[-1]
    found = next((attempt for attempt in attempts if attempt.id == number), None)
    if found is None:
        known = ", ".join(str(attempt.id) for attempt in attempts) or "none"
        raise ActionRefused(f"{case.number} has no call {number}; it has {known}")
    return found


def _ask(
    tx: Transaction, ctx: Context, case: Case, number: int, proposer: str, now: datetime
) -> None:
    approver = _approver(tx, ctx, proposer, now)
    if approver is None:
        return
    data = {"correction": number, "by": proposer}
    note = NewNotification(
        cause_kind="correction",
        cause_id=number,
        recipient=approver,
        template=Template.CORRECTION,
        data=data,
    )
    notifications.add(tx, case.id, case.customer_key, [note], ctx.mail_domain, now)


def _approver(tx: Transaction, ctx: Context, proposer: str, now: datetime) -> str | None:
    """The first manager who is here, or whoever answers for the rest; None where that is the
    proposer.
    """
    staff = staff_facts.staff_at(tx, now)
    party = staff.get(proposer)
    for boss in staff.bosses(party) if party is not None else ():
        answer = staff.ask(boss)
        if answer.party is not None and answer.party.id != proposer:
            return answer.party.id
    role = ctx.shelf.active(tx).routing.roles.get("default")
    return role.person if role is not None and role.person != proposer else None
