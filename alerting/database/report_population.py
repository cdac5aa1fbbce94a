"""What a report stands on: what arrived and what became of it, what sources said, how well contacts are proven."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import and_, case, func, or_, select

from alerting.database.engine import Transaction
from alerting.database.report_promises import clocks_with_cases, micros, narrowing, within
from alerting.database.tables import alert, case_file, clock, contact_attempt, dead_letter, event, reconciliation
from alerting.domain.evidence import AROUND, AT_ONCE
from alerting.domain.selection import Selection

_LATENESS = (("at once", AT_ONCE), ("within an hour", timedelta(hours=1)), ("within a day", timedelta(days=1)))
LATENESS = (*(name for name, _ in _LATENESS), "later")
"""How long after a contact it was written down."""


def sources(tx: Transaction, which: Selection) -> list[Any]:
    """Events of each `source` by `type` and why they are `excluded`, `n`; by the time of the event."""
    e = event.c
    counted = select(e.source, e.type, e.excluded, func.count().label("n")).where(*within(e.time, which))
    return list(tx.execute(counted.group_by(e.source, e.type, e.excluded)))


def answers(tx: Transaction, which: Selection) -> list[Any]:
    """Scored answers by `metric`, `score` and `scale`, `n` of each."""
    payload = event.c.payload
    groups = [payload["metric"].as_string(), payload["score"].as_float(), payload["scale"].as_float()]
    named = [group.label(name) for group, name in zip(groups, ("metric", "score", "scale"), strict=True)]
    counted = select(*named, func.count().label("n")).where(
        event.c.type == "survey.answered", *within(event.c.time, which)
    )
    return list(tx.execute(counted.group_by(sa.text("1"), sa.text("2"), sa.text("3"))))


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


def proofs(tx: Transaction, which: Selection) -> tuple[list[Any], list[Any]]:
    """Contacts in which the customer was reached by how late they were written down (`after`), `n`; and of them those some
    system reported, too, also by `is_log`: 1 in a phone log, 0 in another event. The rest is somebody's own word."""
    a, c = contact_attempt.c, case_file.c
    lag = micros(tx, a.recorded_at) - micros(tx, a.happened_at)
    steps = [(lag <= length // timedelta(microseconds=1), name) for name, length in _LATENESS]
    after = case(*steps, else_=LATENESS[-1]).label("after")
    mine = [a.reached, *within(a.happened_at, which)]
    mine += [column == v for column, v in ((a.by, which.person), (c.segment, which.segment), (c.rule, which.rule)) if v]
    made = select(a.id, a.channel, a.happened_at, c.customer_key, after).join_from(
        contact_attempt, case_file, c.id == a.case_id
    )
    contacts = (
        made.where(*mine).cte("contacts").prefix_with("MATERIALIZED").c
    )  # else all calls of all cases are joined first
    every = select(contacts.after, func.count().label("n")).group_by(contacts.after)
    call = _calls().subquery().c
    near = _near(tx, call.time, contacts.happened_at)
    same = and_(call.customer_key == contacts.customer_key, call.channel == contacts.channel, near)
    joined = contacts.id.table.join(call.time.table, same)
    graded = select(contacts.id, contacts.after, func.max(call.is_log).label("is_log")).select_from(joined)
    best = graded.group_by(contacts.id, contacts.after).subquery().c
    proven = select(best.after, best.is_log, func.count().label("n")).group_by(best.after, best.is_log)
    return list(tx.execute(every)), list(tx.execute(proven))


def _near(tx: Transaction, one: Any, other: Any) -> sa.ColumnElement[bool]:
    """At most half an hour apart. Asked of every pair of a customer's calls, so it reckons with what is stored."""
    if not tx.is_postgresql:
        return func.abs(micros(tx, one) - micros(tx, other)) <= AROUND // timedelta(microseconds=1)
    moment, around = sa.DateTime(timezone=True), sa.literal(AROUND, sa.Interval())
    at, then = sa.type_coerce(one, moment), sa.type_coerce(other, moment)
    return at.between(then - around, then + around)


def _calls() -> sa.Select[Any]:
    """What systems reported of ours turning to a customer, as `domain.evidence.proof_of` takes it."""
    e, payload = event.c, event.c.payload
    channel, length = payload["channel"].as_string(), payload["duration_seconds"].as_string()
    is_log = case((and_(channel == "phone", length.is_not(None)), 1), else_=0)
    outcome = func.coalesce(payload["outcome"].as_string(), "")
    return select(e.customer_key, e.time, channel.label("channel"), is_log.label("is_log")).where(
        e.type == "interaction.recorded",
        payload["direction"].as_string() == "outbound",
        outcome.not_in(["voicemail", "abandoned"]),
    )


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
