"""Firing: the due timers of some customers in one transaction. What they read is loaded for all of
them at once, and what they bring about is written at once: with a statement for each, thousands
that fall due together would take minutes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from alerting.database.audit import audit_entries
from alerting.database.cases import case_clocks, cases, timers
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.people import staff_facts
from alerting.database.rows.cases import TimerRow
from alerting.domain.audit.entries import Entry
from alerting.domain.cases.cases import Case
from alerting.domain.cases.clocks import Clock
from alerting.domain.customers.customers import Customer, History
from alerting.domain.mail.notifications import NewNotification
from alerting.domain.routing.staff import Staff
from alerting.services.context import Context


class Firing:
    """What the timers `due` of locked customers read, and what they have brought about so far.

    Whoever writes about a case by other ways calls `settle` before, so that everything stands in
    the order in which it happened, and `changed` after it.
    """

    def __init__(
        self, tx: Transaction, ctx: Context, due: Sequence[TimerRow], now: datetime
    ) -> None:
        self.tx, self.ctx, self.now, self.rulebook = tx, ctx, now, ctx.shelf.active(tx)
        self._due = due
        self._cases: dict[int, tuple[Case, list[Clock]]] = {}
        self._load(row.subject for row in due)
        self._notes: list[tuple[Case, NewNotification]] = []
        self._entries: list[Entry] = []
        self._fired: dict[str, list[int]] = {}

    def case(self, number: int) -> tuple[Case, list[Clock]]:
        """A case and all its clocks, as they stand now."""
        if number not in self._cases:
            self._load([number])
        return self._cases[number]

    def changed(self, number: int) -> None:
        """A case or one of its clocks is another now: the next timer reads it again."""
        del self._cases[number]

    def customer(self, key: str) -> Customer:
        """One of the timers' customers, by its newest version."""
        return self._histories[key].newest

    @cached_property
    def staff(self) -> Staff:
        return staff_facts.staff_at(self.tx, self.now)

    def tell(self, case: Case, notes: Iterable[NewNotification]) -> None:
        self._notes += [(case, note) for note in notes]

    def record(self, entry: Entry) -> None:
        self._entries.append(entry)

    def fired(self, timer_id: int, outcome: str) -> None:
        """A timer has done what it was set for; `outcome` is kept with it."""
        self._fired.setdefault(outcome, []).append(timer_id)

    def is_repeated(self, row: TimerRow) -> bool:
        """Whether the same step's next repetition is due, too: after a standstill one mail says
        it.
        """
        return bool(row.n < self._last_repetitions[row.subject, row.key])

    @cached_property
    def _last_repetitions(self) -> Mapping[tuple[int, str], int]:
        found: dict[tuple[int, str], int] = {}
        for row in self._due:
            found[row.subject, row.key] = max(row.n, found.get((row.subject, row.key), 0))
        return found

    def settle(self) -> None:
        """Write everything that was brought about since the last time."""
        about = [(case.id, case.customer_key, note) for case, note in self._notes]
        notifications.add_all(self.tx, about, self.ctx.mail_domain, self.now)
        audit_entries.write_all(self.tx, self._entries, self.now)
        for outcome, numbers in self._fired.items():
            timers.mark_fired(self.tx, numbers, outcome, self.now)
        self._notes, self._entries, self._fired = [], [], {}

    @cached_property
    def _histories(self) -> Mapping[str, History]:
        return customers.histories(self.tx, {row.customer_key for row in self._due})

    def _load(self, numbers: Iterable[int]) -> None:
        found = cases.cases_by_id(self.tx, numbers)
        clocks = case_clocks.clocks_of(self.tx, found)
        self._cases |= {number: (case, clocks[number]) for number, case in found.items()}
