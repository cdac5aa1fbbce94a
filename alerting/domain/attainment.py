"""Response times: median, 90th percentile and share in target. Open and overdue counts as missed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One clock as a report sees it."""

    kind: str
    party: str
    case_id: int
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None

    def state(self, now: datetime) -> str:
        """`met`, `late`, `overdue` (open and missed) or `running` (open, not yet due)."""
        if self.stopped_at is not None:
            return "met" if self.stopped_at <= self.due_at else "late"
        return "overdue" if now > self.due_at else "running"

    def elapsed(self, now: datetime) -> timedelta:
        return (self.stopped_at or now) - self.started_at


@dataclass(frozen=True, kw_only=True)
class Quantile:
    """A duration; `at_least` when the promise it falls on is still open, so that it can only grow."""

    value: timedelta
    at_least: bool


@dataclass(frozen=True, kw_only=True)
class Attainment:
    """How one kind of promise was kept: `met + late + overdue` are measured, `running` ones are not yet.

    `share` is met / measured. Median and p90 are nearest-rank over the measured, overdue ones with the time so far.
    """

    met: int
    late: int
    overdue: int
    running: int
    median: Quantile | None
    p90: Quantile | None

    @property
    def measured(self) -> int:
        return self.met + self.late + self.overdue

    @property
    def share(self) -> float | None:
        return self.met / self.measured if self.measured else None


def attainment(promises: Iterable[Promise], now: datetime) -> Attainment:
    """Sum up promises of one kind."""
    states: dict[str, list[Promise]] = {"met": [], "late": [], "overdue": [], "running": []}
    for promise in promises:
        states[promise.state(now)].append(promise)
    measured = [*states["met"], *states["late"], *states["overdue"]]
    measured.sort(key=lambda p: p.elapsed(now))
    return Attainment(
        met=len(states["met"]),
        late=len(states["late"]),
        overdue=len(states["overdue"]),
        running=len(states["running"]),
        median=_nearest_rank(measured, 0.5, now),
        p90=_nearest_rank(measured, 0.9, now),
    )


def _nearest_rank(ordered: Sequence[Promise], share: float, now: datetime) -> Quantile | None:
    if not ordered:
        return None
    chosen = ordered[max(ceil(share * len(ordered)) - 1, 0)]
    return Quantile(value=chosen.elapsed(now), at_least=chosen.stopped_at is None)
