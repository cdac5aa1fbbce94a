"""Figures about segments: who is in them, what their customers said, which cases they had, who
moved.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select

from alerting.database.engine import Transaction
from alerting.database.rows.cases import CaseRow, ClockOfCase
from alerting.database.rows.customers import AnswerRow, MoveRow, PurchaseRow
from alerting.database.tables import case_file, clock, customer_version, event, membership


def present(tx: Transaction) -> dict[str, str]:
    """Customer -> segment, as of now."""
    m = membership.c
    rows = tx.execute(select(m.customer_key, m.segment).where(m.superseded_at.is_(None)))
    return {row.customer_key: row.segment for row in rows}


def revenues(tx: Transaction) -> Mapping[str, object]:
    """Customer -> `revenue_with_us` of the newest version, where known."""
    v = customer_version.c
    newest = func.row_number().over(
        partition_by=v.customer_key,
        order_by=(v.valid_from.desc(), v.source.desc(), v.event_id.desc()),
    )
    numbered = select(
        v.customer_key, v.state["revenue_with_us"].label("revenue"), newest.label("nth")
    ).subquery()
    rows = tx.execute(
        select(numbered.c.customer_key, numbered.c.revenue).where(numbered.c.nth == 1)
    )
    return {row.customer_key: row.revenue for row in rows if row.revenue is not None}


def answers(tx: Transaction, begin: datetime) -> list[AnswerRow]:
    """Every scored survey answer since a moment: `customer_key`, `time`, `payload`."""
    e = event.c
    chosen = (e.type == "survey.answered", e.time >= begin)
    return tx.rows(
        AnswerRow, select(e.customer_key, e.time, e.payload).where(*chosen).order_by(e.time)
    )


def purchases(tx: Transaction, begin: datetime) -> list[PurchaseRow]:
    """`customer_key` and `time` of every purchase since a moment."""
    e = event.c
    return tx.rows(
        PurchaseRow,
        select(e.customer_key, e.time).where(e.type == "purchase.recorded", e.time >= begin),
    )


def cases_since(tx: Transaction, begin: datetime) -> list[CaseRow]:
    """Cases opened since a moment that were not withdrawn."""
    c = case_file.c
    return tx.rows(
        CaseRow,
        select(case_file).where(c.opened_at >= begin, c.withdrawn_at.is_(None)).order_by(c.id),
    )


def contact_clocks(tx: Transaction, begin: datetime) -> list[ClockOfCase]:
    """The contact clocks that count of cases opened since a moment, with the case's customer."""
    c, k = case_file.c, clock.c
    joined = clock.join(case_file, k.case_id == c.id)
    chosen = (
        k.kind == "contact",
        k.superseded_at.is_(None),
        c.opened_at >= begin,
        c.withdrawn_at.is_(None),
    )
    return tx.rows(ClockOfCase, select(clock, c.customer_key).select_from(joined).where(*chosen))


def moves(tx: Transaction, begin: datetime) -> list[MoveRow]:
    """Changes of segment since a moment: `customer_key`, `former`, `segment`, `valid_from`."""
    m = membership.c
    chosen = (m.valid_from >= begin, m.former.is_not(None), m.former != m.segment)
    return tx.rows(
        MoveRow,
        select(m.customer_key, m.former, m.segment, m.valid_from).where(*chosen).order_by(m.id),
    )
