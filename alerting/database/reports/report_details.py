"""What a report tells one by one: what lies behind breaches, what changed, what is open, the
seal.
"""

import json
from collections.abc import Sequence
from datetime import datetime

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
from alerting.database.rows.audit import CheckpointRow
from alerting.database.rows.cases import ClockOfCase, CorrectionRow, EffectReviewRow, WaitRow
from alerting.database.rows.reports import LoadRow, PauseRow
from alerting.database.rows.rules import ActivationRow
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
from alerting.domain.audit.entries import Deed
from alerting.domain.audit.seals import Head
from alerting.domain.fields import Fields
from alerting.domain.reports.selection import Selection


def entries_of_cases(tx: Transaction, case_ids: Sequence[int]) -> dict[int, list[Deed]]:
    """What the audit says about these cases, oldest first."""
    e, found = audit_entry.c, dict[int, list[Deed]]()
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
        facts = Fields(json.loads(bytes(row.body))["facts"])
        entry = Deed(action=row.action, at=row.happened_at, facts=facts)
        found.setdefault(int(row.subject_id), []).append(entry)
    return found


def waits_of_cases(tx: Transaction, case_ids: Sequence[int]) -> dict[int, list[WaitRow]]:
    found: dict[int, list[WaitRow]] = {}
    mine = select(wait).where(among(tx, wait.c.case_id, case_ids))
    for row in tx.rows(WaitRow, mine.order_by(wait.c.id)):
        found.setdefault(row.case_id, []).append(row)
    return found


def reviews_of_cases(
    tx: Transaction, case_ids: Sequence[int]
) -> dict[tuple[int, int], EffectReviewRow]:
    """The effectiveness review of each case and cycle."""
    r = effectiveness_review.c
    mine = select(effectiveness_review).where(among(tx, r.case_id, case_ids))
    rows = tx.rows(EffectReviewRow, mine.order_by(r.cycle))
    return {(row.case_id, row.cycle): row for row in rows}


def activations(tx: Transaction, which: Selection) -> list[tuple[ActivationRow, str | None]]:
    """Rulebooks that came into force in the period, oldest first, each with the hash of the one
    before it.
    """
    upto = [activation.c.activated_at < which.end] if which.end else []
    rows = tx.rows(ActivationRow, select(activation).where(*upto).order_by(activation.c.id))
    formers = [None, *(row.rulebook for row in rows)]
    return [
        (row, former)
        for row, former in zip(rows, formers, strict=False)
        if not which.begin or row.activated_at >= which.begin
    ]


def corrections(tx: Transaction, which: Selection) -> list[CorrectionRow]:
    """Corrections proposed or decided in the period, oldest first."""
    c = correction.c
    proposed, decided = within(c.proposed_at, which), within(c.decided_at, which)
    touches = [or_(a, b) for a, b in zip(proposed, decided, strict=True)]
    return tx.rows(CorrectionRow, select(correction).where(*touches).order_by(c.id))


def pauses(tx: Transaction, which: Selection, now: datetime) -> list[PauseRow]:
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
    return tx.rows(PauseRow, joined.group_by(w.waiting_for).order_by(w.waiting_for))


def load(tx: Transaction, which: Selection, now: datetime) -> list[LoadRow]:
    """How many open clocks of now, whatever the period, each `party` has in each state."""
    k = clock.c
    counted = select(k.party, *counts(now)).select_from(clocks_with_cases())
    mine = (*narrowing(which), k.stopped_at.is_(None), case_file.c.status != "resolved")
    return tx.rows(LoadRow, counted.where(*mine).group_by(k.party))


def next_promises(
    tx: Transaction, which: Selection, now: datetime, limit: int
) -> list[ClockOfCase]:
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
    return tx.rows(ClockOfCase, statement.order_by(k.due_at, k.case_id, k.kind).limit(limit))


def seal(tx: Transaction) -> tuple[Head, int, CheckpointRow | None]:
    """The end of the chain, how many entries wait for their seal, the newest checkpoint that was
    handed out.
    """
    waiting = tx.execute(select(func.count()).select_from(audit_unsealed)).scalar_one()
    newest = select(audit_checkpoint).order_by(audit_checkpoint.c.id.desc()).limit(1)
    return seals.head_of(tx), int(waiting), tx.first(CheckpointRow, newest)
