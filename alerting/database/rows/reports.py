"""Rows that reports are made of: counts and sums, by what they are told apart by."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

Sum = int | Decimal | None
"""PostgreSQL sums whole numbers as `numeric`; of nothing the sum is None."""


@dataclass(frozen=True, kw_only=True)
class ArrivedRow:
    """How many events of a source, by their sentiment and why they were excluded."""

    source: str
    sentiment: str | None
    excluded: str | None
    n: int


@dataclass(frozen=True, kw_only=True)
class AlertCountRow:
    """How many alerts, by why they told nobody and by state; `rang`: those of them in a case."""

    suppressed: str | None
    state: str
    n: int
    rang: int


@dataclass(frozen=True, kw_only=True)
class CaseCountsRow:
    """Cases of a period and what became of them; times are sums in microseconds."""

    cases: int
    reopened: int
    resolved: int
    back: int
    withdrawn: int
    forgotten: int
    reached: int
    taken: int
    closed: int
    stood_open: Sum
    stood_taken: Sum
    to_close: Sum


@dataclass(frozen=True, kw_only=True)
class ProofRow:
    """How many contacts, by their proof (None: somebody's own word) and how late they were
    recorded.
    """

    grade: str | None
    after: str
    n: int


@dataclass(frozen=True, kw_only=True)
class PauseRow:
    """How many waits for whom, those that go on, and the sum of their time in microseconds."""

    waiting_for: str
    n: int
    last: int
    time: Sum


@dataclass(frozen=True, kw_only=True)
class StateCounts:
    """How many clocks are in each state."""

    met: int
    late: int
    overdue: int
    running: int
    paused: int


@dataclass(frozen=True, kw_only=True)
class LoadRow(StateCounts):
    """The open clocks of one person or office."""

    party: str


@dataclass(frozen=True, kw_only=True)
class WeekRow(StateCounts):
    """The clocks of one kind that began in the week of that Monday."""

    kind: str
    week: datetime


@dataclass(frozen=True, kw_only=True)
class DurationsRow(StateCounts):
    """The clocks of one group; `felt` and `worked` are eight bytes for each that is done, as
    `int8send` writes them.
    """

    kind: str
    party: str
    segment: str
    territory: str
    rule: str
    felt: bytes | None
    worked: bytes | None
