"""Promises in figures: clocks that count, summed up by the database where it can, so that a million cases take seconds.

A duration is `2 * microseconds + 1` while its clock is open: it sorts after the same one that is done, and tells.
"""

import sys
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, and_, case, cast, func, select

from alerting.database.engine import Transaction
from alerting.database.tables import case_file, clock, customer_version, resolution
from alerting.domain.attainment import Attainment, Promise, Quantile, Spread, attainment, counted, nth, rank
from alerting.domain.selection import Selection

WEEK = 7 * 86_400 * 1_000_000
_FIRST_MONDAY = 4 * 86_400 * 1_000_000
_MICROSECOND = timedelta(microseconds=1)

MEASURED = ("met", "late", "overdue")

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
    return list(tx.execute(select(clock, case_file.c.segment).select_from(clocks_with_cases()).where(*conditions)))


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
    """Durations come as bytes, a group of person and segment at a time, and are put in order here: to have the database order
    a million rows for each grouping takes three times as long."""
    groups: dict[tuple[str, str | None, str | None], _Group] = {}

    def of(row: Any) -> list[_Group]:
        keys = ((row.kind, None, None), (row.kind, row.party, None), (row.kind, None, row.segment))
        return [groups.setdefault(key, _Group()) for key in keys]

    for row in tx.execute(_stopped(which)):
        felt = _ordered(row.felt)
        working = felt if row.worked == row.felt else _ordered(row.worked)
        for group in of(row):
            group.counts.update(met=row.met, late=row.late)
            group.felt.append(felt)
            group.working.append(working)
    k, is_open = clock.c, (*chosen(which), clock.c.stopped_at.is_(None))
    columns = (k.kind, k.party, case_file.c.segment)
    states = select(*columns, state_of(now).label("state"), func.count().label("n")).select_from(clocks_with_cases())
    for row in tx.execute(states.where(*is_open).group_by(*columns, sa.text("4"))):
        for group in of(row):
            group.counts[row.state] += row.n
    for row in overdue_clocks(tx, which, now):
        so_far = worked.get((row.case_id, row.cycle, row.kind, row.plan))
        for group in of(row):
            group.felt.append([_encoded(now - row.started_at)])
            group.working.append([] if so_far is None else [_encoded(so_far)])
    return [(*key, group.attainment()) for key, group in groups.items()]


def _stopped(which: Selection) -> sa.Select[Any]:
    k, sent = clock.c, sa.literal(b"", sa.LargeBinary)
    columns = (k.kind, k.party, case_file.c.segment)
    counts = (
        func.count().filter(k.stopped_at <= k.due_at).label("met"),
        func.count().filter(k.stopped_at > k.due_at).label("late"),
    )
    durations = [func.string_agg(func.int8send(2 * column), sent).label(column.name) for column in (k.felt, k.worked)]
    stopped = (*chosen(which), k.stopped_at.is_not(None))
    return select(*columns, *counts, *durations).select_from(clocks_with_cases()).where(*stopped).group_by(*columns)


@dataclass(kw_only=True)
class _Group:
    """Promises of one line of the report: ordered lists of durations, each `2 * microseconds + 1` where still open."""

    counts: Counter[str] = field(default_factory=Counter)
    felt: list[Sequence[int]] = field(default_factory=list)
    working: list[Sequence[int]] = field(default_factory=list)

    def attainment(self) -> Attainment:
        return replace(counted(self.counts), felt=_spread(self.felt), working=_spread(self.working))


def _spread(parts: Sequence[Sequence[int]]) -> Spread:
    count = sum(map(len, parts))
    if not count:
        return Spread()
    values = [nth(parts, rank(percent, count)) for percent in (50, 90, 100)]
    median, p90, slowest = (Quantile(value=v // 2 * _MICROSECOND, at_least=bool(v % 2)) for v in values)
    return Spread(median=median, p90=p90, slowest=slowest)


def _ordered(sent: bytes | None) -> list[int]:
    """What `int8send` wrote, smallest first."""
    found = array("q", bytes(sent or b""))
    if sys.byteorder == "little":
        found.byteswap()
    return sorted(found)


def _encoded(duration: timedelta) -> int:
    return 2 * (duration // _MICROSECOND) + 1


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
    identity = (k.case_id, k.kind, k.cycle, k.plan)
    joined = clocks_with_cases() if which.segment or which.rule else clock
    worst = select(*identity, over.label("over")).select_from(joined).where(*chosen(which), broken)
    first = worst.order_by(over.desc(), k.case_id, k.kind, k.cycle).limit(limit).subquery().c
    about = (c.customer_key, c.segment, c.rule, *_ended_with(), c.status)
    same = and_(*(first[one.name] == one for one in identity))
    joined = first.over.table.join(_with_resolutions(), same)
    statement = select(clock, *about, first.over).select_from(joined)
    return list(tx.execute(statement.order_by(first.over.desc(), k.case_id, k.kind, k.cycle)))


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
    about = (c.customer_key, c.segment, c.rule, c.severity, c.status, *_ended_with())
    return select(clock, *about, state_of(now).label("state")).select_from(_with_resolutions())


def _ended_with() -> tuple[Any, ...]:
    """Root cause, action and corrective action of the clock's own cycle."""
    return (resolution.c.root_cause, resolution.c.action, resolution.c.corrective_action)


def _with_resolutions() -> sa.Join:
    same = and_(resolution.c.case_id == clock.c.case_id, resolution.c.cycle == clock.c.cycle)
    return clocks_with_cases().outerjoin(resolution, same)
