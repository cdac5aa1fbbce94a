"""Back-tests over the stored events: nothing is written, nothing is sent."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from alerting.database import customers, events, rulebooks
from alerting.database.engine import Transaction
from alerting.domain.backtesting import Comparison, Tally, Told, compare_over
from alerting.domain.rulebook import Rulebook
from alerting.services.context import Context

CHUNK = 500
"""Customers whose events and versions are held at a time."""

Progress = Callable[[int, int], None]
"""Told after each chunk: customers done just now, and customers in all."""


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """A comparison with its period and what to call the two rulebooks."""

    begin: datetime
    end: datetime
    a: str
    b: str | None
    rule: str | None
    found: Comparison
    names: dict[str, str]

    @property
    def noise(self) -> list[str]:
        """`3 more mails a month for Vera Sample`, most first."""
        changes = self.found.noise(self.begin, self.end)
        lines = sorted(changes.items(), key=lambda item: -abs(item[1]))
        return [
            f"{abs(n):g} {'more' if n > 0 else 'fewer'} mails a month for {self.names.get(person, person)}"
            for person, n in lines
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "from": self.begin,
            "to": self.end,
            "rulebooks": {"a": self.a, "b": self.b},
            "rule": self.rule,
            "events": self.found.events,
            "a": _tally(self.found.a),
            "b": _tally(self.found.b) if self.found.b else None,
            "new": self.found.new,
            "gone": self.found.gone,
            "samples_new": [asdict(alert) for alert in self.found.samples_new],
            "samples_gone": [asdict(alert) for alert in self.found.samples_gone],
            "noise": self.noise,
        }


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "alerts": tally.alerts,
        "by_week": {week.isoformat(): n for week, n in sorted(tally.by_week.items())},
        "by_person": dict(tally.by_person),
        "by_segment": dict(tally.by_segment),
        "by_rule": dict(tally.by_rule),
    }


def backtest(
    ctx: Context,
    begin: datetime,
    other: Rulebook | None,
    rule: str | None = None,
    progress: Progress = lambda done, of: None,
) -> Backtest:
    """The active rulebook over the events since `begin`, compared with `other` where there is one."""
    with ctx.db.read() as tx:
        active = ctx.shelf.active(tx)
        now = tx.now()
        staff = rulebooks.staff_at(tx, now)
        found = compare_over(_lives(tx, begin, now, progress), active, other, staff, begin, rule)
    return Backtest(
        begin=begin,
        end=now,
        a=active.hash,
        b=other.hash if other else None,
        rule=rule,
        found=found,
        names={party.id: party.name for party in staff.parties.values()},
    )


def _lives(tx: Transaction, begin: datetime, end: datetime, progress: Progress) -> Iterator[Told]:
    """Every customer with an event in the period, with all that was stored of it up to its end."""
    keys = events.customers_with_events(tx, begin, end)
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        histories = customers.histories(tx, chunk)
        stored = events.events_of_many(tx, chunk, end)
        for key, found in groupby(stored, key=lambda event: event.customer_key):
            versions = [(change.valid_from, state) for change, state in histories[key].versions]
            yield Told(key=key, events=list(found), versions=versions)
        progress(len(chunk), len(keys))
