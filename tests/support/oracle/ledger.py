"""The ledger of the clocks, replayed: the report's figures once more, by plain counting."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from alerting.database import tables
from tests.support.world import World

READ = (
    "clock_entry",
    "case_file",
    "alert",
    "event",
    "contact_attempt",
    "audit_entry",
    "audit_seal",
    "wait",
    "activation",
)


def _apply(clock: dict[str, Any], e: Any) -> None:
    """What a later entry does to a clock that was started."""
    match e.what:
        case "missed":
            clock["missed_by"] = e.party
        case "paused":
            clock["since"] = e.happened_at
        case "resumed":
            clock["pauses"].append((clock["since"], e.happened_at))
            clock["since"] = None
        case "stopped" | "corrected":
            clock["stop"], clock["since"] = e.happened_at, None
        case "superseded":
            clock["gone"] = True


def _office(begin: datetime, end: datetime) -> timedelta:
    total, day = timedelta(0), datetime.combine(begin.date(), time(), UTC)
    while day < end:
        if day.weekday() < 5:
            total += max(
                timedelta(0),
                min(end, day + timedelta(hours=17)) - max(begin, day + timedelta(hours=9)),
            )
        day += timedelta(days=1)
    return total


class Ledger:
    """The same figures once more, from the ledger's entries and plain counting; nothing of the
    product's is used.
    """

    def __init__(
        self, world: World, now: datetime, begin: datetime | None, end: datetime | None
    ) -> None:
        self.now, self.begin, self.end = now, begin, end
        self.rows = {t: world.rows(select(tables.metadata.tables[t])) for t in READ}
        self.office_since = max(row.activated_at for row in self.rows["activation"])
        self.cases = {row.id: row for row in self.rows["case_file"]}
        self.clocks = self.replayed()

    def within(self, at: datetime) -> bool:
        return (self.begin is None or at >= self.begin) and (self.end is None or at < self.end)

    def replayed(self) -> list[dict[str, Any]]:
        """The clocks that count, started within the time that is looked at."""
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for e in self.rows["clock_entry"]:
            key = (e.case_id, e.cycle, e.kind, e.plan)
            new = {"key": key, "kind": e.kind, "case": e.case_id, "pauses": []}
            clock = found.setdefault(key, {**new, "stop": None, "gone": False})
            clock["due"], clock["party"] = e.due_at, e.party
            if e.what == "started":
                self._start(clock, e, found.values())
            else:
                _apply(clock, e)
        self._give_to_whoever_owes(found.values())
        return [
            clock for clock in found.values() if not clock["gone"] and self.within(clock["start"])
        ]

    def _start(self, clock: dict[str, Any], e: Any, every: Iterable[dict[str, Any]]) -> None:
        clock["start"], clock["since"] = e.happened_at, None
        same = [c for c in every if (c["case"], c["kind"]) == (e.case_id, e.kind)]
        former = [c for c in same if c.get("missed_by")]
        if any((c["start"], c["due"]) == (e.happened_at, e.due_at) for c in former):
            clock["missed_by"] = e.party  # owed on in the next cycle, and missed before it began
        clock["office"] = e.policy == "call_in_3d" and e.recorded_at >= self.office_since

    def _give_to_whoever_owes(self, clocks: Iterable[dict[str, Any]]) -> None:
        owed = self._owed()
        for clock in clocks:
            if clock.get("missed_by"):
                clock["party"] = clock["missed_by"]  # whoever missed it, missed it
            elif clock["stop"] is None and clock["key"][1] == self.cases[clock["case"]].cycle:
                clock["party"] = owed[clock["case"]].get(clock["kind"], clock["party"])

    def _owed(self) -> dict[int, dict[str, str]]:
        """An open clock is owed by whoever has the case now."""
        return {
            row.id: {
                "acknowledge": row.caller,
                "contact": row.caller,
                "resolve": row.fixer or row.caller,
            }
            for row in self.rows["case_file"]
        }

    def state(self, clock: dict[str, Any]) -> str:
        if clock["stop"] is not None:
            return "met" if clock["stop"] <= clock["due"] else "late"
        if clock["since"] is not None:
            return "paused"
        return "overdue" if clock["due"] < self.now else "running"

    def felt(self, clock: dict[str, Any]) -> float:
        return float(((clock["stop"] or self.now) - clock["start"]).total_seconds())

    def working(self, clock: dict[str, Any]) -> float:
        """Without pauses; the contacts of the second rules count weekdays from nine to five, all
        else counts always.
        """
        end, office = clock["stop"] or self.now, clock["office"]
        spans = [(clock["start"], end)]
        for begin, until in clock["pauses"]:
            parts = [part for a, b in spans for part in ((a, min(b, begin)), (max(a, until), b))]
            spans = [(a, b) for a, b in parts if a < b]
        return sum(
            (_office(a, b) if office else b - a for a, b in spans), timedelta(0)
        ).total_seconds()

    def lines(self, group: str) -> dict[tuple[str, str | None], dict[str, Any]]:
        groups = defaultdict(list)
        for clock in self.clocks:
            case = self.cases[clock["case"]]
            week = (clock["start"] - timedelta(days=clock["start"].weekday())).date().isoformat()
            of = {
                "overall": None,
                "by_person": clock["party"],
                "by_segment": case.segment,
                "by_territory": case.territory,
                "by_rule": case.rule,
                "by_week": week,
            }
            groups[(clock["kind"], of[group])].append(clock)
        return {key: self.summed(clocks) for key, clocks in groups.items()}

    def summed(self, clocks: list[dict[str, Any]]) -> dict[str, Any]:
        states = Counter(self.state(clock) for clock in clocks)
        found: dict[str, Any] = {
            state: states[state] for state in ("met", "late", "overdue", "running", "paused")
        }
        done = [clock for clock in clocks if self.state(clock) in {"met", "late", "overdue"}]
        found["measured"], found["in_target"] = (
            len(done),
            states["met"] / len(done) if done else None,
        )
        for prefix, length in (("", self.felt), ("working_", self.working)):
            times = sorted((length(clock), clock["stop"] is None) for clock in done)
            for name, tenths in (("median", 5), ("p90", 9), ("slowest", 10)):
                value = times[-(-tenths * len(times) // 10) - 1] if times else (None, None)
                found[f"{prefix}{name}_seconds"], found[f"{prefix}{name}_at_least"] = value
        return found
