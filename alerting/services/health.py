"""How the system is: what probes and Prometheus ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from alerting.database import instance
from alerting.database.alerts import mutes, unknown_conditions
from alerting.database.cases import cases, timers
from alerting.database.intake import dead_letters, positions
from alerting.database.mail import notifications
from alerting.database.rulebook import rulebooks
from alerting.domain.errors import Temporary
from alerting.services.context import Context
from alerting.services.intake.event_log import EventLog


@dataclass(frozen=True, kw_only=True)
class SystemHealth:
    """One look at everything that may wait. `lag` by topic/partition; None where the event log did
    not answer.
    """

    now: datetime
    lag: dict[str, int] | None
    outbox: int
    outbox_oldest_seconds: float
    timers_overdue: int
    dead_letters: int
    unknown_conditions: dict[str, int]
    suppressed: Mapping[str, int]
    gaps: int
    stopped: dict[str, str]
    hold_reason: str | None
    open_cases: int


def look(ctx: Context, event_log: EventLog) -> SystemHealth:
    """Ask the database and the event log. Raises DatabaseUnavailable; a silent log shows as lag
    None.
    """
    try:
        ends = event_log.ends()
    except Temporary:
        ends = None
    with ctx.db.read() as tx:
        now = tx.now()
        known = positions.all_positions(tx)
        waiting, oldest = notifications.outbox(tx)
        return SystemHealth(
            now=now,
            lag=None
            if ends is None
            else _lag(ends, {(p.topic, p.partition): n for p, n in known.items()}),
            outbox=waiting,
            outbox_oldest_seconds=(now - oldest).total_seconds() if oldest else 0.0,
            timers_overdue=timers.overdue_count(tx, now),
            dead_letters=dead_letters.waiting_dead_letters(tx),
            unknown_conditions=unknown_conditions.unknown_by_rule(tx),
            suppressed=mutes.suppressed_by_reason(tx),
            gaps=positions.gap_count(tx),
            stopped=positions.stopped_partitions(tx),
            hold_reason=instance.hold_reason(tx),
            open_cases=cases.open_count(tx),
        )


def _lag(
    ends: Mapping[tuple[str, int], int], known: Mapping[tuple[str, int], int]
) -> dict[str, int]:
    return {
        f"{topic}/{number}": max(end - known.get((topic, number), 0), 0)
        for (topic, number), end in ends.items()
    }


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether work can be taken; `problems` says what stands in the way."""

    problems: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        return not self.problems


def readiness(ctx: Context, event_log: EventLog) -> Readiness:
    """Database, rulebook and event log, each with its own reason."""
    problems: dict[str, str] = {}
    try:
        with ctx.db.read() as tx:
            if rulebooks.active_hash(tx) is None:
                problems["rulebook"] = "none is active; run `alerting rules activate`"
            problems |= {
                f"partition {name}": why for name, why in positions.stopped_partitions(tx).items()
            }
    except Temporary as error:
        problems["database"] = str(error)
    try:
        event_log.ends()
    except Temporary as error:
        problems["event_log"] = str(error)
    return Readiness(problems=problems)
