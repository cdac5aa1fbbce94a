"""Promises in figures: clocks that count, summed up by the database where it can, so that a million
cases take seconds.

A duration is `2 * microseconds + 1` while its clock is open: it sorts after the same one that is
done, and tells.
"""

import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import func, select

from alerting.database.engine import Transaction
from alerting.database.reports.report_conditions import (
    chosen,
    clocks_with_cases,
    counts,
    in_states,
    week_of,
)
from alerting.database.rows.cases import ClockInGroup
from alerting.database.rows.reports import DurationsRow, WeekRow
from alerting.database.tables import case_file, clock
from alerting.domain.reports.attainment import (
    STATES,
    Attainment,
    Promise,
    Quantile,
    Spread,
    attainment,
    counted,
    nth,
    rank,
)
from alerting.domain.reports.selection import Selection

_MICROSECOND = timedelta(microseconds=1)

MEASURED = ("met", "late", "overdue")

ClockId = tuple[int, int, str, int]
"""Case, cycle, kind, plan."""

Worked = Mapping[ClockId, timedelta]
"""Working time so far, of clocks that are open and overdue."""

Key = tuple[str, str]
"""A table of the report and who or what its line is about: `("person", "vp_sales")`."""


class InGroup(Protocol):
    """What lines of the report are told by."""

    @property
    def kind(self) -> str: ...
    @property
    def party(self) -> str: ...
    @property
    def segment(self) -> str: ...
    @property
    def territory(self) -> str: ...
    @property
    def rule(self) -> str: ...


Keys = Callable[[InGroup], Iterable[Key]]
"""The lines a clock counts in, by its `party`, `segment`, `rule` and `territory`."""

_OF_CASE = (case_file.c.segment, case_file.c.territory, case_file.c.rule)

Lines = Mapping[tuple[str, str, str], Attainment]
"""How promises were kept, by table, line and kind of promise."""


def overdue_clocks(tx: Transaction, which: Selection, now: datetime) -> list[ClockInGroup]:
    """Those that are open and missed, with what their working time is reckoned by."""
    statement = select(clock, *_OF_CASE).select_from(clocks_with_cases())
    return tx.rows(ClockInGroup, statement.where(*chosen(which), in_states(now)["overdue"]))


def has_any(tx: Transaction, which: Selection) -> bool:
    """Whether there is any such promise."""
    return (
        tx.execute(
            select(clock.c.case_id).select_from(clocks_with_cases()).where(*chosen(which)).limit(1)
        ).first()
        is not None
    )


def territories(tx: Transaction) -> list[str]:
    """Of all cases there are."""
    return list(
        tx.execute(
            select(case_file.c.territory).distinct().order_by(case_file.c.territory)
        ).scalars()
    )


def attained(
    tx: Transaction,
    which: Selection,
    now: datetime,
    overdue: Sequence[ClockInGroup],
    worked: Worked,
    keys: Keys,
) -> Lines:
    """How promises were kept; of those that are `overdue` with the working time so far. Both ways
    come to the same; a small database is read as it is.
    """
    if tx.is_postgresql:
        return _in_the_database(tx, which, now, overdue, worked, keys)
    return _here(tx, which, now, worked, keys)


def roomy(tx: Transaction) -> None:
    """For this transaction: a million rows are joined and grouped by hashes in memory, neither
    sorted nor looked up, and by one process: another query runs beside it.
    """
    if tx.is_postgresql:
        planner = ("jit", "enable_nestloop", "enable_sort")
        for setting in (
            "work_mem = '512MB'",
            "max_parallel_workers_per_gather = 0",
            *(f"{name} = off" for name in planner),
        ):
            tx.execute(sa.text(f"SET LOCAL {setting}"))


def _here(tx: Transaction, which: Selection, now: datetime, worked: Worked, keys: Keys) -> Lines:
    groups: dict[tuple[str, str, str], list[Promise]] = {}
    mine = select(clock, *_OF_CASE).select_from(clocks_with_cases()).where(*chosen(which))
    for row in tx.each(ClockInGroup, mine):
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
        for key in keys(row):
            groups.setdefault((*key, row.kind), []).append(promise)
    return {key: attainment(found, now) for key, found in groups.items()}


