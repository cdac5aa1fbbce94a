"""Promises in figures: clocks that count, summed up by the database where it can, so that a million cases take seconds.

A duration is `2 * microseconds + 1` while its clock is open: it sorts after the same one that is done, and tells.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Text, and_, case, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB

from alerting.database.engine import Transaction
from alerting.database.tables import case_file, clock, customer_version
from alerting.domain.attainment import STATES, Attainment, Promise, Quantile, Spread, attainment, counted
from alerting.domain.selection import Selection

MEASURED = ("met", "late", "overdue")
WEEK = 7 * 86_400 * 1_000_000
_FIRST_MONDAY = 4 * 86_400 * 1_000_000
_MICROSECOND = timedelta(microseconds=1)

ClockId = tuple[int, int, str, int]
"""Case, cycle, kind, plan."""

Worked = Mapping[ClockId, timedelta]
"""Working time so far, of clocks that are open and overdue."""

Line = tuple[str, str | None, str | None, Attainment]
"""Kind, person, segment (None: of all) and how such promises were kept."""


def micros(tx: Transaction, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """An instant in whole microseconds."""
    if not tx.is_postgresql:
        return sa.type_coerce(column, BigInteger)
    return cast(func.round(func.date_part("epoch", column) * 1_000_000), BigInteger)


def state_of(now: datetime) -> sa.ColumnElement[str]:
    """As `Promise.state` says."""
    k = clock.c
    return case(
        (k.stopped_at <= k.due_at, "met"),
        (k.stopped_at.is_not(None), "late"),
        (k.paused_at.is_not(None), "paused"),
        (k.due_at < now, "overdue"),
        else_="running",
    )


def chosen(which: Selection) -> list[sa.ColumnElement[bool]]:
    """The conditions of clocks that count and are selected, over clock joined with its case."""
    return [*narrowing(which), *within(clock.c.started_at, which)]


def narrowing(which: Selection) -> list[sa.ColumnElement[bool]]:
    """The same of any period."""
    k, c = clock.c, case_file.c
    columns = {"person": k.party, "segment": c.segment, "rule": c.rule, "policy": k.policy, "clock": k.kind}
    return [k.superseded_at.is_(None), *(columns[name] == value for name, value in which.narrowed.items())]


def within(column: Any, which: Selection) -> list[sa.ColumnElement[bool]]:
    """Whether an instant lies in the period."""
    found = [column >= which.begin] if which.begin else []
    return found + ([column < which.end] if which.end else [])


def clocks_with_cases() -> sa.Join:
    return clock.join(case_file, case_file.c.id == clock.c.case_id)


def overdue_clocks(tx: Transaction, which: Selection, now: datetime) -> list[Any]:
    """Those that are open and missed, with what their working time is reckoned by."""
    conditions = (*chosen(which), clock.c.stopped_at.is_(None), clock.c.paused_at.is_(None), clock.c.due_at < now)
    return list(tx.execute(select(clock).select_from(clocks_with_cases()).where(*conditions)))


def attained(tx: Transaction, which: Selection, now: datetime, worked: Worked) -> list[Line]:
    """Of all, by person and by segment, each by kind. Both ways come to the same; a small database is read as it is."""
    return _in_the_database(tx, which, now, worked) if tx.is_postgresql else _here(tx, which, now, worked)


def roomy(tx: Transaction) -> None:
    """For this transaction: sorts and hashes of a million rows stay in memory, and no loop looks each of them up."""
    if tx.is_postgresql:
        for setting in ("work_mem = '512MB'", "jit = off", "enable_nestloop = off"):
            tx.execute(sa.text(f"SET LOCAL {setting}"))


def _here(tx: Transaction, which: Selection, now: datetime, worked: Worked) -> list[Line]:
    statement = select(clock, case_file.c.segment).select_from(clocks_with_cases()).where(*chosen(which))
    groups: dict[tuple[str, str | None, str | None], list[Promise]] = {}
    for row in tx.execute(statement):
        so_far = worked.get((row.case_id, row.cycle, row.kind, row.plan))
        promise = Promise(
            kind=row.kind,
            party=row.party,
            case_id=row.case_id,
            started_at=row.started_at,
            due_at=row.due_at,
            stopped_at=row.stopped_at,
            paused_at=row.paused_at,
            worked=so_far if row.worked is None else row.worked * _MICROSECOND,
        )
        for key in ((row.kind, None, None), (row.kind, row.party, None), (row.kind, None, row.segment)):
            groups.setdefault(key, []).append(promise)
    return [(*key, attainment(found, now)) for key, found in groups.items()]


def _in_the_database(tx: Transaction, which: Selection, now: datetime, worked: Worked) -> list[Line]:
    """Ordered-set aggregates over the three groupings at once; `percentile_disc` is nearest-rank."""
    k, joined = clock.c, clocks_with_cases()
    so_far = cast(sa.null(), BigInteger)
    if worked:
        known = _listed(worked)
        same = [known.c[name] == k[name] for name in ("case_id", "cycle", "kind", "plan")]
        joined, so_far = joined.outerjoin(known, and_(*same)), known.c.worked
    is_open = case((k.stopped_at.is_(None), 1), else_=0)
    felt = micros(tx, func.coalesce(k.stopped_at, sa.literal(now, k.stopped_at.type))) - micros(tx, k.started_at)
    rows = (
        select(
            k.kind,
            k.party,
            case_file.c.segment,
            state_of(now).label("state"),
            (2 * felt + is_open).label("felt"),
            (2 * func.coalesce(k.worked, so_far) + is_open).label("working"),
        )
        .select_from(joined)
        .where(*chosen(which))
        .subquery()
        .c
    )
    sets = func.grouping_sets(
        sa.tuple_(rows.kind), sa.tuple_(rows.kind, rows.party), sa.tuple_(rows.kind, rows.segment)
    )
    statement = select(rows.kind, rows.party, rows.segment, *_sums(rows)).group_by(sets)
    return [(row.kind, row.party, row.segment, _read(row)) for row in tx.execute(statement)]


def _sums(rows: Any) -> list[sa.ColumnElement[Any]]:
    measured = rows.state.in_(MEASURED)
    counts = [func.count().filter(rows.state == state).label(state) for state in STATES]
    shares = cast(sa.literal([0.5, 0.9, 1.0], sa.ARRAY(sa.Float)), sa.ARRAY(sa.Float))
    spreads = [
        func.percentile_disc(shares).within_group(column).filter(measured).label(column.name)
        for column in (rows.felt, rows.working)
    ]
    return [*counts, *spreads]


def _read(row: Any) -> Attainment:
    def spread(found: Sequence[int | None] | None) -> Spread:
        values = [
            None if v is None else Quantile(value=v // 2 * _MICROSECOND, at_least=bool(v % 2)) for v in found or ()
        ]
        return Spread(median=values[0], p90=values[1], slowest=values[2]) if values else Spread()

    counts = {state: getattr(row, state) for state in STATES}
    return replace(counted(counts), felt=spread(row.felt), working=spread(row.working))


def _listed(worked: Worked) -> Any:
    """The open ones as a table beside the others."""
    rows = [
        {"case_id": a, "cycle": b, "kind": c, "plan": d, "worked": value // _MICROSECOND}
        for (a, b, c, d), value in worked.items()
    ]
    columns = [sa.column(name, BigInteger) for name in ("case_id", "cycle", "plan", "worked")]
    return (
        func.jsonb_to_recordset(cast(sa.literal(json.dumps(rows), Text), JSONB))
        .table_valued(*columns, sa.column("kind", Text))
        .render_derived(name="so_far", with_types=True)
    )


def shares(tx: Transaction, which: Selection, now: datetime) -> list[Any]:
    """How many promises by `kind`, `state`, `rule`, `week` (whole weeks since Monday 5 January 1970), `country`, `region`."""
    v = customer_version.c
    newest = func.row_number().over(
        partition_by=v.customer_key, order_by=(v.valid_from.desc(), v.source.desc(), v.event_id.desc())
    )
    places = [v.state[name].as_string().label(name) for name in ("country", "region")]
    numbered = select(v.customer_key, *places, newest.label("nth")).subquery()
    place = select(numbered).where(numbered.c.nth == 1).subquery().c
    groups = [
        clock.c.kind,
        state_of(now).label("state"),
        case_file.c.rule,
        ((micros(tx, clock.c.started_at) - _FIRST_MONDAY) // WEEK).label("week"),
        place.country,
        place.region,
    ]
    joined = clocks_with_cases().outerjoin(place.customer_key.table, place.customer_key == case_file.c.customer_key)
    counted = select(*groups, func.count().label("n")).select_from(joined).where(*chosen(which))
    return list(tx.execute(counted.group_by(*(sa.text(str(n)) for n in range(1, 7)))))


def missed(tx: Transaction, which: Selection, now: datetime, limit: int) -> list[Any]:
    """The clocks that were kept late or are overdue, by how much, the worst first, each with its case."""
    k, c = clock.c, case_file.c
    over = micros(tx, func.coalesce(k.stopped_at, sa.literal(now, k.stopped_at.type))) - micros(tx, k.due_at)
    broken = sa.or_(k.stopped_at > k.due_at, and_(k.stopped_at.is_(None), k.paused_at.is_(None), k.due_at < now))
    about = (c.customer_key, c.segment, c.rule, c.root_cause, c.action, c.corrective_action, c.status)
    statement = select(clock, *about, over.label("over")).select_from(clocks_with_cases()).where(*chosen(which), broken)
    return list(tx.execute(statement.order_by(over.desc(), k.case_id, k.kind, k.cycle).limit(limit)))


def every_clock(tx: Transaction, which: Selection, now: datetime) -> sa.CursorResult[Any]:
    """Row by row, with its `state` and what its case says; for exports. Only some rows are held at a time."""
    statement = _with_about(now).where(*chosen(which)).execution_options(yield_per=1_000)
    k = clock.c
    return tx.execute(statement.order_by(k.case_id, k.cycle, k.kind, k.plan))


def some_clocks(
    tx: Transaction, which: Selection, now: datetime, states: Sequence[str], limit: int
) -> tuple[int, list[Any]]:
    """How many selected clocks are in these states, and the first of them by when they are due."""
    mine = (*chosen(which), state_of(now).in_(list(states)))
    total = tx.execute(select(func.count()).select_from(clocks_with_cases()).where(*mine)).scalar_one()
    ordered = _with_about(now).where(*mine).order_by(clock.c.due_at.desc(), clock.c.case_id, clock.c.kind)
    return int(total), list(tx.execute(ordered.limit(limit)))


def _with_about(now: datetime) -> sa.Select[Any]:
    c = case_file.c
    about = (c.customer_key, c.segment, c.rule, c.severity, c.status, c.root_cause, c.action, c.corrective_action)
    return select(clock, *about, state_of(now).label("state")).select_from(clocks_with_cases())
