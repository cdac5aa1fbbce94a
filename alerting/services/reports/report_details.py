"""The parts of a report that are told one by one: breaches, changes, the seal; what is open now."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.reports import report_details as details
from alerting.database.reports import report_promises as promises
from alerting.domain.reports.breaches import Broken, reasons
from alerting.domain.reports.selection import Selection
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook_diff import RulebookDiff, compare
from alerting.services.cases.load_clocks import read_rulebook
from alerting.services.context import Context
from alerting.services.reports.report_lines import Breach, Change, Load, Open, SealState, Stay

SHOWN = 200
"""Breaches told one by one; the worst first. The exports have all."""

COMPARED = 20
"""Rulebooks that are compared with the one before; each has to be read whole."""

NEXT = 20
"""Open promises that are shown."""

_MICROSECOND = timedelta(microseconds=1)


def breaches(tx: Transaction, which: Selection, now: datetime, staff: Staff) -> list[Breach]:
    """The worst of what was missed, each with what the audit knows about it."""
    rows = promises.missed(tx, which, now, SHOWN)
    ids = sorted({row.case_id for row in rows})
    names = _customers(tx, {row.customer_key for row in rows}, now)
    entries, waits = details.entries_of_cases(tx, ids), details.waits_of_cases(tx, ids)
    reviews = details.reviews_of_cases(tx, ids)

    def name(party: str) -> str:
        found = staff.get(party)
        return found.name if found else party

    def breach(row: Any) -> Breach:
        ended = row.stopped_at or now
        broken = Broken(
            kind=row.kind,
            cycle=row.cycle,
            started_at=row.started_at,
            due_at=row.due_at,
            ended=ended,
        )
        return Breach(
            case_id=row.case_id,
            cycle=row.cycle,
            clock=row.kind,
            customer_key=row.customer_key,
            customer=names[row.customer_key],
            party=row.party,
            name=name(row.party),
            started_at=row.started_at,
            due_at=row.due_at,
            stopped_at=row.stopped_at,
            over=row.over * _MICROSECOND,
            reasons=reasons(broken, entries.get(row.case_id, ()), waits.get(row.case_id, ()), name),
            root_cause=row.root_cause,
            action=row.action,
            corrective_action=row.corrective_action,
            effect=_effect(reviews.get((row.case_id, row.cycle))),
        )

    return [breach(row) for row in rows]


def _effect(review: Any) -> str:
    if review is None:
        return ""
    if review.done_at is None:
        return f"review due {review.due_at:%Y-%m-%d}"
    return "effective" if review.effective else "not effective"


def _customers(tx: Transaction, keys: set[str], now: datetime) -> dict[str, str]:
    return {key: h.as_of(now).name for key, h in customers.histories(tx, sorted(keys)).items()}


def the_rest(
    tx: Transaction, ctx: Context, which: Selection, now: datetime, staff: Staff
) -> dict[str, Any]:
    """What changed, the seal, waits, load, the next promises: small reads, in one transaction."""
    upcoming = details.next_promises(tx, which, now, NEXT)
    return {
        "activations": _activations(tx, ctx, which),
        "corrections": details.corrections(tx, which),
        "seal": details.seal(tx),
        "pauses": details.pauses(tx, which, now),
        "load": details.load(tx, which, now),
        "upcoming": upcoming,
        "customers": _customers(tx, {row.customer_key for row in upcoming}, now),
    }


def about(rest: Mapping[str, Any], cases: Any, name: Callable[[str], str]) -> dict[str, Any]:
    """The members of the report that come of `the_rest`."""
    head, unsealed, checkpoint = rest["seal"]
    told = [*rest["activations"]] + [_correction(row, name) for row in rest["corrections"]]
    return {
        "changes": sorted(told, key=lambda change: change.at),
        "seal": SealState(
            entries=head.seq,
            head=str(head),
            unsealed=unsealed,
            checkpoint=None if checkpoint is None else f"{checkpoint.seq}:{checkpoint.hash}",
            checkpoint_at=None if checkpoint is None else checkpoint.recorded_at,
        ),
        "stays": _stays(cases, rest["pauses"]),
        "load": _load(rest["load"], name),
        "next_promises": [
            Open(
                case_id=row.case_id,
                clock=row.kind,
                customer=rest["customers"][row.customer_key],
                party=row.party,
                name=name(row.party),
                due_at=row.due_at,
            )
            for row in rest["upcoming"]
        ],
    }


def _activations(tx: Transaction, ctx: Context, which: Selection) -> list[Change]:
    """What came into force in the period, each with what is different from what was in force before
    it; of many the newest.
    """
    found: list[Change] = []
    rows = details.activations(tx, which)
    for number, (row, former) in enumerate(rows):
        told = number >= len(rows) - COMPARED
        before = read_rulebook(tx, ctx, former) if told and former else None
        after = read_rulebook(tx, ctx, row.rulebook) if before is not None else None
        different = (
            compare(before, after) if after is not None else RulebookDiff(rules=(), lines=())
        )
        approved = f", approved by {row.approver}" if row.approver else ""
        found.append(
            Change(
                at=row.activated_at,
                what="rules",
                by=row.author,
                words=f"rules {row.rulebook[:12]} came into force{approved}: {row.reason}",
                rules=different.rules,
                lines=different.lines,
            )
        )
    return found


def _correction(row: Any, name: Callable[[str], str]) -> Change:
    state = {None: "proposed", True: "approved", False: "declined"}[row.approved]
    decided = f" by {name(row.decided_by)}" if row.decided_by else ""
    words = (
        f"time of {row.what}: {row.was:%Y-%m-%d %H:%M}Z becomes "
        f"{row.becomes:%Y-%m-%d %H:%M}Z, {state}{decided}"
    )
    reason = f": {row.reason}" if row.reason else ""
    at = row.decided_at or row.proposed_at
    return Change(
        at=at, what="correction", by=name(row.by), words=words + reason, case_id=row.case_id
    )


def _stays(cases: Any, pauses: Sequence[Any]) -> list[Stay]:
    """Mean times; of cases of one cycle, for a case that was reopened has stood in its statuses
    more than once.
    """

    def mean(total: Any, count: int) -> timedelta | None:
        return int(total) // count * _MICROSECOND if count else None

    found = [
        Stay(
            status="open until somebody took it",
            count=cases.reached,
            mean=mean(cases.stood_open, cases.reached),
        ),
        Stay(
            status="acknowledged until the customer was reached",
            count=cases.taken,
            mean=mean(cases.stood_taken, cases.taken),
        ),
        Stay(
            status="contacted until resolved",
            count=cases.closed,
            mean=mean(cases.to_close, cases.closed),
        ),
    ]
    words = {"customer": "the customer", "third_party": "a third party"}
    return found + [
        Stay(
            status=f"waiting for {words[row.waiting_for]}",
            count=row.n,
            mean=mean(row.time, row.n),
            lasting=row.last,
        )
        for row in pauses
    ]


def _load(rows: Sequence[Any], name: Callable[[str], str]) -> list[Load]:
    found = [
        Load(
            party=row.party,
            name=name(row.party),
            running=row.running,
            paused=row.paused,
            overdue=row.overdue,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (-one.overdue, -one.running, one.name))