def _in_the_database(
    tx: Transaction,
    which: Selection,
    now: datetime,
    overdue: Sequence[ClockInGroup],
    worked: Worked,
    keys: Keys,
) -> Lines:
    """Durations come as bytes, a group of everything lines are told by at a time, and are put in
    order here: to have the database order a million rows for each table takes three times as long.
    """
    groups: dict[tuple[str, str, str], _Group] = {}

    def of(row: InGroup) -> list[_Group]:
        return [groups.setdefault((*key, row.kind), _Group()) for key in keys(row)]

    for row in tx.each(DurationsRow, _summed(which, now)):
        felt = _ordered(row.felt)
        working = felt if row.worked == row.felt else _ordered(row.worked)
        for group in of(row):
            group.add({state: getattr(row, state) for state in STATES}, felt, working)
    for late in overdue:
        so_far = worked.get((late.case_id, late.cycle, late.kind, late.plan))
        for group in of(late):
            group.add(
                {}, [_encoded(now - late.started_at)], [] if so_far is None else [_encoded(so_far)]
            )
    return {key: group.attainment() for key, group in groups.items()}


def _summed(which: Selection, now: datetime) -> sa.Select[Any]:
    k, sent = clock.c, sa.literal(b"", sa.LargeBinary)
    groups = (k.kind, k.party, *_OF_CASE)
    durations = [
        func.string_agg(func.int8send(2 * column), sent).label(column.name)
        for column in (k.felt, k.worked)
    ]
    found = (
        select(*groups, *counts(now), *durations)
        .select_from(clocks_with_cases())
        .where(*chosen(which))
    )
    return found.group_by(*groups)


@dataclass(kw_only=True)
class _Group:
    """Promises of one line of the report: ordered lists of durations, each `2 * microseconds + 1`
    where still open.
    """

    counts: Counter[str] = field(default_factory=Counter)
    felt: list[Sequence[int]] = field(default_factory=list)
    working: list[Sequence[int]] = field(default_factory=list)

    def add(self, counts: Mapping[str, int], felt: Sequence[int], working: Sequence[int]) -> None:
        self.counts.update(counts)
        self.felt += [felt] if felt else []
        self.working += [working] if working else []

    def attainment(self) -> Attainment:
        felt = _spread(self.felt)
        alike = len(self.felt) == len(self.working) and all(
            map(lambda a, b: a is b, self.felt, self.working)
        )
        return replace(
            counted(self.counts), felt=felt, working=felt if alike else _spread(self.working)
        )


def _spread(parts: Sequence[Sequence[int]]) -> Spread:
    count = sum(map(len, parts))
    if not count:
        return Spread()
    values = [nth(parts, rank(percent, count)) for percent in (50, 90, 100)]
    median, p90, slowest = (
        Quantile(value=v // 2 * _MICROSECOND, at_least=bool(v % 2)) for v in values
    )
    return Spread(median=median, p90=p90, slowest=slowest)


def _ordered(sent: bytes | None) -> list[int]:
    """What `int8send` wrote, smallest first."""
    found = array("q", bytes(sent or b""))
    if sys.byteorder == "little":
        found.byteswap()
    return sorted(found)


def _encoded(duration: timedelta) -> int:
    return 2 * (duration // _MICROSECOND) + 1


def weeks(tx: Transaction, which: Selection, now: datetime) -> list[WeekRow]:
    """How many promises are in each state, by `kind` and the Monday of the `week` they began in."""
    groups = (clock.c.kind, week_of(tx, clock.c.started_at).label("week"))
    joined = clocks_with_cases() if which.of_case else clock
    counted = select(*groups, *counts(now)).select_from(joined).where(*chosen(which))
    return tx.rows(WeekRow, counted.group_by(sa.text("1"), sa.text("2")))
