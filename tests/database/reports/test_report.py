"""The report: all of its figures reckoned again by other means, from the ledger."""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from alerting.database import tables
from alerting.domain.reports.selection import Selection
from alerting.services.reports.report import as_json, report
from tests.support.histories import lived
from tests.support.world import BEGIN, World


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
        self.rows = {t: world.rows(select(tables.metadata.tables[t])) for t in _READ}
        self.office_since = max(row.activated_at for row in self.rows["activation"])
        self.cases = {row.id: row for row in self.rows["case_file"]}
        self.clocks = self._replayed()

    def within(self, at: datetime) -> bool:
        return (self.begin is None or at >= self.begin) and (self.end is None or at < self.end)

    def _replayed(self) -> list[dict[str, Any]]:
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        owed = self._owed()
        for e in self.rows["clock_entry"]:
            key = (e.case_id, e.cycle, e.kind, e.plan)
            clock = found.setdefault(
                key,
                {
                    "key": key,
                    "kind": e.kind,
                    "case": e.case_id,
                    "pauses": [],
                    "stop": None,
                    "gone": False,
                },
            )
            clock["due"], clock["party"] = e.due_at, e.party
            if e.what == "started":
                clock["start"], clock["since"] = e.happened_at, None
                former = [
                    c
                    for c in found.values()
                    if c["case"] == e.case_id and c["kind"] == e.kind and c.get("missed_by")
                ]
                if any((c["start"], c["due"]) == (e.happened_at, e.due_at) for c in former):
                    clock["missed_by"] = (
                        e.party
                    )  # owed on in the next cycle, and missed before it began
                clock["office"] = e.policy == "call_in_3d" and e.recorded_at >= self.office_since
            elif e.what == "missed":
                clock["missed_by"] = e.party
            elif e.what == "paused":
                clock["since"] = e.happened_at
            elif e.what == "resumed":
                clock["pauses"].append((clock["since"], e.happened_at))
                clock["since"] = None
            elif e.what in {"stopped", "corrected"}:
                clock["stop"], clock["since"] = e.happened_at, None
            elif e.what == "superseded":
                clock["gone"] = True
        for clock in found.values():
            if clock.get("missed_by"):
                clock["party"] = clock["missed_by"]  # whoever missed it, missed it
            elif clock["stop"] is None and clock["key"][1] == self.cases[clock["case"]].cycle:
                clock["party"] = owed[clock["case"]].get(clock["kind"], clock["party"])
        return [
            clock for clock in found.values() if not clock["gone"] and self.within(clock["start"])
        ]

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
            spans = [
                part
                for a, b in spans
                for part in ((a, min(b, begin)), (max(a, until), b))
                if part[0] < part[1]
            ]
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


