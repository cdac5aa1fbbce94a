"""Clocks of cases, and the ledger of what happened to them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update

from alerting.database.engine import Transaction
from alerting.database.rows.cases import ClockRow
from alerting.database.tables import case_file, clock, clock_entry
from alerting.domain.cases.cases import Case
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.sla import ClockKind
from alerting.domain.times.working_time import stored_amount

_MICROSECOND = timedelta(microseconds=1)


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
        pauses=tuple((read_instant(begin), read_instant(end)) for begin, end in row.pauses),
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


def read_instant(text: str) -> datetime:
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
