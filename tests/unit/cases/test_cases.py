"""Cases: what follows from alerts and from what people do, in tables, and as a life in which
anything may happen.
"""

import pytest

from alerting.domain.cases.case_alerts import open_case
from alerting.domain.cases.cases import SEVERITIES, Status
from tests.support.builders import NOW, hours
from tests.support.cases.decisions import QUICK, RELAXED, STRICT, File, alert

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
        "steps": [],
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
