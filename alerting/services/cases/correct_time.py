"""Corrections of wrong times: one proposes, a manager is asked, somebody else approves."""

from dataclasses import dataclass
from datetime import datetime

from alerting.database.cases import case_records
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.rows.cases import CorrectionRow
from alerting.domain.cases.case_file import CaseFile
from alerting.domain.cases.cases import Case, Decision
from alerting.domain.cases.corrections import (
    Corrected,
    Correction,
    Verdict,
    call_to_correct,
    decide,
    propose,
    removed_at,
)
from alerting.domain.errors import ActionRefused
from alerting.domain.mail.notifications import NewNotification
from alerting.domain.routing.staff import Staff
from alerting.domain.templates import Template
from alerting.services.cases.grade_contacts import prove
from alerting.services.cases.respond import Actor, respond
from alerting.services.context import Context


@dataclass(frozen=True, kw_only=True)
class WrongTime:
    """A time somebody holds to be wrong, what it should be, and how he knows.

    `subject` is the number of a call, or of the cycle whose cause it is about; without it the last
    call that reached the customer is meant, and the present cycle.
    """

    what: Corrected
    becomes: datetime
    reason: str
    subject: int | None = None


def propose_correction(ctx: Context, case_id: int, actor: Actor, wrong: WrongTime) -> int:
    """Put a correction on record and ask the proposer's manager, or `default`; returns its
    number.
    """
    numbers: list[int] = []

    def given(file: CaseFile) -> Correction:
        if wrong.what is Corrected.CONTACT:
            call = call_to_correct(file.case, file.calls, wrong.subject)
            number, was = call.id, call.happened_at
        else:
            number = wrong.subject or file.case.cycle
            was = removed_at(file.case, file.clocks, number)
        return Correction(
            id=None,
            what=wrong.what,
            subject=number,
            was=was,
            becomes=wrong.becomes,
            reason=wrong.reason,
            by=actor.party,
        )

    def act(file: CaseFile) -> Decision:
        return propose(file.case, given(file), file.complaints, file.now)

    def remember(tx: Transaction, file: CaseFile) -> None:
        number = case_records.add_correction(tx, file.case.id, given(file), file.now)
        _ask(tx, ctx, file, number, actor.party)
        numbers[:] = [number]

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
    if row.decided_at is not None:
        raise ActionRefused(f"correction {number} is decided already")
    given, by = _correction(row), actor.party

    def act(file: CaseFile) -> Decision:
        file.check_person(by)
        record = file.on_record(given.subject)
        return decide(file.case, file.clocks, given, record, Verdict(by, approved), file.now)

    def remember(tx: Transaction, file: CaseFile) -> None:
        if not case_records.settle_correction(tx, number, by, approved, file.now):
            raise ActionRefused(f"correction {number} is decided already")
        if approved and given.what is Corrected.CONTACT and given.subject is not None:
            case_records.correct_attempt(tx, given.subject, given.becomes)
            prove(tx, [file.case.customer_key], given.becomes, given.becomes)

    return respond(ctx, row.case_id, actor, None, act, remember)


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


def _ask(tx: Transaction, ctx: Context, file: CaseFile, number: int, proposer: str) -> None:
    approver = _approver(tx, ctx, file.staff, proposer)
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
    case = file.case
    notifications.add(tx, case.id, case.customer_key, [note], ctx.mail_domain, file.now)


def _approver(tx: Transaction, ctx: Context, staff: Staff, proposer: str) -> str | None:
    """The first manager who is here, or whoever answers for the rest; None where that is the
    proposer.
    """
    party = staff.get(proposer)
    for boss in staff.bosses(party) if party is not None else ():
        answer = staff.ask(boss)
        if answer.party is not None and answer.party.id != proposer:
            return answer.party.id
    role = ctx.shelf.active(tx).routing.roles.get("default")
    return role.person if role is not None and role.person != proposer else None
