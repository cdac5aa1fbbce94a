"""What a report stands on: what arrived and what became of it, what sources said, how well contacts are proven."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import and_, case, func, or_, select

from alerting.database.engine import Transaction
from alerting.database.report_promises import clocks_with_cases, micros, narrowing, within
from alerting.database.tables import alert, case_file, clock, contact_attempt, dead_letter, event, reconciliation
from alerting.domain.evidence import AT_ONCE
from alerting.domain.selection import Selection

_LATENESS = (("at once", AT_ONCE), ("within an hour", timedelta(hours=1)), ("within a day", timedelta(days=1)))
LATENESS = (*(name for name, _ in _LATENESS), "later")
"""How long after a contact it was written down."""


def arrived(tx: Transaction, which: Selection) -> list[Any]:
    """Events of each `source` by `type` and why they are `excluded`, `n`; answers also by `metric`, `score` and `scale`. By the
    time of the event."""
    e = event.c
    is_answer, payload = e.type == "survey.answered", e.payload
    said = [payload["metric"].as_string(), payload["score"].as_float(), payload["scale"].as_float()]
    answer = [case((is_answer, one)).label(name) for one, name in zip(said, ("metric", "score", "scale"), strict=True)]
    counted = select(e.source, e.type, e.excluded, *answer, func.count().label("n")).where(*within(e.time, which))
    return list(tx.execute(counted.group_by(*(sa.text(str(n)) for n in range(1, 7)))))


def alerts(tx: Transaction, which: Selection) -> list[Any]:
    """Alerts as they stand by `suppressed` and `state`, `n`, and how many of them `rang` in a case."""
    a = alert.c
    rang = func.count(a.case_id).label("rang")
    narrowed = [column == value for column, value in ((a.segment, which.segment), (a.rule, which.rule)) if value]
    counted = select(a.suppressed, a.state, func.count().label("n"), rang)
    counted = counted.where(a.superseded_at.is_(None), *within(a.raised_at, which), *narrowed)
    return list(tx.execute(counted.group_by(a.suppressed, a.state)))


def opened_cases(tx: Transaction, which: Selection) -> list[sa.ColumnElement[bool]]:
    """The conditions of cases that were opened in the period and have a clock that is selected."""
    c = case_file.c
    found = within(c.opened_at, which)
    found += [column == value for column, value in ((c.segment, which.segment), (c.rule, which.rule)) if value]
    if which.person or which.policy or which.clock:
        found.append(c.id.in_(select(clock.c.case_id).select_from(clocks_with_cases()).where(*narrowing(which))))
    return found


def case_counts(tx: Transaction, which: Selection) -> Any:
    """One row: cases opened in the period, those of them reopened, resolved and withdrawn since, and their times.

    `reached` and `closed` are the cases of one cycle whose customer was reached, and those resolved after that; `to_reach`
    and `to_close` the sums of their times in microseconds.
    """
    c = case_file.c
    whole = and_(c.cycle == 1, c.contacted_at.is_not(None), c.withdrawn_at.is_(None))
    closed = and_(whole, c.resolved_at.is_not(None))
    opened, contacted, resolved = (micros(tx, column) for column in (c.opened_at, c.contacted_at, c.resolved_at))
    least = func.greatest if tx.is_postgresql else func.max
    return tx.execute(
        select(
            func.count().label("cases"),
            func.count().filter(c.cycle > 1).label("reopened"),
            func.count().filter(c.resolved_at.is_not(None), c.withdrawn_at.is_(None)).label("resolved"),
            func.count().filter(c.withdrawn_at.is_not(None)).label("withdrawn"),
            func.count().filter(whole).label("reached"),
            func.sum(least(contacted - opened, 0)).filter(whole).label("to_reach"),
            func.count().filter(closed).label("closed"),
            func.sum(least(resolved - least(contacted, opened), 0)).filter(closed).label("to_close"),
        ).where(*opened_cases(tx, which))
    ).one()


def won_back(tx: Transaction, which: Selection) -> tuple[int, int]:
    """Resolved cases of the period, and those of them whose customer answered positively or bought after that."""
    c, e, payload = case_file.c, event.c, event.c.payload
    metric, score, scale = (
        payload["metric"].as_string(), payload["score"].as_float(), payload["scale"].as_float()
    )  # fmt: skip
    positive = or_(
        and_(metric == "nps", score > 8),
        and_(metric == "csat", score > 3),
        and_(metric == "ces", score > 4),
        and_(metric == "rating", (score - 1) * 4 >= (func.coalesce(scale, 2) - 1) * 3),
    )
    good = or_(e.type == "purchase.recorded", and_(e.type == "survey.answered", positive))
    since = [e.time > which.begin] if which.begin else []
    newest = select(e.customer_key, func.max(e.time).label("at")).where(good, *since).group_by(e.customer_key)
    newest_of = newest.subquery()
    joined = case_file.outerjoin(newest_of, newest_of.c.customer_key == c.customer_key)
    back = func.count().filter(newest_of.c.at > c.resolved_at)
    ended = (c.resolved_at.is_not(None), c.withdrawn_at.is_(None))
    row = tx.execute(
        select(func.count().label("ended"), back.label("back"))
        .select_from(joined)
        .where(*ended, *opened_cases(tx, which))
    ).one()
    return int(row.ended), int(row.back)


def proofs(tx: Transaction, which: Selection) -> list[Any]:
    """Contacts in which the customer was reached by `grade` (null: somebody's own word) and how late they were written down
    (`after`), `n` of each."""
    a, c = contact_attempt.c, case_file.c
    steps = [(_apart(tx, a.happened_at, a.recorded_at, length), name) for name, length in _LATENESS]
    after = case(*steps, else_=LATENESS[-1]).label("after")
    mine = [a.reached, *within(a.happened_at, which)]
    of_case = [column == v for column, v in ((c.segment, which.segment), (c.rule, which.rule)) if v]
    if which.person:
        mine.append(a.by == which.person)
    if of_case:
        mine.append(a.case_id.in_(select(c.id).where(*of_case)))
    return list(tx.execute(select(a.grade, after, func.count().label("n")).where(*mine).group_by(a.grade, after)))


def _apart(tx: Transaction, begin: Any, end: Any, length: timedelta) -> sa.ColumnElement[bool]:
    """Whether two instants are at most so far apart."""
    if not tx.is_postgresql:
        return micros(tx, end) - micros(tx, begin) <= length // timedelta(microseconds=1)
    moment = sa.DateTime(timezone=True)
    return sa.type_coerce(end, moment) <= sa.type_coerce(begin, moment) + sa.literal(length, sa.Interval())


def reconciliations(tx: Transaction, which: Selection) -> list[Any]:
    """The newest comparison of each source that touches the period, by source."""
    r = reconciliation.c
    touches = []
    if which.begin:
        touches.append(or_(r.last_day.is_(None), r.last_day >= f"{which.begin:%Y-%m-%d}"))
    if which.end:
        touches.append(or_(r.first_day.is_(None), r.first_day < f"{which.end:%Y-%m-%d}"))
    newest = select(func.max(r.id)).where(*touches).group_by(r.source)
    return list(tx.execute(select(reconciliation).where(r.id.in_(newest)).order_by(r.source)))


def add_reconciliation(tx: Transaction, values: Mapping[str, Any], now: datetime) -> None:
    tx.execute(reconciliation.insert().values(**values, recorded_at=now))


def open_dead_letters(tx: Transaction) -> int:
    """Events that could not be read or judged, and wait for somebody."""
    d = dead_letter.c
    waits = (d.replayed_at.is_(None), d.discarded_at.is_(None))
    return int(tx.execute(select(func.count()).select_from(dead_letter).where(*waits)).scalar_one())
