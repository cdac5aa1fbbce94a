"""The clocks behind a figure: a row for each, with everything the figures are made of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerting.database import customers, staffing
from alerting.database import report_promises as promises
from alerting.domain.selection import Selection
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


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """The first clocks of those that are meant, and how many there are."""

    total: int
    rows: Sequence[Mapping[str, Any]]
    now: datetime


def clock_rows(ctx: Context, which: Selection) -> Iterator[Mapping[str, Any]]:
    """A row for each selected clock, by case; instants are aware, durations seconds. Those that are open carry their
    felt time so far and no working time."""
    with ctx.db.read() as tx:
        now = tx.now()
        staff, found = staffing.staff_at(tx, now), promises.every_clock(tx, which, now)
        while page := found.fetchmany(_PAGE):
            histories = customers.histories(tx, sorted({row.customer_key for row in page}))
            for row in page:
                person = staff.get(row.party)
                name = histories[row.customer_key].as_of(now).name
                yield _row(row, name, person.name if person else row.party, now)


def clocks_behind(ctx: Context, which: Selection, states: Sequence[str]) -> Clocks:
    """The clocks in one of these states, the last ones due first."""
    with ctx.db.read() as tx:
        now = tx.now()
        staff = staffing.staff_at(tx, now)
        total, page = promises.some_clocks(tx, which, now, states, SHOWN)
        histories = customers.histories(tx, sorted({row.customer_key for row in page}))
        rows = []
        for row in page:
            person = staff.get(row.party)
            name = histories[row.customer_key].as_of(now).name
            shown = _row(row, name, person.name if person else row.party, now)
            felt = timedelta(seconds=shown["felt_seconds"])
            worked = None if row.worked is None else timedelta(microseconds=row.worked)
            rows.append({**shown, "case_id": row.case_id, "felt": felt, "worked": worked})
    return Clocks(total=total, rows=rows, now=now)


def _row(row: Any, customer: str, person: str, now: datetime) -> dict[str, Any]:
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
        None if row.worked is None else row.worked / 1_000_000,
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
