"""Cases, their clocks with the ledger, attempts to reach the customer, and alerts."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select, update

from alerting.database.cases.case_clocks import read_instant
from alerting.database.engine import Transaction
from alerting.database.rows.cases import AttemptRow, CaseRow
from alerting.database.sets import among
from alerting.database.tables import (
    alert,
    case_file,
    contact_attempt,
    forgotten,
    notification,
    timer,
)
from alerting.domain.cases.cases import Attempt, Case, NewCase, Status
from alerting.domain.cases.clocks import Starts
from alerting.domain.cases.sla import WaitingFor


def case_by_id(tx: Transaction, case_id: int) -> Case | None:
    row = tx.first(CaseRow, select(case_file).where(case_file.c.id == case_id))
    return _case(row) if row else None


def cases_by_id(tx: Transaction, case_ids: Iterable[int]) -> dict[int, Case]:
    """The cases of these numbers."""
    chosen = select(case_file).where(among(tx, case_file.c.id, sorted(set(case_ids))))
    rows = tx.rows(CaseRow, chosen)
    return {row.id: _case(row) for row in rows}


def customer_of_case(tx: Transaction, case_id: int) -> str | None:
    """Whose lock a change of this case needs."""
    return tx.execute(select(case_file.c.customer_key).where(case_file.c.id == case_id)).scalar()


def unresolved_cases(tx: Transaction, keys: Iterable[str]) -> dict[str, Case]:
    """The one unresolved case of each customer that has one."""
    wanted = sorted(set(keys))
    unresolved = (case_file.c.customer_key.in_(wanted), case_file.c.status != Status.RESOLVED.value)
    rows = tx.rows(CaseRow, select(case_file).where(*unresolved))
    return {row.customer_key: _case(row) for row in rows}


def last_resolved(tx: Transaction, customer_key: str) -> Case | None:
    """The case of a customer that ended last, and was not withdrawn; None while one is unresolved,
    and for whom was forgotten since.
    """
    c = case_file.c
    last = (
        select(case_file)
        .where(c.customer_key == customer_key, c.withdrawn_at.is_(None))
        .order_by(c.id.desc())
    )
    row = tx.first(CaseRow, last.limit(1))
    if row is None or row.status != Status.RESOLVED.value:
        return None
    until = tx.execute(
        select(forgotten.c.until).where(forgotten.c.customer_key == customer_key)
    ).scalar()
    return None if until is not None and row.resolved_at <= until else _case(row)


def answered_until(tx: Transaction, customer_key: str) -> datetime | None:
    """The latest call that reached this customer, in whichever case."""
    statement = select(func.max(case_file.c.answered_until)).where(
        case_file.c.customer_key == customer_key
    )
    return tx.execute(statement).scalar()


def _case(row: CaseRow) -> Case:
    return Case(
        id=row.id,
        customer_key=row.customer_key,
        cycle=row.cycle,
        status=Status(row.status),
        severity=row.severity,
        segment=row.segment,
        territory=row.territory,
        rule=row.rule,
        policy=row.policy,
        caller=row.caller,
        fixer=row.fixer,
        informed=tuple(row.informed),
        assignment=row.assignment,
        starts=Starts(
            customer_sent=row.customer_sent_at, received=row.received_at, case_opened=row.opened_at
        ),
        acknowledged_at=row.acknowledged_at,
        contacted_at=row.contacted_at,
        answered_until=row.answered_until,
        cause_removed_at=row.cause_removed_at,
        resolved_at=row.resolved_at,
        withdrawn_at=row.withdrawn_at,
        forgotten_at=row.forgotten_at,
        waiting_since=row.waiting_since,
        waiting_for=WaitingFor(row.waiting_for) if row.waiting_for else None,
        waiting_until=row.waiting_until,
        waits=tuple(
            (WaitingFor(who), read_instant(begin), read_instant(end))
            for who, begin, end in row.waits
        ),
        revision=row.revision,
        root_cause=row.root_cause,
        action=row.action,
        corrective_action=row.corrective_action,
    )


def add_case(tx: Transaction, case: NewCase) -> int:
    """Returns the case's number."""
    opening = case_file.insert().values(**_values(case), opened_at=case.starts.case_opened)
    return int(tx.execute(opening.returning(case_file.c.id)).scalar_one())