_READ = (
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


def told(found: dict[str, Any], group: str) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {
        (line["clock"], line["party"]): {k: v for k, v in line.items() if k not in _NAMES}
        for line in found[group]
    }


_NAMES = {"clock", "party", "name"}
_SPREADS = {
    f"{p}{n}_{u}"
    for p in ("", "working_")
    for n in ("median", "p90", "slowest")
    for u in ("seconds", "at_least")
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("cut", [False, True])
def test_every_figure_comes_out_of_the_ledger_again(world: World, seed: int, cut: bool) -> None:
    lived(world, seed)
    begin, end = (BEGIN + timedelta(days=5), BEGIN + timedelta(days=17)) if cut else (None, None)
    found = json.loads(json.dumps(as_json(report(world.app.ctx, Selection(begin=begin, end=end)))))
    ledger = Ledger(world, datetime.fromisoformat(found["as_of"]), begin, end)
    for group in ("overall", "by_person", "by_segment", "by_territory", "by_rule"):
        assert told(found, group) == ledger.lines(group), group
    for group in ("by_week",):
        mine = {
            key: {k: v for k, v in line.items() if k not in _SPREADS}
            for key, line in ledger.lines(group).items()
        }
        assert {
            key: {k: v for k, v in line.items() if k not in _SPREADS}
            for key, line in told(found, group).items()
        } == mine
    if begin is None or end is None:
        states = {ledger.state(clock) for clock in ledger.clocks}
        assert {"met", "late"} <= states and any(clock["pauses"] for clock in ledger.clocks)
        assert any(c["office"] and ledger.working(c) != ledger.felt(c) for c in ledger.clocks)
    else:
        before = Ledger(world, ledger.now, begin - (end - begin), begin).lines("overall")
        assert told(found, "before") == before
    _check_population(found, ledger)
    _check_contacts(found["contacts"], ledger)
    _check_breaches(found, ledger)
    _check_the_rest(found, ledger)


def _check_population(found: dict[str, Any], ledger: Ledger) -> None:
    p = found["population"]
    events = [e for e in ledger.rows["event"] if ledger.within(e.time)]
    answers = [e for e in events if e.type == "survey.answered"]
    alerts = [
        a for a in ledger.rows["alert"] if a.superseded_at is None and ledger.within(a.raised_at)
    ]
    cases = [c for c in ledger.rows["case_file"] if ledger.within(c.opened_at)]
    standing = [
        a
        for a in alerts
        if a.suppressed is None and a.state != "withdrawn" and a.case_id is not None
    ]
    states = Counter(ledger.state(clock) for clock in ledger.clocks)
    assert p["events"] == len(events) == sum(source["received"] for source in found["sources"])
    assert (p["answers"], p["negative"]) == (
        len(answers),
        sum(e.payload["score"] <= 6 for e in answers),
    )
    assert (p["alerts"], p["cases"]) == (len(alerts), len(cases))
    assert p["joined"] == max(0, len(standing) - sum(c.withdrawn_at is None for c in cases))
    assert p["resolved"] == sum(c.resolved_at is not None and c.withdrawn_at is None for c in cases)
    assert p["reopened"] == sum(c.cycle > 1 for c in cases)
    assert p["clocks"] == len(ledger.clocks)
    assert p["measured"] == states["met"] + states["late"] + states["overdue"]
    quiet = Counter(a.suppressed for a in alerts if a.suppressed)
    assert {x["reason"]: x["count"] for x in p["excluded"] if x["of"] == "alerts"} == quiet


def _check_contacts(found: dict[str, Any], ledger: Ledger) -> None:
    grades, after = Counter[str](), Counter[str]()
    calls = [
        e
        for e in ledger.rows["event"]
        if e.type == "interaction.recorded" and e.payload["direction"] == "outbound"
    ]
    made = [a for a in ledger.rows["contact_attempt"] if a.reached and ledger.within(a.happened_at)]
    for attempt in made:
        key = ledger.cases[attempt.case_id].customer_key
        near = [
            e
            for e in calls
            if e.customer_key == key
            and abs(e.time - attempt.happened_at) <= timedelta(minutes=30)
            and e.payload["channel"] == attempt.channel
        ]
        logged = any(e.payload.get("duration_seconds") is not None for e in near)
        grades["phone_log" if logged else "crm_event" if near else "own_word"] += 1
        if not near:
            minutes = (attempt.recorded_at - attempt.happened_at).total_seconds() / 60
            steps = ((2, "at once"), (60, "within an hour"), (1440, "within a day"))
            after[next((name for most, name in steps if minutes <= most), "later")] += 1
    assert found["contacts"] == len(made)
    assert {name: found[name] for name in ("phone_log", "crm_event", "own_word")} == {
        name: grades[name] for name in ("phone_log", "crm_event", "own_word")
    }
    assert {name: n for name, n in found["after"].items() if n} == dict(after)


def _check_breaches(found: dict[str, Any], ledger: Ledger) -> None:
    missed = [clock for clock in ledger.clocks if ledger.state(clock) in {"late", "overdue"}]
    mine = {
        (c["case"], c["kind"], c["key"][1]): ((c["stop"] or ledger.now) - c["due"]).total_seconds()
        for c in missed
    }
    assert found["breaches_total"] == len(missed)
    assert {
        (b["case_id"], b["clock"], b["cycle"]): b["over_seconds"] for b in found["breaches"]
    } == mine
    overs = [b["over_seconds"] for b in found["breaches"]]
    assert overs == sorted(overs, reverse=True)


def _check_the_rest(found: dict[str, Any], ledger: Ledger) -> None:
    rows = ledger.rows
    assert found["seal"]["entries"] == len(rows["audit_seal"])
    assert found["seal"]["unsealed"] == len(rows["audit_entry"]) - len(rows["audit_seal"])
    assert len(found["changes"]) == sum(ledger.within(a.activated_at) for a in rows["activation"])
    ended = [
        c
        for c in rows["case_file"]
        if ledger.within(c.opened_at) and c.resolved_at is not None and c.withdrawn_at is None
    ]
    good = [
        e
        for e in rows["event"]
        if e.type == "purchase.recorded" or (e.type == "survey.answered" and e.payload["score"] > 8)
    ]
    back = [
        c
        for c in ended
        if any(e.customer_key == c.customer_key and e.time > c.resolved_at for e in good)
    ]
    assert (found["could_be_won"], found["won_back"]) == (len(ended), len(back))
    waits = [w for w in rows["wait"] if ledger.within(w.began_at)]
    told_waits = {s["status"]: s for s in found["stays"] if s["status"].startswith("waiting")}
    assert sum(s["count"] for s in told_waits.values()) == len(waits)
    assert sum(s["lasting"] for s in told_waits.values()) == sum(w.ended_at is None for w in waits)
    waited = sum(((w.ended_at or ledger.now) - w.began_at).total_seconds() for w in waits)
    assert sum(s["mean_seconds"] * s["count"] for s in told_waits.values()) == pytest.approx(waited)
    every = Ledger.__new__(Ledger)
    every.__dict__ |= {**ledger.__dict__, "begin": None, "end": None}
    still = [
        c
        for c in every._replayed()
        if c["stop"] is None and every.cases[c["case"]].status != "resolved"
    ]
    owed = Counter((c["party"], ledger.state(c)) for c in still)
    assert {
        (x["party"], s): x[s]
        for x in found["load"]
        for s in ("running", "paused", "overdue")
        if x[s]
    } == owed
