"""A case's whole life, against a model that keeps less."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alerting.domain.cases.case_responses import acknowledge
from alerting.domain.cases.cases import OUTCOMES, SEVERITIES, Status
from alerting.domain.cases.clocks import Clock, NewTimer
from alerting.domain.cases.sla import Policy, WaitingFor
from alerting.domain.cases.waits import WAIT_END
from alerting.domain.errors import ActionRefused
from alerting.domain.times.calendars import ALWAYS
from alerting.domain.times.working_time import due_instant, working_time
from tests.support.builders import LONG, NOW, hours, unhurried
from tests.support.cases.decisions import (
    ACKNOWLEDGE,
    CONTACT,
    QUICK,
    RELAXED,
    RESOLVE,
    STRICT,
    File,
    H,
    alert,
)

PEOPLE = st.sampled_from(["ann", "ben", "cat", "boss"])
ALERTS = st.builds(
    lambda caller, severity, sla: (caller, severity, sla),
    PEOPLE,
    st.sampled_from(SEVERITIES),
    st.sampled_from([STRICT, RELAXED, QUICK]),
)


class CaseLife(RuleBasedStateMachine):
    """Whatever happens in whatever order, the promises of docs/architecture.md hold."""

    @initialize(drawn=ALERTS)
    def opens(self, drawn: tuple[str, str, Policy]) -> None:
        self.now = NOW
        self.alerts = 1
        self.file = File(alert(*drawn), self.now)
        self.office_owes = RESOLVE in drawn[2].targets

    @rule(amount=st.sampled_from([1, 3, 10, 100]))
    def waits(self, amount: int) -> None:
        self.now += amount * H

    def last_mended(self) -> datetime | None:
        """A complaint that was sent before the cause was removed asks for nothing that is not
        done.
        """
        found = [
            c.stopped_at
            for c in self.file.clocks.values()
            if c.kind is RESOLVE and c.stopped_at is not None
        ]
        return max([*found, *filter(None, [self.file.case.cause_removed_at])], default=None)

    @rule(drawn=ALERTS, ago=st.sampled_from([0, 0, 0, 5]))
    def complains_again(self, drawn: tuple[str, str, Policy], ago: int) -> None:
        self.alerts += 1
        self.now += timedelta(minutes=1)
        before, dues, mended = self.file.case, self.file.dues(), self.last_mended()
        asks_the_office = RESOLVE in drawn[2].targets
        at = max(self.now - ago * H, NOW)
        if before.status is Status.RESOLVED and before.answers(at):
            return  # such a complaint opens nothing again
        if before.waiting_since is not None:
            self.file.goes_on(
                self.now
            )  # a complaint that joins ends the wait, and it is asked for before it joins
            dues = self.file.dues()
        self._act(lambda: self.file.joined(alert(*drawn, at=at, id_=self.alerts), self.now))
        after = self.file.case
        over = after.cause_removed_at is not None or (mended is not None and at <= mended)
        self.office_owes = "resolve" in dues or (asks_the_office and not over)
        stronger = SEVERITIES.index(drawn[1]) > SEVERITIES.index(before.severity)
        assert after.caller == (drawn[0] if stronger else before.caller)
        assert (after.caller, "call") in self.file.told
        for kind, due in dues.items():
            assert self.file.dues()[kind] <= due  # a join never makes a promise laxer

    @rule(by=PEOPLE)
    def says_he_calls(self, by: str) -> None:
        before = self.file.case
        if self._act(lambda: self.file.acknowledged(by, self.now)):
            assert self.file.case.caller == by
            assert ACKNOWLEDGE not in self.file.now_running()
        else:
            assert before.status is Status.RESOLVED or (
                before.status is not Status.OPEN and by == before.caller
            )

    @rule(by=PEOPLE, outcome=st.sampled_from(list(OUTCOMES)), ago=st.sampled_from([0, 2, 30]))
    def tries_to_call(self, by: str, outcome: str, ago: int) -> None:
        before = self.file.case
        at = max(self.now - ago * H, before.starts.customer_sent)
        done = self._act(lambda: self.file.tried(by, self.now, outcome, at))
        assert done is (before.status is not Status.RESOLVED)
        unanswered = [
            a.starts.customer_sent
            for a in self.file.complaints
            if not before.answers(a.starts.customer_sent)
        ]
        if done and outcome == "reached" and unanswered and all(sent > at for sent in unanswered):
            assert self.file.case == before  # it answers nothing new
        elif done and outcome == "reached" and any(sent > at for sent in unanswered):
            assert (self.file.case.status, self.file.case.cycle) == (Status.OPEN, before.cycle + 1)
        elif done and outcome == "reached":
            assert CONTACT not in self.file.now_running()
            assert self.file.case.status in {Status.CONTACTED, Status.RESOLVED}
        elif done:
            assert self.file.case == before

    @rule(to=PEOPLE)
    def hands_over(self, to: str) -> None:
        before = self.file.case
        if self._act(lambda: self.file.handed(to, self.now)):
            assert self.file.case.caller == to
            assert self.file.told == [(to, "call")]
        else:
            assert before.contacted_at is not None or to == before.caller

    @rule()
    def removes_the_cause(self) -> None:
        before = self.file.case
        if not self._act(lambda: self.file.mended(self.now)):
            assert before.status is Status.RESOLVED or before.cause_removed_at is not None

    @rule(by=PEOPLE, waiting_for=st.sampled_from(WaitingFor))
    def begins_to_wait(self, by: str, waiting_for: WaitingFor) -> None:
        before, running = self.file.case, self.file.now_running()
        if not self._act(lambda: self.file.waits(by, waiting_for, self.now)):
            assert before.status is Status.RESOLVED or before.waiting_since is not None
            return
        assert self.file.case.standing is Status.WAITING
        taken = before.status is Status.OPEN and by == before.caller
        for kind, clock in self.file.now_running().items():
            stands = kind is not ACKNOWLEDGE and running[kind].due_at > self.now
            assert (clock.paused_at is not None) is stands
        assert (ACKNOWLEDGE in self.file.now_running()) is (ACKNOWLEDGE in running and not taken)

    @precondition(lambda self: self.file.case.waiting_since is not None)
    @rule(ago=st.sampled_from([0, 0, 2]))
    def goes_on(self, ago: int) -> None:
        since = self.file.case.waiting_since
        assert since is not None
        before = self.file.now_running()
        at = max(self.now - ago * H, since)
        self._act(lambda: self.file.goes_on(at, self.now))
        for kind, clock in self.file.now_running().items():
            waited = at - since if before[kind].paused_at is not None else timedelta(0)
            assert (
                clock.due_at == before[kind].due_at + waited
            )  # on a calendar that is open all the time

    @invariant()
    def a_clock_is_due_when_its_target_is_used_up_without_the_pauses(self) -> None:
        for clock in self.file.clocks.values():
            if clock.paused_at is None and clock.superseded_at is None:
                assert clock.due_at == due_instant(
                    ALWAYS, clock.started_at, clock.within, clock.pauses
                )
            if clock.stopped_at is not None:
                assert clock.worked == working_time(
                    ALWAYS, clock.started_at, clock.stopped_at, clock.pauses
                )
                assert clock.met is (clock.worked <= (clock.within.length or timedelta(0)))

    @invariant()
    def nothing_stands_still_but_while_the_case_waits(self) -> None:
        waiting = self.file.case.waiting_since
        assert (
            (waiting is None)
            is (self.file.case.waiting_until is None)
            is (self.file.case.waiting_for is None)
        )
        assert waiting is None or self.file.case.status is not Status.RESOLVED
        assert all(c.paused_at in {None, waiting} for c in self.file.clocks.values())
        ends = [timer for timer in self.file.timers.values() if timer.kind == WAIT_END]
        assert [timer.due_at for timer in ends] == (
            [self.file.case.waiting_until] if waiting is not None else []
        )

    def _act(self, act: Any) -> bool:
        """Do it, unless it is refused; then nothing has changed. Checks what holds between before
        and after.
        """
        before, clocks, timers = self.file.case, dict(self.file.clocks), dict(self.file.timers)
        try:
            act()
        except ActionRefused:
            assert (self.file.case, self.file.clocks, self.file.timers) == (before, clocks, timers)
            return False
        after = self.file.case
        moved = after.caller != before.caller or after.cycle != before.cycle
        assert after.assignment == before.assignment + moved
        assert after.cycle - before.cycle in {0, 1}
        if after.cycle != before.cycle:
            told = [action for action in self.file.audit if action != "case.resumed"]
            assert before.contacted_at is not None or told[:2] == ["contact.made", "case.reopened"]
        elif (
            clocks.get(f"{before.cycle}.contact.1")
            and before.contacted_at is None
            and after.contacted_at is not None
        ):
            assert self.file.audit[0] == "contact.made"
        self._plans_only_grow(clocks)
        assert self.file.audit
        return True

    def _plans_only_grow(self, before: dict[str, Clock]) -> None:
        for key, clock in before.items():
            same = self.file.clocks[key]
            assert (same.started_at, same.policy, same.within) == (
                clock.started_at,
                clock.policy,
                clock.within,
            )
            assert same.due_at == clock.due_at or same.pauses != clock.pauses
            # what has ended stays as it ended, save for an earlier call
            if not clock.running and same != clock:
                assert clock.stopped_at is not None
                assert same.stopped_at is not None
                assert same.stopped_at < clock.stopped_at
                kept = {"worked": same.worked, "pauses": same.pauses, "due_at": same.due_at}
                assert same == replace(clock, stopped_at=same.stopped_at, **kept)
        for clock in self.file.clocks.values():
            plans = [
                c.plan
                for c in self.file.clocks.values()
                if (c.kind, c.cycle) == (clock.kind, clock.cycle)
            ]
            assert sorted(plans) == list(range(1, len(plans) + 1))

    @invariant()
    def there_is_one_caller_who_is_not_merely_informed(self) -> None:
        case = self.file.case
        assert case.caller in {"ann", "ben", "cat", "boss"}
        assert case.caller not in case.informed
        assert len(set(case.informed)) == len(case.informed)

    @invariant()
    def a_promise_runs_exactly_as_long_as_it_is_owed(self) -> None:
        case, running = self.file.case, self.file.now_running()
        assert (CONTACT in running) is (case.contacted_at is None)
        if ACKNOWLEDGE in running:
            assert case.status is Status.OPEN
        assert (RESOLVE in running) is (self.office_owes and case.cause_removed_at is None)
        everything = [clock for clock in self.file.clocks.values() if clock.running]
        assert sorted(c.key for c in everything) == sorted(c.key for c in running.values())

    @invariant()
    def resolved_means_called_and_mended(self) -> None:
        case = self.file.case
        both = case.contacted_at is not None and case.cause_removed_at is not None
        assert (case.status is Status.RESOLVED) is both is (case.resolved_at is not None)

    @invariant()
    def timers_belong_to_running_clocks_and_every_running_clock_will_be_noticed(self) -> None:
        running = {clock.key: clock for clock in self.file.clocks.values() if clock.running}
        for timer in self.file.timers.values():
            plan = timer.key if timer.kind == "missed" else timer.key.rsplit(".", 1)[0]
            assert timer.kind == WAIT_END or plan.split(".resumed")[0] in running
        for key, clock in running.items():
            marks = [
                t.due_at
                for t in self.file.timers.values()
                if t.kind == "missed" and t.key.startswith(key)
            ]
            assert marks == ([clock.due_at] if clock.paused_at is None else [])


CaseLife.TestCase.settings = settings(unhurried, max_examples=150 * LONG, stateful_step_count=25)


TestCaseLife = CaseLife.TestCase


def test_the_model_forgets_timers_of_cancelled_plans_only() -> None:
    """The helper above stands for the database; it must not be what makes the invariants hold."""

    def keys(timers: Iterable[NewTimer]) -> set[str]:
        return {timer.key for timer in timers}

    file = File(alert())
    every = keys(file.timers.values())
    decision = acknowledge(file.case, file.clocks.values(), "ann", hours(1))
    assert decision.cancelled == ("1.acknowledge.1",)
    assert keys(file.take(decision).timers.values()) == {
        key for key in every if not key.startswith("1.acknowledge.1")
    }
