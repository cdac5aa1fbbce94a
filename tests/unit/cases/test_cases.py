"""Cases: what follows from alerts and from what people do, in tables, and as a life in which
anything may happen.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alerting.domain.cases.case_alerts import join_case, open_case, promised_by
from alerting.domain.cases.case_responses import (
    acknowledge,
    hand_over,
    record_contact,
    remove_cause,
)
from alerting.domain.cases.cases import (
    CHANNELS,
    OUTCOMES,
    SEVERITIES,
    Attempt,
    Case,
    Decision,
    RaisedAlert,
    Status,
    Wait,
    current_clocks,
)
from alerting.domain.cases.clocks import Clock, NewTimer, Starts
from alerting.domain.cases.resolutions import Resolution, Resolutions
from alerting.domain.cases.sla import ClockKind, Policy, Step, Target, WaitingFor
from alerting.domain.cases.waits import WAIT_END, begin_wait, deciding, end_wait
from alerting.domain.errors import ActionRefused
from alerting.domain.routing.routing import Assignment
from alerting.domain.times.calendars import ALWAYS
from alerting.domain.times.working_time import Amount, due_instant, working_time
from tests.support.builders import LONG, NOW, hours, party, unhurried

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


# Opening


def test_the_first_alert_opens_a_case_with_its_clocks_and_tells_each_person_once() -> None:
    opened = File(alert(inform=("boss", "ann", "office", "boss")))
    case = opened.case
    assert (case.status, case.caller, case.fixer, case.informed) == (
        Status.OPEN,
        "ann",
        "office",
        ("boss",),
    )
    assert (case.cycle, case.assignment) == (1, 1)
    assert opened.told == [("ann", "call"), ("office", "fix"), ("boss", "informed")]
    assert opened.dues() == {"acknowledge": hours(4), "contact": hours(24), "resolve": hours(168)}
    assert opened.audit == ["case.opened"]


def test_the_audit_keeps_who_was_chosen_for_what_and_why() -> None:
    (line,) = open_case("ACME", alert(), NOW).audit
    assert line.facts["people"][0] == {
        "role": "role_of_ann",
        "party": "ann",
        "why": ["because ann"],
    }
    assert {person["party"] for person in line.facts["people"]} == {"ann", "office", "boss"}
    assert line.facts["clocks"]["1.contact.1"] == hours(24).isoformat()


# Joining


@pytest.mark.parametrize("held", SEVERITIES)
@pytest.mark.parametrize("new", SEVERITIES)
def test_the_higher_severitys_caller_holds_the_case_and_ties_keep_the_present_one(
    held: str, new: str
) -> None:
    file = File(alert("ann", held)).joined(alert("ben", new, rule="b-rule"), hours(1))
    stronger = SEVERITIES.index(new) > SEVERITIES.index(held)
    assert file.case.caller == ("ben" if stronger else "ann")
    assert file.case.severity == max(held, new, key=SEVERITIES.index)
    assert file.case.assignment == (2 if stronger else 1)
    assert ("ann" if stronger else "ben") in file.case.informed
    assert file.case.caller not in file.case.informed
    assert file.told[0] == (file.case.caller, "call")
    assert (("ann" if stronger else "ben"), "informed") in file.told
    assert ("case.caller_changed" in file.audit) is stronger


def test_somebody_who_takes_over_by_severity_can_say_that_he_calls() -> None:
    file = File(alert("ann", "normal")).acknowledged("ann", hours(1))
    file.joined(alert("ben", "critical"), hours(2))
    assert (file.case.caller, file.case.status) == ("ben", Status.OPEN)
    assert file.acknowledged("ben", hours(3)).case.status is Status.ACKNOWLEDGED


def test_a_stricter_target_starts_the_next_plan_and_a_laxer_one_changes_nothing() -> None:
    file = File(alert(sla=STRICT))
    file.joined(alert(sla=RELAXED, at=hours(1)), hours(1))
    assert file.dues() == {"acknowledge": hours(4), "contact": hours(24), "resolve": hours(168)}
    assert {clock.plan for clock in file.clocks.values()} == {1}
    file.joined(alert(sla=QUICK, at=hours(2)), hours(2))
    assert file.dues() == {"acknowledge": hours(3), "contact": hours(10), "resolve": hours(50)}
    assert {clock.plan for clock in file.now_running().values()} == {2}
    assert {timer.key.split(".")[2] for timer in file.timers.values()} == {
        "2"
    }  # the steps of the first plan are gone


def test_a_promise_the_case_did_not_have_is_added() -> None:
    file = File(alert(sla=RELAXED)).joined(alert(sla=STRICT, at=hours(1)), hours(1))
    assert file.dues() == {"acknowledge": hours(5), "contact": hours(25), "resolve": hours(169)}
    assert file.case.fixer == "office"
    assert ("office", "fix") in file.told


def test_what_is_done_already_is_not_asked_for_again() -> None:
    """Nothing could stop such a clock any more: the caller would be reminded of what he has said
    already.
    """
    said = (
        File(alert(sla=RELAXED))
        .acknowledged("ann", hours(1))
        .joined(alert(sla=STRICT, at=hours(2)), hours(2))
    )
    assert set(said.dues()) == {"contact", "resolve"}
    reached = (
        File(alert(sla=RELAXED))
        .tried("ann", hours(3))
        .joined(alert(sla=STRICT, at=hours(2)), hours(4))
    )
    assert set(reached.dues()) == {"resolve"}
    mended = (
        File(alert(sla=RELAXED)).mended(hours(3)).joined(alert(sla=STRICT, at=hours(2)), hours(4))
    )
    assert set(mended.dues()) == {"acknowledge", "contact"}
    assert mended.tried("ann", hours(5)).case.status is Status.RESOLVED
    assert mended.dues() == {}


def test_a_cause_that_was_removed_before_the_new_complaint_has_to_be_removed_again() -> None:
    file = File(alert()).mended(hours(1)).joined(alert(at=hours(2)), hours(2))
    assert (file.case.cycle, file.case.cause_removed_at) == (1, None)
    assert file.dues() == {"acknowledge": hours(4), "contact": hours(24), "resolve": hours(170)}
    assert ("office", "fix") in file.told
    assert file.clocks["1.resolve.1"].met  # the first promise was kept and stays on record
    assert file.tried("ann", hours(3)).case.status is Status.CONTACTED
    assert file.mended(hours(4)).case.status is Status.RESOLVED


def test_a_call_recorded_late_comes_to_the_same_as_one_recorded_at_once() -> None:
    at_once = File(alert()).tried("ann", hours(1)).joined(alert(at=hours(2), id_=2), hours(2))
    late = (
        File(alert())
        .joined(alert(at=hours(2), id_=2), hours(2))
        .tried("ann", hours(5), happened_at=hours(1))
    )
    assert (late.case, late.dues()) == (at_once.case, at_once.dues())
    assert late.case.status is Status.OPEN
    assert late.clocks["1.contact.1"].stopped_at == hours(1)
    assert late.told == [("ann", "call"), ("office", "fix")]
    assert late.audit == ["contact.made", "case.reopened"]


def test_what_was_mended_after_the_newest_complaint_stays_mended_when_an_earlier_call_is_recorded() -> (  # noqa: E501
    None
):
    file = File(alert()).joined(alert(at=hours(2), id_=2), hours(2)).mended(hours(3))
    file.tried("ann", hours(5), happened_at=hours(1))
    assert (file.case.status, file.case.cycle, set(file.dues())) == (
        Status.OPEN,
        2,
        {"acknowledge", "contact"},
    )
    assert file.tried("ann", hours(6)).case.status is Status.RESOLVED


def test_a_late_recorded_call_leaves_the_strictest_promise_of_all_that_was_written_after_it() -> (
    None
):
    """The order in which two further complaints are stored, and when the call is recorded, change
    nothing.
    """
    quick, relaxed = alert(sla=QUICK, at=hours(2), id_=2), alert(sla=RELAXED, at=hours(8), id_=3)
    at_once = File(alert()).tried("ann", hours(1)).joined(quick, hours(2)).joined(relaxed, hours(8))
    for further in ([quick, relaxed], [relaxed, quick]):
        late = File(alert())
        for complaint in further:
            late.joined(complaint, hours(8))
        late.tried("ann", hours(9), happened_at=hours(1))
        assert (
            late.dues()
            == at_once.dues()
            == {"acknowledge": hours(3), "contact": hours(10), "resolve": hours(50)}
        )
        assert late.case.cycle == 2


def test_a_late_complaint_that_a_call_has_answered_already_makes_no_promise_stricter() -> None:
    file = File(alert()).tried("ann", hours(3)).joined(alert(at=hours(5), id_=2), hours(5))
    dues = file.dues()
    file.joined(alert(sla=QUICK, at=hours(1), id_=3), hours(6))
    assert {kind: dues[kind] for kind in ("acknowledge", "contact")} == {
        kind: due for kind, due in file.dues().items() if kind != "resolve"
    }
    assert file.case.cycle == 2


@pytest.mark.parametrize("order", [(1, 3), (3, 1)])
def test_a_call_between_two_complaints_is_taken_in_whatever_order_they_came(
    order: tuple[int, int],
) -> None:
    first, second = order
    file = File(alert(at=hours(first)), hours(4)).joined(alert(at=hours(second), id_=2), hours(4))
    file.tried("ann", hours(5), happened_at=hours(2))
    assert (file.case.status, file.case.cycle, file.case.answered_until) == (
        Status.OPEN,
        2,
        hours(2),
    )
    assert file.dues()["contact"] == hours(27)


def test_a_clock_ahead_of_ours_does_not_date_a_complaint_after_its_arrival() -> None:
    ahead = Starts.of_event(hours(0.05), NOW, NOW)
    assert ahead.customer_sent == NOW
    assert Starts.of_event(hours(-1), NOW, NOW).customer_sent == hours(-1)


def test_an_earlier_call_recorded_second_is_when_the_promise_was_kept() -> None:
    file = (
        File(alert(sla=QUICK)).tried("ann", hours(9)).tried("ben", hours(10), happened_at=hours(2))
    )
    assert file.clocks["1.contact.1"].met
    between = (
        File(alert(sla=QUICK))
        .joined(alert(sla=QUICK, at=hours(3), id_=2), hours(3))
        .tried("ann", hours(9))
    )
    between.tried("ben", hours(10), happened_at=hours(2))
    assert (
        between.clocks["1.contact.1"].met is False
    )  # the second complaint was answered by the later call only


def test_what_was_missed_before_the_case_opened_again_is_told_once() -> None:
    file = File(alert(sla=QUICK)).tried("ann", hours(1))
    missed = replace(file.clocks["1.resolve.1"], missed_at=hours(48))
    file.clocks["1.resolve.1"] = missed
    file.joined(alert(sla=RELAXED, at=hours(60), id_=2), hours(60))
    assert file.now_running()[RESOLVE].missed_at == hours(48)
    assert not [key for key in file.timers if "2.resolve" in key]


def test_another_fixer_of_a_joining_alert_is_informed() -> None:
    other = replace(alert(at=hours(1)), fixer=assigned("workshop")[0])
    file = File(alert()).joined(other, hours(1))
    assert file.case.fixer == "office"
    assert ("workshop", "informed") in file.told


def test_after_the_call_there_is_nothing_to_hand_over() -> None:
    with pytest.raises(ActionRefused, match="has been reached"):
        File(alert()).tried("ann", hours(1)).handed("ben", hours(2))


def test_what_was_mended_between_two_complaints_is_not_asked_for_again_when_an_earlier_call_is_recorded() -> (  # noqa: E501
    None
):
    def live(*, late: bool) -> File:
        file = File(alert())
        if not late:
            file.tried("ann", hours(1))
        file.joined(alert(at=hours(2), id_=2), hours(2)).mended(hours(3)).joined(
            alert(sla=RELAXED, at=hours(4), id_=3), hours(4)
        )
        return file.tried("ann", hours(5), happened_at=hours(1)) if late else file

    assert (
        live(late=True).dues()
        == live(late=False).dues()
        == {"acknowledge": hours(6), "contact": hours(26)}
    )


def test_an_earlier_call_recorded_last_does_not_take_back_what_the_later_one_answered() -> None:
    file = File(alert()).tried("ann", hours(5)).tried("ben", hours(6), happened_at=hours(1))
    assert file.joined(alert(at=hours(3)), hours(7)).case.cycle == 1


def test_a_complaint_after_the_call_reopens_the_case_in_its_next_cycle() -> None:
    file = File(alert()).tried("ann", hours(3)).joined(alert(at=hours(5)), hours(5))
    case = file.case
    assert (case.status, case.cycle, case.assignment, case.contacted_at) == (
        Status.OPEN,
        2,
        2,
        None,
    )
    assert file.audit[0] == "case.reopened"
    assert file.dues() == {
        "acknowledge": hours(9),
        "contact": hours(29),
        "resolve": hours(168),
    }  # the office's is older
    assert [recipient for recipient, _ in file.told] == ["ann", "office"]
    file.tried(
        "ann", hours(6), happened_at=hours(4)
    )  # a call from before does not answer the new complaint
    assert (file.case, file.audit) == (case, ["contact.attempted"])


def test_a_complaint_from_before_the_call_joins_and_needs_no_second_one() -> None:
    file = File(alert()).tried("ann", hours(3)).joined(alert(at=hours(2)), hours(5))
    assert (file.case.status, file.case.cycle) == (Status.CONTACTED, 1)
    assert set(file.dues()) == {"resolve"}


def test_a_new_caller_at_reopening_is_on_record() -> None:
    file = (
        File(alert("ann", "normal"))
        .tried("ann", hours(1))
        .joined(alert("ben", "critical", at=hours(2)), hours(2))
    )
    assert (file.case.caller, file.case.assignment) == ("ben", 2)
    assert file.audit == ["case.reopened", "case.caller_changed"]


def test_what_the_office_owes_survives_a_reopening_by_a_rule_that_asks_nothing_of_it() -> None:
    file = (
        File(alert(sla=STRICT))
        .tried("ann", hours(3))
        .joined(alert(sla=RELAXED, at=hours(5)), hours(5))
    )
    assert file.dues() == {"contact": hours(77), "resolve": hours(168)}
    assert {"missed 2.resolve.1", "step 2.resolve.1.1", "step 2.resolve.1.2"} <= set(file.timers)
    assert file.mended(hours(6)).dues() == {"contact": hours(77)}


def test_a_promise_whose_policy_is_gone_is_owed_on_as_it_was_made() -> None:
    file = File(alert(sla=STRICT)).tried("ann", hours(3))
    decision = join_case(
        file.case, file.clocks.values(), alert(sla=RELAXED, at=hours(5)), {}, hours(5)
    )
    keys = [timer.key for timer in decision.timers if "resolve" in timer.key]
    assert keys == ["2.resolve.1", "2.resolve.1.1", "2.resolve.1.2"]
    promised = promised_by(file.case, file.clocks.values())
    assert {kind: target.within.length for kind, target in promised.targets.items()} == {
        ACKNOWLEDGE: 4 * H,
        CONTACT: 24 * H,
        RESOLVE: 168 * H,
    }


# What people do


def test_acknowledging_stops_its_clock_and_is_said_once() -> None:
    file = File(alert()).acknowledged("ann", hours(1))
    assert (file.case.status, file.case.assignment) == (Status.ACKNOWLEDGED, 1)
    assert file.clocks["1.acknowledge.1"].stopped_at == hours(1)
    assert set(file.dues()) == {"contact", "resolve"}
    with pytest.raises(ActionRefused, match="C-7 is already acknowledged"):
        file.acknowledged("ann", hours(2))


def test_a_substitute_takes_over_by_acknowledging() -> None:
    file = File(alert()).acknowledged("ann", hours(1)).acknowledged("ben", hours(2))
    assert (file.case.caller, file.case.assignment, file.case.status) == (
        "ben",
        2,
        Status.ACKNOWLEDGED,
    )
    assert file.case.informed == ("boss", "ann")
    assert file.audit == ["case.acknowledged", "case.taken_over"]


@pytest.mark.parametrize("outcome", [outcome for outcome, counts in OUTCOMES.items() if not counts])
@pytest.mark.parametrize("channel", CHANNELS)
def test_an_attempt_that_did_not_reach_anybody_only_goes_on_record(
    outcome: str, channel: str
) -> None:
    file = File(alert())
    attempt = Attempt(
        by="ann", channel=channel, outcome=outcome, happened_at=hours(1), note="left word"
    )
    decision = record_contact(
        file.case, file.clocks.values(), attempt, hours(1), file.complaints, POLICIES
    )
    assert (decision.case, decision.clocks, decision.cancelled, decision.tell) == (
        file.case,
        (),
        (),
        (),
    )
    assert decision.audit[0].action == "contact.attempted"
    assert decision.audit[0].personal == {"note": "left word"}
    assert "left word" not in str(decision.audit[0].facts)


def test_a_call_counts_from_when_it_happened_however_late_it_is_recorded() -> None:
    file = File(alert()).tried("ann", hours(30), happened_at=hours(23))
    assert file.case.status is Status.CONTACTED
    assert file.case.contacted_at == hours(23)
    contact = file.clocks["1.contact.1"]
    assert (contact.stopped_at, contact.met) == (hours(23), True)
    assert file.clocks["1.acknowledge.1"].met is False
    assert set(file.told) == {("boss", "handled")}


def test_the_caller_hears_when_somebody_else_has_called_and_nobody_hears_twice() -> None:
    file = File(alert()).tried("ben", hours(1))
    assert set(file.told) == {("ann", "handled"), ("boss", "handled")}
    assert file.tried("ann", hours(2)).told == []


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        ({"happened_at": hours(2)}, "ahead of now"),
        ({"happened_at": hours(-1)}, "before the customer wrote"),
        ({"channel": "fax"}, "channel is one of phone"),
        ({"outcome": "talked"}, "outcome is one of reached"),
    ],
)
def test_an_attempt_that_cannot_have_been_is_refused(attempt: dict[str, Any], words: str) -> None:
    file = File(alert())
    given = Attempt(
        **{
            "by": "ann",
            "channel": "phone",
            "outcome": "reached",
            "happened_at": hours(1),
            **attempt,
        }
    )
    with pytest.raises(ActionRefused, match=words):
        record_contact(file.case, file.clocks.values(), given, hours(1), file.complaints, POLICIES)


def test_handing_over_needs_a_reason_and_somebody_else_and_lets_the_clocks_run() -> None:
    file = File(alert()).acknowledged("ann", hours(1))
    before = dict(file.clocks)
    for to, reason, words in (
        ("ben", "  ", "why it is handed over"),
        ("ann", "busy", "with ann already"),
    ):
        with pytest.raises(ActionRefused, match=words):
            hand_over(file.case, file.clocks.values(), to, "ann", reason, hours(2))
    file.handed("ben", hours(2))
    assert (file.case.caller, file.case.status, file.case.assignment) == ("ben", Status.OPEN, 2)
    assert file.told == [("ben", "call")]
    assert {key: clock for key, clock in file.clocks.items() if key in before} == before
    assert [(c.key, c.started_at) for key, c in file.clocks.items() if key not in before] == [
        ("1.acknowledge.2", hours(2))
    ]
    assert file.acknowledged("ben", hours(3)).case.status is Status.ACKNOWLEDGED


@pytest.mark.parametrize("first", ["call", "cause"])
def test_a_case_ends_when_the_cause_is_removed_and_the_customer_reached_in_either_order(
    first: str,
) -> None:
    file = File(alert())
    if first == "call":
        file = file.tried("ann", hours(1))
        assert file.case.status is Status.CONTACTED
        file.mended(hours(2))
    else:
        file = file.mended(hours(1))
        assert file.case.status is Status.OPEN
        file.tried("ann", hours(2))
    assert (file.case.status, file.case.resolved_at) == (Status.RESOLVED, hours(2))
    assert file.dues() == {}
    assert file.timers == {}
    assert file.audit[-1] == "case.resolved"


def test_the_cause_is_removed_once_and_in_words() -> None:
    file = File(alert())
    with pytest.raises(ActionRefused, match="what was wrong"):
        remove_cause(
            file.case, file.clocks.values(), "office", Resolution(note=" "), Resolutions(), NOW
        )
    file.mended(hours(1))
    with pytest.raises(ActionRefused, match="already recorded as removed"):
        file.mended(hours(2))


def test_nothing_can_be_done_to_a_resolved_case() -> None:
    file = File(alert()).tried("ann", hours(1)).mended(hours(2))
    for act in (
        lambda: file.acknowledged("ben", hours(3)),
        lambda: file.tried("ann", hours(3)),
        lambda: file.handed("ben", hours(3)),
        lambda: file.mended(hours(3)),
    ):
        with pytest.raises(
            ActionRefused, match="C-7 is resolved; a new complaint opens a new case"
        ):
            act()


# A life in which anything may happen

PEOPLE = st.sampled_from(["ann", "ben", "cat", "boss"])
ALERTS = st.builds(
    lambda caller, severity, sla: (caller, severity, sla),
    PEOPLE,
    st.sampled_from(SEVERITIES),
    st.sampled_from([STRICT, RELAXED, QUICK]),
)


class CaseLife(RuleBasedStateMachine):
    """Whatever happens in whatever order, the promises of DESIGN.md hold after each step."""

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
            if (
                not clock.running and same != clock
            ):  # what has ended stays as it ended, save for an earlier call
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
