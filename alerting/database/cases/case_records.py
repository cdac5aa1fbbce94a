"""What is kept about the work on a case: waits, corrections of wrong times, effectiveness
reviews.
"""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import func, select, update

from alerting.database.engine import Transaction
from alerting.database.rows.cases import AttemptOfCustomer, CorrectionRow, EffectReviewRow, WaitRow
from alerting.database.rows.rules import ComplaintRow
from alerting.database.sets import among
from alerting.database.tables import (
    alert,
    case_file,
    check_answer,
    contact_attempt,
    correction,
    effectiveness_review,
    event,
    resolution,
    wait,
)
from alerting.domain.cases.cases import Case, Ended, Wait
from alerting.domain.cases.corrections import Correction
from alerting.domain.cases.resolutions import Resolution


def add_wait(tx: Transaction, case_id: int, cycle: int, begun: Wait, now: datetime) -> None:
    values = {
        "waiting_for": begun.waiting_for.value,
        "by": begun.by,
        "reason": begun.reason,
        "until": begun.until,
    }
    tx.execute(wait.insert().values(case_id=case_id, cycle=cycle, began_at=now, **values))


def end_wait(tx: Transaction, case_id: int, ended: Ended) -> None:
    this = (wait.c.case_id == case_id, wait.c.ended_at.is_(None))
    tx.execute(update(wait).where(*this).values(ended_at=ended.at, ended_by=ended.because))


def waits_of(tx: Transaction, case_id: int) -> list[WaitRow]:
    """Every wait of a case, oldest first; the last may go on."""
    return tx.rows(WaitRow, select(wait).where(wait.c.case_id == case_id).order_by(wait.c.id))


def keep_resolution(tx: Transaction, case: Case, given: Resolution) -> None:
    """What the present cycle ended with: it stays when the case opens again."""
    said = {
        "root_cause": given.root_cause,
        "action": given.action,
        "corrective_action": given.corrective_action,
    }
    upsert = tx.insert(resolution).values(case_id=case.id, cycle=case.cycle, **said)
    tx.execute(upsert.on_conflict_do_update(index_elements=["case_id", "cycle"], set_=said))


def add_check_answer(
    tx: Transaction, case: Case, event_seq: int, rulebook: str, now: datetime
) -> None:
    """A negative answer to the check survey opens the case again; `case` is the one before."""
    said = {"rule": case.rule, "severity": case.severity, "rulebook": rulebook}
    tx.execute(
        check_answer.insert().values(case_id=case.id, event_seq=event_seq, recorded_at=now, **said)
    )


def check_complaints(tx: Transaction, case: Case) -> list[ComplaintRow]:
    """Answers to a check survey that opened the case again, as its alerts are read, oldest
    first.
    """
    a, e = check_answer.c, event.c
    columns = (
        a.event_seq,
        a.rule,
        a.severity,
        a.rulebook,
        a.recorded_at.label("raised_at"),
        sa.literal(0).label("id"),
    )
    of_event = (e.payload, e.time, e.received_at, e.type, e.source, e.id.label("event_id"))
    joined = check_answer.join(event, e.seq == a.event_seq)
    statement = select(*columns, *of_event).select_from(joined).where(a.case_id == case.id)
    return tx.rows(ComplaintRow, statement.order_by(a.event_seq))


def add_correction(tx: Transaction, case_id: int, given: Correction, now: datetime) -> int:
    """Returns its number."""
    values = {name: value for name, value in vars(given).items() if name != "id"}
    statement = correction.insert().values(
        case_id=case_id, proposed_at=now, **{**values, "what": given.what.value}
    )
    return tx.execute(statement.returning(correction.c.id)).scalar_one()  # type: ignore[no-any-return]


def correction_by_id(tx: Transaction, number: int) -> CorrectionRow | None:
    return tx.first(CorrectionRow, select(correction).where(correction.c.id == number))


def corrections_of(tx: Transaction, case_ids: Iterable[int] | None = None) -> list[CorrectionRow]:
    """Of these cases, oldest first; without any those of all cases that nobody has decided."""
    wanted = (
        correction.c.decided_at.is_(None)
        if case_ids is None
        else correction.c.case_id.in_(list(case_ids))
    )
    return tx.rows(CorrectionRow, select(correction).where(wanted).order_by(correction.c.id))


def settle_correction(tx: Transaction, number: int, by: str, approved: bool, now: datetime) -> bool:
    """False where somebody has decided it already."""
    waiting = (correction.c.id == number, correction.c.decided_at.is_(None))
    decided = {"decided_at": now, "decided_by": by, "approved": approved}
    return tx.execute(update(correction).where(*waiting).values(**decided)).rowcount == 1


def correct_attempt(tx: Transaction, attempt_id: int, moment: datetime) -> None:
    """What stood there before stays in the correction."""
    tx.execute(
        update(contact_attempt).where(contact_attempt.c.id == attempt_id).values(happened_at=moment)
    )


def contacts_near(
    tx: Transaction, keys: Iterable[str], begin: datetime, end: datetime
) -> list[AttemptOfCustomer]:
    """Of these customers the attempts that reached them, happened in [begin, end]: each with its
    customer, and `since` when he complained.
    """
    a, c = contact_attempt.c, case_file.c
    of_case = event.join(alert, alert.c.event_seq == event.c.seq)
    first = (
        select(func.min(event.c.time))
        .select_from(of_case)
        .where(alert.c.case_id == a.case_id)
        .scalar_subquery()
    )
    joined = select(contact_attempt, c.customer_key, first.label("since")).join(
        case_file, c.id == a.case_id
    )
    mine = (
        among(tx, c.customer_key, sorted(set(keys))),
        a.reached,
        a.happened_at.between(begin, end),
    )
    return tx.rows(AttemptOfCustomer, joined.where(*mine).order_by(a.id))


def keep_grade(tx: Transaction, attempt_id: int, grade: str | None) -> None:
    tx.execute(
        update(contact_attempt).where(contact_attempt.c.id == attempt_id).values(grade=grade)
    )


def ask_for_review(tx: Transaction, case: Case, due: datetime) -> None:
    row = {"case_id": case.id, "cycle": case.cycle, "due_at": due}
    tx.execute(tx.insert(effectiveness_review).values(**row).on_conflict_do_nothing())


def keep_review(
    tx: Transaction, case: Case, by: str, effective: bool, note: str, now: datetime
) -> None:
    """Of the case's present cycle; whoever looks again replaces what was said before."""
    said = {"done_at": now, "by": by, "effective": effective, "note": note}
    upsert = tx.insert(effectiveness_review).values(
        case_id=case.id, cycle=case.cycle, due_at=now, **said
    )
    tx.execute(upsert.on_conflict_do_update(index_elements=["case_id", "cycle"], set_=said))


def reviews_of(tx: Transaction, case_id: int) -> list[EffectReviewRow]:
    statement = select(effectiveness_review).where(effectiveness_review.c.case_id == case_id)
    return tx.rows(EffectReviewRow, statement.order_by(effectiveness_review.c.cycle))
