"""What a selection means in SQL, and how a report sorts clocks: by state, by the week they began
in, by territory.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, and_, case, cast, func

from alerting.database.engine import Transaction
from alerting.database.tables import case_file, clock
from alerting.database.types import Instant
from alerting.domain.reports.attainment import STATES
from alerting.domain.reports.selection import Selection

_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_WEEK = timedelta(weeks=1)
_MICROSECOND = timedelta(microseconds=1)

Conditions = list[sa.ColumnElement[bool]]


def micros(tx: Transaction, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """An instant in whole microseconds."""
    if not tx.is_postgresql:
        return sa.type_coerce(column, BigInteger)
    return cast(func.round(func.date_part("epoch", column) * 1_000_000), BigInteger)


def week_of(tx: Transaction, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The Monday (UTC) an instant's week began on."""
    if tx.is_postgresql:
        moment = sa.DateTime(timezone=True)
        return func.date_bin(
            sa.literal(_WEEK, sa.Interval()), column, sa.literal(_MONDAY, moment), type_=moment
        )
    first, length = (
        (_MONDAY - datetime(1970, 1, 1, tzinfo=UTC)) // _MICROSECOND,
        _WEEK // _MICROSECOND,
    )
    return sa.type_coerce((micros(tx, column) - first) // length * length + first, Instant)


def in_states(now: datetime) -> Mapping[str, sa.ColumnElement[bool]]:
    """When a clock is in which state, as `Promise.state` says."""
    k = clock.c
    runs = and_(k.stopped_at.is_(None), k.paused_at.is_(None))
    found = {
        "met": k.stopped_at <= k.due_at,
        "late": k.stopped_at > k.due_at,
        "overdue": and_(runs, k.due_at < now),
        "running": and_(runs, k.due_at >= now),
        "paused": and_(k.stopped_at.is_(None), k.paused_at.is_not(None)),
    }
    return {state: found[state] for state in STATES}


def state_of(now: datetime) -> sa.ColumnElement[str]:
    return case(*((condition, state) for state, condition in in_states(now).items()))


def counts(now: datetime) -> list[sa.ColumnElement[int]]:
    """How many clocks are in each state, by its name."""
    return [
        func.count().filter(condition).label(state) for state, condition in in_states(now).items()
    ]


def clocks_with_cases() -> sa.Join:
    return clock.join(case_file, case_file.c.id == clock.c.case_id)


def chosen(which: Selection) -> Conditions:
    """The conditions of clocks that count and are selected, over clock joined with its case."""
    return [*narrowing(which), *within(clock.c.started_at, which)]


def narrowing(which: Selection) -> Conditions:
    """The same of any period."""
    k = clock.c
    found = [
        column == value
        for column, value in ((k.policy, which.policy), (k.kind, which.clock))
        if value
    ]
    return [k.superseded_at.is_(None), *found, *of_person(k.party, which), *like(case_file, which)]


def of_person(column: sa.ColumnElement[str], which: Selection) -> Conditions:
    """Whether it is the person, and of the team, that is asked for."""
    found = [column == which.person] if which.person else []
    return found if which.members is None else [*found, column.in_(which.members)]


def like(table: sa.Table, which: Selection) -> Conditions:
    """What is asked of a case, or of an alert."""
    asked = {"segment": which.segment, "territory": which.territory, "rule": which.rule}
    return [table.c[name] == value for name, value in asked.items() if value]


def within(column: Any, which: Selection) -> Conditions:
    """Whether an instant lies in the period."""
    found = [column >= which.begin] if which.begin else []
    return found + ([column < which.end] if which.end else [])
