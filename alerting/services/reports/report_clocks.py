"""The clocks behind a figure: a row for each, with everything the figures are made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from alerting.database.cases import case_clocks
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.database.reports import report_promises as promises
from alerting.database.reports import single_clocks
from alerting.database.rows.cases import ClockRow, ClockWithCase
from alerting.domain.reports.selection import Selection
from alerting.domain.times.calendars import Calendar
from alerting.domain.times.working_time import working_time
from alerting.services.cases.load_case import target_of
from alerting.services.context import Context

SHOWN = 200
"""Clocks a page lists; the exports have all."""

COLUMNS: Mapping[str, type] = {
    "case": str,
    "cycle": int,
    "clock": str,
    "plan": int,
    "state": str,
    "customer_id": str,
    "customer": str,
    "segment": str,
    "rule": str,
    "policy": str,
    "target": str,
    "calendar": str,
    "person_id": str,
    "person": str,
    "started_at": datetime,
    "due_at": datetime,
    "stopped_at": datetime,
    "felt_seconds": float,
    "working_seconds": float,
    "paused_seconds": float,
    "over_seconds": float,
    "severity": str,
    "case_status": str,
    "root_cause": str,
    "action": str,
    "corrective_action": str,
    "rulebook": str,
}
"""Of an export, in their order; what is not known is None."""

_PAGE = 1_000
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """The first clocks of those that are meant, and how many there are."""

    total: int
    rows: Sequence[Mapping[str, object]]
    now: datetime


def clock_rows(ctx: Context, which: Selection) -> Iterator[Mapping[str, object]]:
    """A row for each selected clock, by case; instants are aware, durations seconds. Those that are
    open carry their felt time so far, and the working time so far where they are overdue: they
    count as missed with it.
    """
    with ctx.db.read() as tx:
        now = tx.now()
        staff = staff_facts.staff_at(tx, now)
        which = which.of_teams(staff.members())
        so_far = worked_so_far(tx, ctx, promises.overdue_clocks(tx, which, now), now)
        found = single_clocks.every_clock(tx, which, now)
        while page := list(islice(found, _PAGE)):
            histories = customers.histories(tx, sorted({row.customer_key for row in page}))
            for row in page:
                person = staff.get(row.party)
                name = histories[row.customer_key].as_of(now).name
                worked = so_far.get((row.case_id, row.cycle, row.kind, row.plan))
                yield _row(row, name, person.name if person else row.party, now, worked)


def clocks_behind(ctx: Context, which: Selection, states: Sequence[str]) -> Clocks:
    """The clocks in one of these states, the last ones due first."""
    with ctx.db.read() as tx:
        now = tx.now()
        staff = staff_facts.staff_at(tx, now)
        total, page = single_clocks.some_clocks(
            tx, which.of_teams(staff.members()), now, states, SHOWN
        )
        histories = customers.histories(tx, sorted({row.customer_key for row in page}))
        rows = []
        for row in page:
            person = staff.get(row.party)
            name = histories[row.customer_key].as_of(now).name
            shown = _row(row, name, person.name if person else row.party, now, None)
            felt = (row.stopped_at or now) - row.started_at
            worked = None if row.worked is None else timedelta(microseconds=row.worked)
            rows.append({**shown, "case_id": row.case_id, "felt": felt, "worked": worked})
    return Clocks(total=total, rows=rows, now=now)


def worked_so_far(
    tx: Transaction, ctx: Context, overdue: Iterable[ClockRow], now: datetime
) -> dict[promises.ClockId, timedelta]:
    """The working time of these clocks, each by the calendar it runs by."""
    calendars: dict[tuple[str, ...], Calendar] = {}
    active, found = ctx.shelf.active(tx), {}
    for row in overdue:
        clock = case_clocks.read_clock(row)
        by = (row.rulebook, row.policy, row.kind, row.calendar, row.within, row.by)
        if by not in calendars:
            calendars[by] = target_of(tx, ctx, clock, active).calendar
        worked = working_time(calendars[by], clock.started_at, now, clock.pauses)
        found[(row.case_id, row.cycle, row.kind, row.plan)] = worked
    return found


def _row(
    row: ClockWithCase, customer: str, person: str, now: datetime, so_far: timedelta | None
) -> dict[str, object]:
    worked = so_far if row.worked is None else row.worked * _MICROSECOND
    until = row.stopped_at or now
    paused = sum((_instant(end) - _instant(begin) for begin, end in row.pauses), timedelta(0))
    paused += now - row.paused_at if row.paused_at else timedelta(0)
    measured = row.state in promises.MEASURED
    values = (
        f"C-{row.case_id}",
        row.cycle,
        row.kind,
        row.plan,
        row.state,
        row.customer_key,
        customer,
        row.segment,
        row.rule,
        row.policy,
        row.within,
        row.calendar,
        row.party,
        person,
        row.started_at,
        row.due_at,
        row.stopped_at,
        (until - row.started_at).total_seconds(),
        None if worked is None else worked.total_seconds(),
        paused.total_seconds(),
        (until - row.due_at).total_seconds() if measured and until > row.due_at else 0.0,
        row.severity,
        row.status,
        row.root_cause,
        row.action,
        row.corrective_action,
        row.rulebook,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
