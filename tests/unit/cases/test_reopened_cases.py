"""A case that is opened again: its next cycle, and what is still owed of the one before."""

from dataclasses import replace

import pytest

from alerting.domain.cases.case_alerts import join_case, promised_by
from alerting.domain.cases.cases import Status
from alerting.domain.errors import ActionRefused
from tests.support.builders import hours
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
    assigned,
)


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
