"""Cases as lists show them: whose they are, and what is promised next."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.database.cases import case_clocks
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.database.rows.cases import CaseRow
from alerting.domain.cases.clocks import Clock
from alerting.services.context import Context


@dataclass(frozen=True, kw_only=True)
class CaseList:
    """Some cases, as of `now`; `total` of them there are."""

    rows: Sequence[Mapping[str, object]]
    total: int
    now: datetime


def case_list(ctx: Context, find: Callable[[Transaction], tuple[int, list[CaseRow]]]) -> CaseList:
    """Each case with its customer's name, its caller's, its segment's title and the promise that is
    due next.
    """
    with ctx.db.read() as tx:
        now = tx.now()
        total, rows = find(tx)
        clocks = case_clocks.clocks_of(tx, [row.id for row in rows])
        histories = customers.histories(tx, [row.customer_key for row in rows])
        staff, rulebook = staff_facts.staff_at(tx, now), ctx.shelf.active(tx)
    listed = []
    for row in rows:
        caller = staff.get(row.caller)
        listed.append(
            {
                "row": row,
                "customer": histories[row.customer_key].as_of(now).name,
                "caller": caller.name if caller else row.caller,
                "segment": rulebook.segment_title(row.segment),
                "next": _next(row, clocks[row.id]),
            }
        )
    return CaseList(rows=listed, total=total, now=now)


def _next(row: CaseRow, clocks: Iterable[Clock]) -> Clock | None:
    running = sorted(
        (c for c in clocks if c.running and c.cycle == row.cycle), key=lambda c: c.due_at
    )
    newest = {c.kind: c for c in sorted(running, key=lambda c: c.plan)}
    return min(newest.values(), key=lambda c: c.due_at, default=None)
