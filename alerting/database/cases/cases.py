"""Cases, their clocks with the ledger, attempts to reach the customer, and alerts."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from alerting.database.engine import Transaction
from alerting.database.rows.cases import AttemptRow, CaseRow, ClockRow
from alerting.database.sets import among
from alerting.database.tables import (
    alert,
    case_file,
    clock,
    clock_entry,
    contact_attempt,
    forgotten,
    notification,
    timer,
)
from alerting.domain.cases.cases import Attempt, Case, NewCase, Status
from alerting.domain.cases.clocks import Clock, Starts
from alerting.domain.cases.sla import ClockKind, WaitingFor
from alerting.domain.times.working_time import stored_amount

_MICROSECOND = timedelta(microseconds=1)


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
            (WaitingFor(who), _instant(begin), _instant(end)) for who, begin, end in row.waits
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


def read_clock(row: ClockRow) -> Clock:
    """A row of `clock`; what it runs by is looked up by services."""
    return Clock(
        kind=ClockKind(row.kind),
        cycle=row.cycle,
        plan=row.plan,
        by=row.by,
        policy=row.policy,
        started_at=row.started_at,
        due_at=row.due_at,
        stopped_at=row.stopped_at,
        missed_at=row.missed_at,
        superseded_at=row.superseded_at,
        within=stored_amount(row.within),
        calendar=row.calendar,
        rulebook=row.rulebook,
        paused_at=row.paused_at,
        resumes=row.resumes,
        pauses=tuple((_instant(begin), _instant(end)) for begin, end in row.pauses),
        worked=None if row.worked is None else timedelta(microseconds=row.worked),
    )


def clocks_of(tx: Transaction, case_ids: Iterable[int]) -> dict[int, list[Clock]]:
    """All plans of all clocks of these cases, superseded ones included."""
    found: dict[int, list[Clock]] = {case_id: [] for case_id in case_ids}
    mine = select(clock).where(clock.c.case_id.in_(sorted(found)))
    for row in tx.rows(ClockRow, mine.order_by(clock.c.cycle, clock.c.plan)):
        found[row.case_id].append(read_clock(row))
    return found


def parties_of(tx: Transaction, case_id: int) -> dict[str, str]:
    """Who owes each of a case's clocks, or had it when it stopped or was missed, by the clock's
    key.
    """
    k = clock.c
    rows = tx.execute(select(k.cycle, k.kind, k.plan, k.party).where(k.case_id == case_id))
    return {f"{row.cycle}.{row.kind}.{row.plan}": row.party for row in rows}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def save_clock(
    tx: Transaction, case: Case, case_id: int, changed: Clock, what: str, now: datetime
) -> None:
    """Write a clock's present state and append what happened to its ledger, `what`."""
    party = case.caller if changed.by == "caller" else (case.fixer or case.caller)
    identity = {
        "case_id": case_id,
        "cycle": changed.cycle,
        "kind": changed.kind.value,
        "plan": changed.plan,
    }
    state = {**_clock_state(changed), "party": party}
    upsert = tx.insert(clock).values(**identity, **state)
    stays = what == "corrected" or (changed.missed_at is not None and what != "missed")
    kept = {"party"} if stays else set()  # whoever kept or missed it, kept or missed it
    changes = {name: value for name, value in state.items() if name not in kept}
    tx.execute(upsert.on_conflict_do_update(index_elements=list(identity), set_=changes))
    common = {
        "recorded_at": now,
        "due_at": changed.due_at,
        "party": party,
        "policy": changed.policy,
    }
    told = _ledger(changed, what, now)
    rows = [{**identity, **common, "what": name, "happened_at": at} for name, at in told]
    tx.execute(clock_entry.insert(), rows)


def _clock_state(changed: Clock) -> dict[str, object]:
    """What a clock's row says, but for whose it is."""
    stopped = changed.stopped_at
    felt = None if stopped is None else (stopped - changed.started_at) // _MICROSECOND
    return {
        "by": changed.by,
        "policy": changed.policy,
        "started_at": changed.started_at,
        "due_at": changed.due_at,
        "stopped_at": stopped,
        "missed_at": changed.missed_at,
        "superseded_at": changed.superseded_at,
        "within": str(changed.within),
        "calendar": changed.calendar,
        "rulebook": changed.rulebook,
        "paused_at": changed.paused_at,
        "resumes": changed.resumes,
        "pauses": [[begin.isoformat(), end.isoformat()] for begin, end in changed.pauses],
        "felt": felt,
        "worked": None if changed.worked is None else changed.worked // _MICROSECOND,
    }


def _ledger(changed: Clock, what: str, now: datetime) -> list[tuple[str, datetime | None]]:
    """What happened to a clock, and when. A plan that begins in the middle of a case has stood
    still as the one before did.
    """
    happened = {
        "started": changed.started_at,
        "paused": changed.paused_at,
        "resumed": changed.pauses[-1][1] if changed.pauses else now,
        "corrected": changed.stopped_at,
        "stopped": changed.stopped_at,
        "missed": changed.missed_at,
        "superseded": changed.superseded_at,
    }
    told = [(what, happened[what])]
    if what == "started":
        for begin, end in changed.pauses:
            told += [("paused", begin), ("resumed", end)]
    return told


def reassign_clocks(tx: Transaction, case_id: int, case: Case) -> None:
    """Running clocks count for who holds the case now; what was missed before counts for who had it
    then.
    """
    for duty, party in (("caller", case.caller), ("fixer", case.fixer)):
        running = (
            clock.c.case_id == case_id,
            clock.c.by == duty,
            clock.c.stopped_at.is_(None),
            clock.c.missed_at.is_(None),
        )
        if party is not None:
            tx.execute(
                update(clock).where(*running, clock.c.cycle == case.cycle).values(party=party)
            )


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


def running_otherwise(
    tx: Transaction, policies: Sequence[str], rulebook: str
) -> list[tuple[int, str]]:
    """Cases with a running clock of these policies that was started under another rulebook: number
    and customer.
    """
    running = (
        clock.c.stopped_at.is_(None),
        clock.c.superseded_at.is_(None),
        clock.c.missed_at.is_(None),
    )
    chosen = select(case_file.c.id, case_file.c.customer_key).join(
        clock, clock.c.case_id == case_file.c.id
    )
    chosen = chosen.where(*running, clock.c.policy.in_(policies), clock.c.rulebook != rulebook)
    return [
        (row.id, row.customer_key) for row in tx.execute(chosen.distinct().order_by(case_file.c.id))
    ]


def open_count(tx: Transaction) -> int:
    statement = (
        select(func.count())
        .select_from(case_file)
        .where(case_file.c.status != Status.RESOLVED.value)
    )
    return int(tx.execute(statement).scalar_one())