def save_case(tx: Transaction, case: Case) -> None:
    tx.execute(update(case_file).where(case_file.c.id == case.id).values(**_values(case)))


def _values(case: NewCase) -> dict[str, object]:
    return {
        "customer_key": case.customer_key,
        "cycle": case.cycle,
        "status": case.status.value,
        "severity": case.severity,
        "segment": case.segment,
        "territory": case.territory,
        "rule": case.rule,
        "policy": case.policy,
        "caller": case.caller,
        "fixer": case.fixer,
        "informed": list(case.informed),
        "assignment": case.assignment,
        "customer_sent_at": case.starts.customer_sent,
        "received_at": case.starts.received,
        "acknowledged_at": case.acknowledged_at,
        "contacted_at": case.contacted_at,
        "answered_until": case.answered_until,
        "cause_removed_at": case.cause_removed_at,
        "resolved_at": case.resolved_at,
        "withdrawn_at": case.withdrawn_at,
        "forgotten_at": case.forgotten_at,
        "waiting_since": case.waiting_since,
        "waiting_for": case.waiting_for.value if case.waiting_for else None,
        "waiting_until": case.waiting_until,
        "waits": [
            [who.value, begin.isoformat(), end.isoformat()] for who, begin, end in case.waits
        ],
        "revision": case.revision + 1,
        "root_cause": case.root_cause,
        "action": case.action,
        "corrective_action": case.corrective_action,
    }


def add_attempt(tx: Transaction, case: Case, attempt: Attempt, now: datetime) -> None:
    tx.execute(
        contact_attempt.insert().values(
            case_id=case.id,
            cycle=case.cycle,
            by=attempt.by,
            channel=attempt.channel,
            outcome=attempt.outcome,
            reached=attempt.reached,
            happened_at=attempt.happened_at,
            recorded_at=now,
            note=attempt.note,
        )
    )


def waiting_cases(tx: Transaction, keys: Iterable[str]) -> dict[str, Case]:
    """Of these customers those whose case waits."""
    waiting = (
        among(tx, case_file.c.customer_key, sorted(set(keys))),
        case_file.c.waiting_since.is_not(None),
    )
    return {
        row.customer_key: _case(row) for row in tx.rows(CaseRow, select(case_file).where(*waiting))
    }


def attempts_of(tx: Transaction, case_id: int) -> list[AttemptRow]:
    statement = select(contact_attempt).where(contact_attempt.c.case_id == case_id)
    return tx.rows(
        AttemptRow, statement.order_by(contact_attempt.c.happened_at, contact_attempt.c.id)
    )


def move_case(tx: Transaction, case_id: int, customer_key: str) -> None:
    """The case with all that hangs from it is another customer's; both are locked, and that one has
    no unresolved case.
    """
    for table, mine in (
        (case_file, case_file.c.id == case_id),
        (alert, alert.c.case_id == case_id),
        (timer, timer.c.subject == case_id),
        (notification, notification.c.case_id == case_id),
    ):
        tx.execute(update(table).where(mine).values(customer_key=customer_key))


def list_cases(tx: Transaction, *, status: str | None = None, limit: int = 200) -> list[CaseRow]:
    """Cases, newest first; `status` may be `unresolved` or one of the statuses."""
    statement = select(case_file).order_by(case_file.c.id.desc()).limit(limit)
    if status == "unresolved":
        statement = statement.where(case_file.c.status != Status.RESOLVED.value)
    elif status == Status.WAITING.value:
        statement = statement.where(case_file.c.waiting_since.is_not(None))
    elif status:
        statement = statement.where(
            case_file.c.status == status, case_file.c.waiting_since.is_(None)
        )
    return tx.rows(CaseRow, statement)


def opened_between(tx: Transaction, begin: datetime, end: datetime) -> list[int]:
    """The numbers of the cases opened in [begin, end)."""
    c = case_file.c
    return list(
        tx.execute(
            select(c.id).where(c.opened_at >= begin, c.opened_at < end).order_by(c.id)
        ).scalars()
    )


def open_count(tx: Transaction) -> int:
    statement = (
        select(func.count())
        .select_from(case_file)
        .where(case_file.c.status != Status.RESOLVED.value)
    )
    return int(tx.execute(statement).scalar_one())
