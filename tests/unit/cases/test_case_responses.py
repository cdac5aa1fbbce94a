"""What people answer to a case, and when it ends."""

from typing import Any

import pytest

from alerting.domain.cases.case_responses import hand_over, record_contact, remove_cause
from alerting.domain.cases.cases import CHANNELS, OUTCOMES, Attempt, Status
from alerting.domain.cases.resolutions import Resolution, Resolutions
from alerting.domain.errors import ActionRefused
from tests.support.builders import NOW, hours
from tests.support.cases.decisions import POLICIES, File, alert


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
