"""The life of a case, whatever people and customers do in whatever order: a state machine with its invariants."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alerting.domain.cases import (
    OUTCOMES,
    SEVERITIES,
    Attempt,
    Case,
    Decision,
    RaisedAlert,
    Status,
    acknowledge,
    current_clocks,
    hand_over,
    join_case,
    open_case,
    record_contact,
    remove_cause,
)
from alerting.domain.errors import ActionRefused
from alerting.domain.people import Assignment
from alerting.domain.sla import Clock, ClockKind, Policy, Starts, Step, Target, start_clock, timers_of
from tests.builders import NOW, hours, party, rulebook

POLICIES = list(rulebook().policies.values())
PEOPLE = ["ann", "ben", "cem"]


def _assigned(name: str) -> Assignment:
    return Assignment(party=party(name), role="some_role", why=())


def raised(number: int, at: Any, caller: str, severity: str, policy: Policy) -> RaisedAlert:
    return RaisedAlert(
        id=number,
        rule=f"rule-{number}",
        severity=severity,
        segment="key",
        policy=policy,
        template="call",
        starts=Starts(customer_sent=at, received=at, case_opened=at),
        caller=_assigned(caller),
        fixer=_assigned("office") if any(t.by == "fixer" for t in policy.targets.values()) else None,
        informed=(_assigned("observer"),),
    )


class CaseLife(RuleBasedStateMachine):
    """One customer's case from its opening on."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.alerts = NOW, 1
        self.clocks: dict[str, Clock] = {}
        self.reached = False

    def take(self, decision: Decision) -> None:
        before = getattr(self, "case", None)
        self.case: Case = replace(decision.case, id=1)
        for clock in decision.clocks:
            self.clocks[clock.key] = clock
        for key in decision.cancelled:
            assert not self.clocks[key].running
        if before is not None:
            moved = before.caller != self.case.caller or before.cycle != self.case.cycle
            assert (self.case.assignment > before.assignment) == moved
            assert self.case.cycle - before.cycle in {0, 1}
        assert decision.audit

    @initialize(severity=st.sampled_from(SEVERITIES), policy=st.sampled_from(POLICIES))
    def complain_first(self, severity: str, policy: Policy) -> None:
        self.take(open_case("ACME", raised(1, self.now, "ann", severity, policy), self.now))

    @precondition(lambda self: self.case.status is not Status.RESOLVED)
    @rule(caller=st.sampled_from(PEOPLE), severity=st.sampled_from(SEVERITIES), policy=st.sampled_from(POLICIES))
    def complain(self, caller: str, severity: str, policy: Policy) -> None:
        before = {kind: c for kind, c in current_clocks(self.case, self.clocks.values()).items() if c.running}
        held_by, stronger = self.case.caller, SEVERITIES.index(severity) > SEVERITIES.index(self.case.severity)
        self.alerts += 1
        alert = raised(self.alerts, self.now, caller, severity, policy)
        self.take(join_case(self.case, self.clocks.values(), alert, self.now))
        assert self.case.caller == (caller if stronger else held_by)
        if self.case.cycle == 1:
            after = current_clocks(self.case, self.clocks.values())
            assert all(after[kind].due_at <= clock.due_at for kind, clock in before.items())

    @rule(by=st.sampled_from(PEOPLE))
    def say_that_one_calls(self, by: str) -> None:
        try:
            self.take(acknowledge(self.case, self.clocks.values(), by, self.now))
        except ActionRefused:
            return
        assert self.case.caller == by

    @rule(by=st.sampled_from(PEOPLE), outcome=st.sampled_from(list(OUTCOMES)), ago=st.integers(0, 48))
    def try_to_call(self, by: str, outcome: str, ago: int) -> None:
        attempt = Attempt(by=by, channel="phone", outcome=outcome, happened_at=self.now - timedelta(hours=ago))
        running = current_clocks(self.case, self.clocks.values()).get(ClockKind.CONTACT)
        try:
            self.take(record_contact(self.case, self.clocks.values(), attempt, self.now))
        except ActionRefused:
            return
        after = current_clocks(self.case, self.clocks.values()).get(ClockKind.CONTACT)
        if running is not None and running.running:
            assert after is not None
            assert after.running is not OUTCOMES[outcome]

    @rule(to=st.sampled_from(PEOPLE))
    def hand_it_over(self, to: str) -> None:
        before = dict(self.clocks)
        try:
            self.take(hand_over(self.case, to, "ann", "on a plane", self.now))
        except ActionRefused:
            return
        assert self.clocks == before

    @rule()
    def mend_the_cause(self) -> None:
        try:
            self.take(remove_cause(self.case, self.clocks.values(), "office", "mended", self.now))
        except ActionRefused:
            return

    @rule(amount=st.integers(1, 40))
    def wait(self, amount: int) -> None:
        self.now += timedelta(hours=amount)

    @invariant()
    def resolved_means_spoken_with_and_mended(self) -> None:
        if hasattr(self, "case"):
            both = self.case.contacted_at is not None and self.case.cause_removed_at is not None
            assert (self.case.status is Status.RESOLVED) == both

    @invariant()
    def one_plan_of_each_clock_runs_and_only_in_the_present_cycle(self) -> None:
        if hasattr(self, "case"):
            running = [clock for clock in self.clocks.values() if clock.running]
            assert len({clock.kind for clock in running}) == len(running)
            assert all(clock.cycle == self.case.cycle for clock in running)

    @invariant()
    def nobody_is_informed_of_what_is_his_to_do(self) -> None:
        if hasattr(self, "case"):
            assert self.case.caller not in self.case.informed


