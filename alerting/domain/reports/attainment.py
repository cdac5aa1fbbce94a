"""Response times: median, 90th percentile, slowest and share in target. Open and overdue counts as
missed.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerting.domain.cases.clocks import state_at

STATES = ("met", "late", "overdue", "running", "paused")
"""Of a promise. The first three are measured; what runs or is paused is neither kept nor missed
yet.
"""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One clock as a report sees it. `worked` is its working time; of an open one so far, None
    where nobody asked.
    """

    kind: str
    party: str
    case_id: int
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    paused_at: datetime | None = None
    worked: timedelta | None = None

    def state(self, now: datetime) -> str:
        return state_at(self.due_at, self.stopped_at, self.paused_at, now)

    def elapsed(self, now: datetime) -> timedelta:
        return (self.stopped_at or now) - self.started_at


@dataclass(frozen=True, kw_only=True)
class Quantile:
    """A duration; `at_least` when the promise it falls on is still open, so that it can only
    grow.
    """

    value: timedelta
    at_least: bool


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How long promises took: nearest-rank over the measured ones, those still open with their time
    so far.
    """

    median: Quantile | None = None
    p90: Quantile | None = None
    slowest: Quantile | None = None


@dataclass(frozen=True, kw_only=True)
class Attainment:
    """How one kind of promise was kept: `met + late + overdue` are measured, `running` and `paused`
    ones are not yet.

    `share` is met / measured. `felt` is what the customer waited, `working` the working time of it
    without pauses.
    """

    met: int = 0
    late: int = 0
    overdue: int = 0
    running: int = 0
    paused: int = 0
    felt: Spread = field(default_factory=Spread)
    working: Spread = field(default_factory=Spread)

    @property
    def measured(self) -> int:
        return self.met + self.late + self.overdue

    @property
    def missed(self) -> int:
        return self.late + self.overdue

    @property
    def share(self) -> float | None:
        return self.met / self.measured if self.measured else None

    @property
    def median(self) -> Quantile | None:
        return self.felt.median

    @property
    def p90(self) -> Quantile | None:
        return self.felt.p90


def attainment(promises: Iterable[Promise], now: datetime) -> Attainment:
    """Sum up promises of one kind."""
    states: dict[str, list[Promise]] = {state: [] for state in STATES}
    for promise in promises:
        states[promise.state(now)].append(promise)
    measured = [*states["met"], *states["late"], *states["overdue"]]
    known = [promise for promise in measured if promise.worked is not None]
    return replace(
        counted({state: len(found) for state, found in states.items()}),
        felt=_spread(measured, lambda p: p.elapsed(now)),
        working=_spread(known, lambda p: p.worked or timedelta(0)),
    )


def _spread(measured: Iterable[Promise], length: Callable[[Promise], timedelta]) -> Spread:
    ordered = sorted((length(p), p.stopped_at is None) for p in measured)
    return Spread(
        median=_nearest_rank(ordered, 50),
        p90=_nearest_rank(ordered, 90),
        slowest=_nearest_rank(ordered, 100),
    )


def _nearest_rank(ordered: Sequence[tuple[timedelta, bool]], percent: int) -> Quantile | None:
    if not ordered:
        return None
    value, is_open = ordered[rank(percent, len(ordered)) - 1]
    return Quantile(value=value, at_least=is_open)


def rank(percent: int, count: int) -> int:
    """Which of so many ordered values, from 1 on, has that percentage of them at or below it:
    nearest-rank.
    """
    return -(-count * percent // 100)


def nth(parts: Sequence[Sequence[int]], n: int) -> int:
    """The n-th smallest, from 1 on, of several ordered lists together, without putting them
    together.
    """
    low, high = min(part[0] for part in parts if part), max(part[-1] for part in parts if part)
    while low < high:
        middle = (low + high) // 2
        if sum(bisect_right(part, middle) for part in parts) >= n:
            high = middle
        else:
            low = middle + 1
    return low


def summed(parts: Iterable[Attainment]) -> Attainment:
    """Counts of several added up. Spreads do not add; there are none."""
    found = list(parts)
    return counted({state: sum(getattr(part, state) for part in found) for state in STATES})


def counted(states: Mapping[str, int]) -> Attainment:
    """How many promises are in which state; a state that is missing has none."""
    met, late, overdue, running, paused = (states.get(state, 0) for state in STATES)
    return Attainment(met=met, late=late, overdue=overdue, running=running, paused=paused)
