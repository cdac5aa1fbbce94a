"""What a report stands on: what arrived and what became of it, what sources said, how well contacts
are proven.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import and_, case, func, select

from alerting.database.engine import Transaction
from alerting.database.reports.report_conditions import (
    clocks_with_cases,
    like,
    micros,
    narrowing,
    of_person,
    within,
)
from alerting.database.rows.cases import CaseRow
from alerting.database.rows.intake import ReconciliationRow
from alerting.database.rows.reports import AlertCountRow, ArrivedRow, CaseCountsRow, ProofRow
from alerting.database.tables import (
    GOOD,
    alert,
    case_file,
    clock,
    contact_attempt,
    dead_letter,
    event,
    reconciliation,
)
from alerting.domain.cases.contact_proof import AT_ONCE
from alerting.domain.reports.selection import Selection

_LATENESS = (
    ("at once", AT_ONCE),
    ("within an hour", timedelta(hours=1)),
    ("within a day", timedelta(days=1)),
)
LATENESS = (*(name for name, _ in _LATENESS), "later")
"""How long after a contact it was written down."""


def arrived(tx: Transaction, which: Selection) -> list[ArrivedRow]:
    """Events of each `source` by their `sentiment` and why they are `excluded`, `n`. By the time of
    the event.
    """
    e = event.c
    groups = (e.source, e.sentiment, e.excluded)
    counted = select(*groups, func.count().label("n")).where(*within(e.time, which))
    return tx.rows(ArrivedRow, counted.group_by(*groups))


def alerts(tx: Transaction, which: Selection) -> list[AlertCountRow]:
    """Alerts as they stand by `suppressed` and `state`, `n`, and how many of them `rang` in a
    case.
    """
    a = alert.c
    mine = [*within(a.raised_at, which), *like(alert, which), *_with_clocks(a.case_id, which)]
    rang = func.count(a.case_id).label("rang")
    counted = select(a.suppressed, a.state, func.count().label("n"), rang)
    counted = counted.where(a.superseded_at.is_(None), *mine)
    return tx.rows(AlertCountRow, counted.group_by(a.suppressed, a.state))


def opened_cases(which: Selection) -> list[sa.ColumnElement[bool]]:
    """The conditions of cases that were opened in the period and have a clock that is selected."""
    c = case_file.c
    return [*within(c.opened_at, which), *like(case_file, which), *_with_clocks(c.id, which)]


def _with_clocks(case_id: sa.ColumnElement[Any], which: Selection) -> list[sa.ColumnElement[bool]]:
    """Where it is asked for what only clocks know: of the cases that have such a clock."""
    if not (which.person or which.policy or which.clock or which.members is not None):
        return []
    return [
        case_id.in_(
            select(clock.c.case_id).select_from(clocks_with_cases()).where(*narrowing(which))
        )
    ]


def case_counts(tx: Transaction, which: Selection) -> CaseCountsRow:
    """One row: cases opened in the period, those of them reopened, resolved, withdrawn and
    forgotten since, and their times.

    `reached`, `taken` and `closed` are the cases of one cycle whose customer was reached, those of
    them that somebody had taken before, and those resolved after that; `stood_open`, `stood_taken`
    and `to_close` the sums of their times in microseconds. `back`: those resolved whose customer
    answered positively or bought after that.
    """
    c, last = case_file.c, _last_good(which).c
    whole = and_(c.cycle == 1, c.contacted_at.is_not(None), c.withdrawn_at.is_(None))
    taken = and_(whole, c.acknowledged_at <= c.contacted_at)
    closed = and_(whole, *_ended())
    instants = (c.opened_at, c.acknowledged_at, c.contacted_at, c.resolved_at)
    opened, acknowledged, contacted, resolved = (micros(tx, column) for column in instants)
    ended = _ended()
    least = func.greatest if tx.is_postgresql else func.max
    counted = (
        select(
            func.count().label("cases"),
            func.count().filter(c.cycle > 1).label("reopened"),
            func.count().filter(*ended).label("resolved"),
            func.count().filter(*ended, last.at > c.resolved_at).label("back"),
            func.count().filter(c.withdrawn_at.is_not(None)).label("withdrawn"),
            func.count().filter(c.forgotten_at.is_not(None)).label("forgotten"),
            func.count().filter(whole).label("reached"),
            func.count().filter(taken).label("taken"),
            func.sum(least(case((taken, acknowledged), else_=contacted) - opened, 0))
            .filter(whole)
            .label("stood_open"),
            func.sum(contacted - least(acknowledged, opened)).filter(taken).label("stood_taken"),
            func.count().filter(closed).label("closed"),
            func.sum(least(resolved - least(contacted, opened), 0))
            .filter(closed)
            .label("to_close"),
        )
        .select_from(case_file.outerjoin(last.at.table, last.customer_key == c.customer_key))
        .where(*opened_cases(which))
    )
    (found,) = tx.rows(CaseCountsRow, counted)
    return found


def _ended() -> tuple[sa.ColumnElement[bool], ...]:
    c = case_file.c
    return c.resolved_at.is_not(None), c.withdrawn_at.is_(None), c.forgotten_at.is_(None)


def cases_where(
    tx: Transaction, which: Selection, of: str, limit: int
) -> tuple[int, list[CaseRow]]:
    """How many cases are behind a figure of the report, and the newest of them."""
    c, a = case_file.c, contact_attempt.c
    joined: sa.FromClause = case_file
    found = opened_cases(which)
    if of in GRADES:
        proven = select(a.case_id).where(*_reached(which), a.grade.is_not_distinct_from(GRADES[of]))
        found = [c.id.in_(proven)]
    elif of == "reopened":
        found.append(c.cycle > 1)
    elif of in {"withdrawn", "forgotten"}:
        found.append(c[f"{of}_at"].is_not(None))
    elif of in {"resolved", "won_back"}:
        found += _ended()
    if of == "won_back":
        last = _last_good(which).c
        joined, found = (
            case_file.join(last.at.table, last.customer_key == c.customer_key),
            [*found, last.at > c.resolved_at],
        )
    total = tx.execute(select(func.count()).select_from(joined).where(*found)).scalar_one()
    newest = select(case_file).select_from(joined).where(*found).order_by(c.id.desc()).limit(limit)
    return int(total), tx.rows(CaseRow, newest)


GRADES: Mapping[str, str | None] = {
    "phone_log": "phone log",
    "crm_event": "CRM event",
    "own_word": None,
}
"""What proves contacts, as figures of the report are called."""


def _last_good(which: Selection) -> sa.Subquery:
    """When each customer last answered positively or bought."""
    e = event.c
    since = [e.time > which.begin] if which.begin else []
    return (
        select(e.customer_key, func.max(e.time).label("at"))
        .where(sa.text(f"({GOOD})"), *since)
        .group_by(e.customer_key)
        .subquery()
    )


def proofs(tx: Transaction, which: Selection) -> list[ProofRow]:
    """Contacts in which the customer was reached by `grade` (null: somebody's own word) and how
    late they were written down (`after`), `n` of each.
    """
    a = contact_attempt.c
    steps = [(_apart(tx, a.happened_at, a.recorded_at, length), name) for name, length in _LATENESS]
    after = case(*steps, else_=LATENESS[-1]).label("after")
    counted = select(a.grade, after, func.count().label("n")).where(*_reached(which))
    return tx.rows(ProofRow, counted.group_by(a.grade, after))


def _reached(which: Selection) -> list[sa.ColumnElement[bool]]:
    """Contacts of the period in which the customer was reached."""
    a = contact_attempt.c
    mine = [a.reached, *within(a.happened_at, which), *of_person(a.by, which)]
    if of_case := like(case_file, which):
        mine.append(a.case_id.in_(select(case_file.c.id).where(*of_case)))
    return mine + (_with_clocks(a.case_id, which) if which.policy or which.clock else [])


def _apart(
    tx: Transaction,
    begin: sa.ColumnElement[datetime],
    end: sa.ColumnElement[datetime],
    length: timedelta,
) -> sa.ColumnElement[bool]:
    """Whether two instants are at most so far apart."""
    if not tx.is_postgresql:
        return micros(tx, end) - micros(tx, begin) <= length // timedelta(microseconds=1)
    moment = sa.DateTime(timezone=True)
    return sa.type_coerce(end, moment) <= sa.type_coerce(begin, moment) + sa.literal(
        length, sa.Interval()
    )


def reconciliations(tx: Transaction, which: Selection) -> list[ReconciliationRow]:
    """The newest comparison of each source that touches the period, by source."""
    r = reconciliation.c
    touches = []
    if which.begin:
        touches.append(r.last_day >= f"{which.begin:%Y-%m-%d}")
    if which.end:
        touches.append(r.first_day < f"{which.end:%Y-%m-%d}")
    newest = select(func.max(r.id)).where(*touches).group_by(r.source)
    return tx.rows(
        ReconciliationRow, select(reconciliation).where(r.id.in_(newest)).order_by(r.source)
    )


def add_reconciliation(tx: Transaction, values: Mapping[str, object], now: datetime) -> None:
    tx.execute(reconciliation.insert().values(**values, recorded_at=now))


def open_dead_letters(tx: Transaction) -> int:
    """Events that could not be read or judged, and wait for somebody."""
    d = dead_letter.c
    waits = (d.replayed_at.is_(None), d.discarded_at.is_(None))
    return int(tx.execute(select(func.count()).select_from(dead_letter).where(*waits)).scalar_one())