CaseLife.TestCase.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
TestCaseLife = CaseLife.TestCase


def _target(*steps: Step) -> Target:
    return Target(by="caller", within=timedelta(hours=24), steps=steps)


@pytest.mark.parametrize(
    ("step", "hours_after_start"),
    [
        (Step(notify=("caller",), before=timedelta(hours=4)), 20),
        (Step(notify=("caller",), after=timedelta(hours=0)), 24),
        (Step(notify=("caller",), after=timedelta(hours=2)), 26),
        (Step(notify=("caller",), at=rulebook().policies["call_in_24h"].targets[ClockKind.RESOLVE].steps[0].at), 19.2),
    ],
)
def test_a_step_lies_where_its_words_say(step: Step, hours_after_start: float) -> None:
    assert step.instant(NOW, hours(24)) == hours(hours_after_start)


def test_steps_that_have_passed_when_a_clock_starts_are_left_out_but_those_after_it_fire_at_once() -> None:
    steps = (Step(notify=("caller",), before=timedelta(hours=12)), Step(notify=("boss",), after=timedelta(0)))
    target = _target(*steps)
    policy = Policy(id="p", starts="customer_sent", targets={ClockKind.CONTACT: target})
    starts = Starts(customer_sent=NOW, received=hours(30), case_opened=hours(30))
    clock = start_clock(ClockKind.CONTACT, policy, starts, 1, 1)
    assert clock.due_at == hours(24)
    kept = timers_of(clock, target, hours(30))
    assert [(t.kind, t.key, t.due_at) for t in kept] == [
        ("missed", "1.contact.1", hours(24)),
        ("step", "1.contact.1.2", hours(24)),
    ]


@pytest.mark.parametrize(("starts", "begin"), [("customer_sent", 0), ("received", 1), ("case_opened", 2)])
def test_the_policy_says_which_start_counts(starts: Any, begin: int) -> None:
    policy = Policy(id="p", starts=starts, targets={ClockKind.CONTACT: _target()})
    all_three = Starts(customer_sent=NOW, received=hours(1), case_opened=hours(2))
    assert start_clock(ClockKind.CONTACT, policy, all_three, 1, 1).started_at == hours(begin)
