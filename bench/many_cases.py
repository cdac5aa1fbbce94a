"""Many open cases for the figures: a hundred are made by intake, and their rows are copied set by
set.
"""

import json
from typing import Any

from sqlalchemy import ScalarSelect, String, Table, cast, func, insert, literal, select, text, true

from alerting.bootstrap import App
from alerting.database.engine import Transaction
from alerting.database.tables import case_file, clock, customer, customer_version, timer
from alerting.services.intake.take_records import Record, take_records
from bench.recomputing import store_customers

MADE = 100


def open_cases(app: App, count: int) -> None:
    """`count` customers, a multiple of a hundred, each with an open case, its clocks and its
    timers; nothing is due yet.

    What else intake leaves (events, alerts, audit, mails) is there for the first hundred only.
    """
    with app.ctx.db.write() as tx:
        store_customers(tx, tx.now(), MADE)
    take_records(app.ctx, [_answer(number) for number in range(MADE)])
    if count > MADE:
        with app.ctx.db.write() as tx:
            _copy(tx, count // MADE - 1)
    tidy(app)


def tidy(app: App) -> None:
    """What PostgreSQL's autovacuum does by and by. Nothing does so for SQLite."""
    if app.ctx.db.engine.dialect.name == "postgresql":
        with app.ctx.db.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(text("VACUUM ANALYZE"))


def first_steps() -> ScalarSelect[int]:
    """The number of the first timer of each case that tells somebody."""
    firsts = select(func.min(timer.c.id)).where(timer.c.kind == "step")
    return firsts.group_by(timer.c.subject).scalar_subquery()


def _answer(number: int) -> Record:
    said = {
        "customer_id": f"C{number:07}",
        "survey_id": "relationship",
        "metric": "nps",
        "score": 2,
    }
    envelope = {
        "specversion": "1.0",
        "type": "survey.answered",
        "source": "/bench",
        "id": str(number),
        "data": said,
    }
    return Record(
        place=f"bench:{number}",
        offset=0,
        value=json.dumps(envelope).encode(),
        headers={},
        timestamp=None,
    )


def _copy(tx: Transaction, times: int) -> None:
    """Every customer so many times more, under keys and numbers of their own."""
    copies = select(literal(1).label("n")).cte("copies", recursive=True)
    copies = copies.union_all(select(copies.c.n + 1).where(copies.c.n < times))
    n, step = copies.c.n, tx.execute(select(func.max(case_file.c.id))).scalar_one()

    def copy(
        table: Table,
        *,
        key: str | None = None,
        number: str | None = None,
        without: str | None = None,
    ) -> None:
        columns = {c.name: c for c in table.c if c.name != without}
        chosen: dict[str, Any] = dict(columns)
        if key:
            chosen[key] = columns[key] + "-" + cast(n, String)
        if number:
            chosen[number] = columns[number] + n * step
        rows = select(*chosen.values()).select_from(table.join(copies, true()))
        tx.execute(insert(table).from_select(list(chosen), rows))

    copy(customer, key="key")
    copy(customer_version, key="customer_key", without="id")
    copy(case_file, key="customer_key", number="id")
    copy(clock, number="case_id")
    copy(timer, key="customer_key", number="subject", without="id")
