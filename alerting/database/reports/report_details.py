"""What a report tells one by one: what lies behind breaches, what changed, what is open, the
seal.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, or_, select

from alerting.database.audit import seals
from alerting.database.engine import Transaction
from alerting.database.reports.report_conditions import (
    clocks_with_cases,
    counts,
    like,
    micros,
    narrowing,
    of_person,
    within,
)
from alerting.database.sets import among
from alerting.database.tables import (
    activation,
    audit_checkpoint,
    audit_entry,
    audit_unsealed,
    case_file,
    clock,
    correction,
    effectiveness_review,
    wait,
)
from alerting.domain.audit.seals import Head
from alerting.domain.reports.selection import Selection


def entries_of_cases(tx: Transaction, case_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """What the audit says about these cases, oldest first: `action`, `facts`, `at`."""
    e, found = audit_entry.c, dict[int, list[dict[str, Any]]]()
    mine = (
        e.subject_kind == "case",
        among(tx, e.subject_id, [str(case_id) for case_id in case_ids]),
    )
    rows = tx.execute(
        select(e.subject_id, e.action, e.happened_at, e.body)
        .where(*mine)
        .order_by(e.happened_at, e.id)
    )
    for row in rows:
        entry = {
            "action": row.action,
            "at": row.happened_at,
            "facts": json.loads(bytes(row.body))["facts"],
        }
        found.setdefault(int(row.subject_id), []).append(entry)
    return found


def waits_of_cases(tx: Transaction, case_ids: Sequence[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in tx.execute(
        select(wait).where(among(tx, wait.c.case_id, case_ids)).order_by(wait.c.id)
    ):
        found.setdefault(row.case_id, []).append(row)
    return found


def reviews_of_cases(tx: Transaction, case_ids: Sequence[int]) -> dict[tuple[int, int], Any]:
    """The effectiveness review of each case and cycle."""
    r = effectiveness_review.c
    rows = tx.execute(
        select(effectiveness_review).where(among(tx, r.case_id, case_ids)).order_by(r.cycle)
    )
    return {(row.case_id, row.cycle): row for row in rows}


def activations(tx: Transaction, which: Selection) -> list[tuple[Any, str | None]]:
    """Rulebooks that came into force in the period, oldest first, each with the hash of the one
    before it.
    """
    upto = [activation.c.activated_at < which.end] if which.end else []
    rows = list(tx.execute(select(activation).where(*upto).order_by(activation.c.id)))
    formers = [None, *(row.rulebook for row in rows)]
    return [
        (row, former)
        for row, former in zip(rows, formers, strict=False)
        if not which.begin or row.activated_at >= which.begin
    ]


def corrections(tx: Transaction, which: Selection) -> list[Any]:
    """Corrections proposed or decided in the period, oldest first."""
    c = correction.c
    proposed, decided = within(c.proposed_at, which), within(c.decided_at, which)
    touches = [or_(a, b) for a, b in zip(proposed, decided, strict=True)]
    return list(tx.execute(select(correction).where(*touches).order_by(c.id)))


def pauses(tx: Transaction, which: Selection, now: datetime) -> list[Any]:
    """Waits that began in the period by `waiting_for`: `n`, those that `last`, and the sum of their
    `time` in microseconds.
    """
    w, c = wait.c, case_file.c
    length = micros(tx, func.coalesce(w.ended_at, literal(now, w.ended_at.type))) - micros(
        tx, w.began_at
    )
    last = func.count().filter(w.ended_at.is_(None)).label("last")
    narrowed = [*like(case_file, which), *of_person(w.by, which)]
    summed = select(w.waiting_for, func.count().label("n"), last, func.sum(length).label("time"))
    joined = summed.join_from(wait, case_file, c.id == w.case_id).where(
        *within(w.began_at, which), *narrowed
    )
    return list(tx.execute(joined.group_by(w.waiting_for).order_by(w.waiting_for)))


def load(tx: Transaction, which: Selection, now: datetime) -> list[Any]:
    """How many open clocks of now, whatever the period, each `party` has in each state."""
    k = clock.c
    counted = select(k.party, *counts(now)).select_from(clocks_with_cases())
    mine = (*narrowing(which), k.stopped_at.is_(None), case_file.c.status != "resolved")
    return list(tx.execute(counted.where(*mine).group_by(k.party)))


def next_promises(tx: Transaction, which: Selection, now: datetime, limit: int) -> list[Any]:
    """Open promises that run, the next to be missed first, each with its customer."""
    k, c = clock.c, case_file.c
    mine = (
        *narrowing(which),
        k.stopped_at.is_(None),
        k.paused_at.is_(None),
        k.due_at >= now,
        c.status != "resolved",
    )
    statement = select(clock, c.customer_key).select_from(clocks_with_cases()).where(*mine)
    return list(tx.execute(statement.order_by(k.due_at, k.case_id, k.kind).limit(limit)))


def seal(tx: Transaction) -> tuple[Head, int, Any]:
    """The end of the chain, how many entries wait for their seal, the newest checkpoint that was
    handed out.
    """
    waiting = tx.execute(select(func.count()).select_from(audit_unsealed)).scalar_one()
    newest = select(audit_checkpoint).order_by(audit_checkpoint.c.id.desc()).limit(1)
    return seals.head_of(tx), int(waiting), tx.execute(newest).first()
