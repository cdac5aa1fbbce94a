"""The report: all of its figures reckoned again by other means, from the ledger."""

import json
from collections import Counter
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from alerting.domain.reports.selection import Selection
from alerting.services.reports.report import as_json, report
from tests.support.histories import lived
from tests.support.oracle.ledger import Ledger
from tests.support.world import BEGIN, World


def told(found: dict[str, Any], group: str) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {
        (line["clock"], line["party"]): {k: v for k, v in line.items() if k not in _NAMES}
        for line in found[group]
    }


_NAMES = {"clock", "party", "name"}
_SPREADS = {
    "".join(parts)
    for parts in product(("", "working_"), ("median", "p90", "slowest"), ("_seconds", "_at_least"))
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
        grades[_grade(logged, bool(near))] += 1
        if not near:
            minutes = (attempt.recorded_at - attempt.happened_at).total_seconds() / 60
            steps = ((2, "at once"), (60, "within an hour"), (1440, "within a day"))
            after[next((name for most, name in steps if minutes <= most), "later")] += 1
    assert found["contacts"] == len(made)
    assert {name: found[name] for name in ("phone_log", "crm_event", "own_word")} == {
        name: grades[name] for name in ("phone_log", "crm_event", "own_word")
    }
    assert {name: n for name, n in found["after"].items() if n} == dict(after)


def _grade(logged: bool, near: bool) -> str:
    if logged:
        return "phone_log"
    return "crm_event" if near else "own_word"


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
        for c in every.replayed()
        if c["stop"] is None and every.cases[c["case"]].status != "resolved"
    ]
    owed = Counter((c["party"], ledger.state(c)) for c in still)
    load = {(x["party"], s): x[s] for x in found["load"] for s in ("running", "paused", "overdue")}
    assert {of: count for of, count in load.items() if count} == owed
