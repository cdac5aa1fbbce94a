"""Clocks of a report, one by one: those that were missed, and those in some state."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import and_, func, select

from alerting.database.engine import Transaction
from alerting.database.reports.report_conditions import (
    chosen,
    clocks_with_cases,
    in_states,
    micros,
    state_of,
)
from alerting.database.rows.cases import ClockWithCase, MissedClock
from alerting.database.tables import case_file, clock, resolution
from alerting.domain.reports.selection import Selection


def missed(tx: Transaction, which: Selection, now: datetime, limit: int) -> list[MissedClock]:
    """The clocks that were kept late or are overdue, by how much (`over`), the worst first, each
    with its case.
    """
    k, c, states = clock.c, case_file.c, in_states(now)
    over = micros(tx, func.coalesce(k.stopped_at, sa.literal(now, k.stopped_at.type))) - micros(
        tx, k.due_at
    )
    identity = (k.case_id, k.kind, k.cycle, k.plan)
    order = (over.desc(), *identity)
    broken = (*chosen(which), sa.or_(states["late"], states["overdue"]))
    joined = clocks_with_cases() if which.of_case else clock
    first = select(*identity).select_from(joined).where(*broken).order_by(*order).limit(limit)
    worst = [tuple(row) for row in tx.execute(first)]
    about = (c.customer_key, c.segment, c.rule, *_ended_with(), c.status, over.label("over"))
    these = (
        select(clock, *about)
        .select_from(_with_resolutions())
        .where(sa.tuple_(*identity).in_(worst))
    )
    return tx.rows(MissedClock, these.order_by(*order))


def every_clock(tx: Transaction, which: Selection, now: datetime) -> Iterator[ClockWithCase]:
    """Row by row, with its `state` and what its case says; for exports. Only some rows are held at
    a time.
    """
    statement = _with_about(now).where(*chosen(which)).execution_options(yield_per=1_000)
    k = clock.c
    return tx.each(ClockWithCase, statement.order_by(k.case_id, k.cycle, k.kind, k.plan))


def some_clocks(
    tx: Transaction, which: Selection, now: datetime, states: Sequence[str], limit: int
) -> tuple[int, list[ClockWithCase]]:
    """How many selected clocks are in these states, and the first of them by when they are due."""
    mine = (*chosen(which), state_of(now).in_(list(states)))
    total = tx.execute(
        select(func.count()).select_from(clocks_with_cases()).where(*mine)
    ).scalar_one()
    ordered = (
        _with_about(now).where(*mine).order_by(clock.c.due_at.desc(), clock.c.case_id, clock.c.kind)
    )
    return int(total), tx.rows(ClockWithCase, ordered.limit(limit))


def _with_about(now: datetime) -> sa.Select[Any]:
    c = case_file.c
    about = (c.customer_key, c.segment, c.rule, c.severity, c.status, *_ended_with())
    return select(clock, *about, state_of(now).label("state")).select_from(_with_resolutions())


def _ended_with() -> tuple[sa.ColumnElement[str], ...]:
    """Root cause, action and corrective action of the clock's own cycle."""
    return (resolution.c.root_cause, resolution.c.action, resolution.c.corrective_action)


def _with_resolutions() -> sa.Join:
    same = and_(resolution.c.case_id == clock.c.case_id, resolution.c.cycle == clock.c.cycle)
    return clocks_with_cases().outerjoin(resolution, same)
