"""What the weekly mail is made of: open promises, and who has been written to."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from alerting.database.engine import Transaction
from alerting.database.rows.messages import OpenPromiseRow
from alerting.database.tables import case_file, clock, weekly_mail


def open_promises(tx: Transaction, parties: Sequence[str]) -> list[OpenPromiseRow]:
    """Running clocks of these people, what is due next first: case_id, kind, party, due_at,
    paused_at, customer, segment.
    """
    running = (
        clock.c.stopped_at.is_(None),
        clock.c.superseded_at.is_(None),
        clock.c.party.in_(parties),
    )
    columns = (clock.c.case_id, clock.c.kind, clock.c.party, clock.c.due_at, clock.c.paused_at)
    chosen = select(*columns, case_file.c.customer_key, case_file.c.segment)
    chosen = chosen.join(case_file, case_file.c.id == clock.c.case_id).where(*running)
    return tx.rows(OpenPromiseRow, chosen.order_by(clock.c.due_at, clock.c.case_id, clock.c.kind))


def told_weekly(tx: Transaction, due: Mapping[str, str]) -> set[tuple[str, str]]:
    """Of these people and weeks those whose mail is written."""
    w = weekly_mail.c
    rows = tx.execute(select(w.party, w.week).where(w.week.in_(sorted(set(due.values())))))
    return {(row.party, row.week) for row in rows}


def note_weekly(tx: Transaction, party: str, week: str, now: datetime) -> int | None:
    """The number of the mail; None where somebody else has written it."""
    row = {"party": party, "week": week, "recorded_at": now}
    statement = (
        tx.insert(weekly_mail).values(**row).on_conflict_do_nothing().returning(weekly_mail.c.id)
    )
    return tx.execute(statement).scalar()
