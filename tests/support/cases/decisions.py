"""Cases decided in memory: alerts come in, people answer, decisions are applied."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from alerting.domain.cases.case_alerts import join_case, open_case
from alerting.domain.cases.case_responses import (
    acknowledge,
    hand_over,
    record_contact,
    remove_cause,
)
from alerting.domain.cases.cases import Attempt, Case, Decision, RaisedAlert, Wait, current_clocks
from alerting.domain.cases.clocks import Clock, NewTimer, Starts
from alerting.domain.cases.resolutions import Resolution, Resolutions
from alerting.domain.cases.sla import ClockKind, Policy, Step, Target, WaitingFor
from alerting.domain.cases.waits import begin_wait, deciding, end_wait
from alerting.domain.routing.fill_role import Assignment
from alerting.domain.times.working_time import Amount
from tests.support.builders import NOW, party

H = timedelta(hours=1)


MENDED = Resolution(note="seal replaced")


ACKNOWLEDGE, CONTACT, RESOLVE = ClockKind.ACKNOWLEDGE, ClockKind.CONTACT, ClockKind.RESOLVE


def policy(id_: str, **within: int) -> Policy:
    """Targets in hours, each with a step half-way before and one after."""
    targets = {
        ClockKind(kind): Target(
            by="fixer" if kind == "resolve" else "caller",
            within=Amount(length=amount * H),
            steps=(
                Step(notify=("caller",), before=amount * H / 2),
                Step(notify=("manager of caller",), after=timedelta(0)),
            ),
        )
        for kind, amount in within.items()
    }
    return Policy(id=id_, starts="customer_sent", targets=targets)


STRICT = policy("strict", acknowledge=4, contact=24, resolve=168)


RELAXED = policy("relaxed", contact=72)


QUICK = policy("quick", acknowledge=1, contact=8, resolve=48)


POLICIES = {sla.id: sla for sla in (STRICT, RELAXED, QUICK)}


def assigned(*names: str) -> tuple[Assignment, ...]:
    return tuple(
        Assignment(party=party(name), role=f"role_of_{name}", why=(f"because {name}",))
        for name in names
    )


def alert(
    caller: str = "ann",
    severity: str = "high",
    sla: Policy = STRICT,
    at: datetime = NOW,
    **more: Any,
) -> RaisedAlert:
    informed = more.get("inform", ("boss",))
    return RaisedAlert(
        id=more.get("id_", 1),
        rule=more.get("rule", "a-rule"),
        severity=severity,
        segment="key",
        territory="DE / BE",
        policy=sla,
        template="call",
        starts=Starts(customer_sent=at, received=at, case_opened=max(at, NOW)),
        caller=assigned(caller)[0],
        fixer=assigned("office")[0] if RESOLVE in sla.targets else None,
        informed=assigned(*informed),
    )


class File:
    """A case with its clocks and timers, as the database would keep them."""

    def __init__(self, first: RaisedAlert, now: datetime = NOW) -> None:
        self.clocks: dict[str, Clock] = {}
        self.timers: dict[str, NewTimer] = {}
        self.told: list[tuple[str, str]] = []
        self.audit: list[str] = []
        self.case: Case
        self.complaints = [first]
        self.take(open_case("ACME", first, now).stored(7))

    def take(self, decision: Decision) -> "File":
        self.case = decision.case
        self.clocks |= {clock.key: clock for clock in decision.clocks}
        gone = tuple(f"{plan}." for plan in decision.cancelled)
        self.timers = {
            f"{t.kind} {key}": t
            for t in self.timers.values()
            if not (key := t.key).startswith(gone) and key not in decision.cancelled
        }
        self.timers |= {f"{t.kind} {t.key}": t for t in decision.timers}
        self.told = [(told.recipient, told.template) for told in decision.tell]
        self.audit = [line.action for line in decision.audit]
        return self

    def joined(self, further: RaisedAlert, at: datetime) -> "File":
        self.take(join_case(self.case, self.clocks.values(), further, POLICIES, at))
        self.complaints.append(further)
        return self

    def acknowledged(self, by: str, at: datetime) -> "File":
        return self.take(acknowledge(self.case, self.clocks.values(), by, at))

    def tried(
        self, by: str, at: datetime, outcome: str = "reached", happened_at: datetime | None = None
    ) -> "File":
        attempt = Attempt(by=by, channel="phone", outcome=outcome, happened_at=happened_at or at)
        return self.decided(
            lambda c, k: record_contact(c, k, attempt, at, self.complaints, POLICIES), by, at
        )

    def handed(self, to: str, at: datetime) -> "File":
        return self.take(
            hand_over(self.case, self.clocks.values(), to, self.case.caller, "on a plane", at)
        )

    def mended(self, at: datetime) -> "File":
        return self.decided(
            lambda c, k: remove_cause(c, k, "office", MENDED, Resolutions(), at), "office", at
        )

    def decided(
        self, decide: Callable[[Case, list[Clock]], Decision], by: str, at: datetime
    ) -> "File":
        return self.take(deciding(self.case, list(self.clocks.values()), decide, by, at))

    def waits(
        self, by: str, waiting_for: WaitingFor, at: datetime, length: timedelta = 240 * H
    ) -> "File":
        wait = Wait(waiting_for=waiting_for, by=by, reason="away until then", until=at + length)
        return self.take(begin_wait(self.case, self.clocks.values(), wait, 1000 * H, at))

    def goes_on(self, at: datetime, now: datetime | None = None) -> "File":
        return self.take(end_wait(self.case, self.clocks.values(), at, "ann", now or at))

    def now_running(self) -> dict[ClockKind, Clock]:
        return {
            kind: clock
            for kind, clock in current_clocks(self.case, self.clocks.values()).items()
            if clock.running
        }

    def dues(self) -> dict[str, datetime]:
        return {kind.value: clock.due_at for kind, clock in self.now_running().items()}
