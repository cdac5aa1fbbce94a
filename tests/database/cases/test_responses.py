"""What people answer to a case, as timelines: taken, called, mended, handed over, opened again."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from alerting.database.tables import case_file, clock, notification, timer
from alerting.domain.cases.cases import Status
from alerting.domain.errors import ActionRefused
from alerting.services.cases import respond
from alerting.services.cases.respond import Actor
from tests.support.cases.timelines import sent
from tests.support.world import BEGIN, World, recipients


def test_an_acknowledgement_stops_its_clock_and_only_its_own_reminder(unhappy: World) -> None:
    unhappy.pass_time(hours=1)
    assert unhappy.acknowledged("ACME-AERO", by="vp_sales").status is Status.ACKNOWLEDGED
    unhappy.pass_time(hours=11)
    assert [who for who, _ in sent(unhappy)] == ["vp.sales"]
    assert unhappy.clocks("ACME-AERO")["acknowledge"].met is True


def test_a_reminder_written_before_the_acknowledgement_is_not_sent_after_it(unhappy: World) -> None:
    unhappy.pass_time(hours=4)
    unhappy.tick()
    unhappy.acknowledged("ACME-AERO", by="vp_sales")
    assert unhappy.deliver() == []
    (row,) = unhappy.rows(select(notification).where(notification.c.template == "reminder"))
    assert (row.status, row.reason) == ("skipped", "the acknowledge clock has stopped")


def test_a_voicemail_is_no_contact(unhappy: World) -> None:
    unhappy.reached("ACME-AERO", by="vp_sales", outcome="voicemail")
    assert unhappy.clocks("ACME-AERO")["contact"].running
    assert unhappy.case("ACME-AERO").status is Status.OPEN
    unhappy.pass_time(hours=24)
    assert ("ceo", "Not called in time: Acme Aerospace - C-1") in sent(unhappy)


def test_a_call_counts_from_when_it_happened_not_from_when_it_was_written_down(
    unhappy: World,
) -> None:
    unhappy.pass_time(hours=26)
    unhappy.reached("ACME-AERO", by="vp_sales", minutes_ago=180)
    contact = unhappy.clocks("ACME-AERO")["contact"]
    assert contact.met is True
    assert (
        timedelta(hours=22, minutes=59)
        < (contact.stopped_at or BEGIN) - BEGIN
        < timedelta(hours=23, minutes=1)
    )


@pytest.mark.parametrize(
    ("minutes_ago", "reason"), [(-5, "ahead of now"), (600, "before the customer wrote")]
)
def test_a_call_cannot_have_happened_then(unhappy: World, minutes_ago: float, reason: str) -> None:
    with pytest.raises(ActionRefused, match=reason):
        unhappy.reached("ACME-AERO", by="vp_sales", minutes_ago=minutes_ago)


@pytest.mark.parametrize("call_first", [True, False])
def test_a_case_ends_when_the_customer_was_spoken_with_and_the_cause_is_removed(
    unhappy: World, call_first: bool
) -> None:
    if call_first:
        assert unhappy.reached("ACME-AERO", by="vp_sales").status is Status.CONTACTED
        assert unhappy.fixed("ACME-AERO").status is Status.RESOLVED
    else:
        assert unhappy.fixed("ACME-AERO").status is Status.OPEN
        assert unhappy.reached("ACME-AERO", by="vp_sales").status is Status.RESOLVED
    unhappy.pass_time(days=30)
    assert sent(unhappy) == [] or all(
        subject.startswith(("Called at", "The cause")) for _, subject in sent(unhappy)
    )
    with pytest.raises(ActionRefused, match="resolved"):
        unhappy.reached("ACME-AERO", by="vp_sales")


def test_the_informed_get_one_line_when_it_is_handled(unhappy: World) -> None:
    unhappy.pass_time(hours=2)
    unhappy.reached("ACME-AERO", by="vp_sales")
    assert sent(unhappy) == [
        ("owner.north", "Called at Fri 6 Mar 11:30 by Vera Sample - Acme Aerospace")
    ]


def test_a_substitute_becomes_caller_only_by_taking_over(unhappy: World) -> None:
    unhappy.pass_time(hours=20)
    unhappy.tick()
    unhappy.deliver()
    assert unhappy.case("ACME-AERO").caller == "vp_sales"
    taken = unhappy.acknowledged("ACME-AERO", by="head_of_service")
    assert (taken.caller, taken.assignment) == ("head_of_service", 2)
    assert "vp_sales" in taken.informed
    owners = {
        row.party for row in unhappy.rows(select(clock.c.party).where(clock.c.kind == "contact"))
    }
    assert owners == {"head_of_service"}


def test_handing_over_tells_the_new_caller_and_keeps_the_clock(unhappy: World) -> None:
    due = unhappy.clocks("ACME-AERO")["contact"].due_at
    case = unhappy.case("ACME-AERO")
    assert case.id is not None
    respond.hand_over_case(
        unhappy.app.ctx, case.id, Actor(party="vp_sales", door="cli"), "ceo", "on a plane"
    )
    assert [(who, subject[:19]) for who, subject in sent(unhappy)] == [
        ("ceo", "Call Acme Aerospace")
    ]
    assert unhappy.clocks("ACME-AERO")["contact"].due_at == due


def test_a_stricter_alert_takes_the_case_to_its_caller_with_an_earlier_due_time(
    world: World,
) -> None:
    """A small case is open; the customer becomes a key account's equal and calls in vain: the
    stricter clock counts.
    """
    world.known_customers()
    world.take(world.survey("ALPENWERK", score=5))
    world.deliver()
    before = world.clocks("ALPENWERK")["contact"]
    world.take(*(world.call() for _ in range(3)))
    after = world.clocks("ALPENWERK")["contact"]
    assert (before.plan, after.plan) == (1, 2)
    assert after.due_at < before.due_at
    assert len(world.rows(select(case_file))) == 1
    cancelled = world.rows(select(timer).where(timer.c.cancelled_at.is_not(None)))
    assert cancelled
    assert all(row.key.startswith("1.contact.1") for row in cancelled)


def test_a_laxer_alert_changes_no_clock_and_the_caller_hears_of_it(unhappy: World) -> None:
    before = unhappy.clocks("ACME-AERO")
    unhappy.pass_time(minutes=5)
    unhappy.take(unhappy.survey(score=4))
    assert unhappy.clocks("ACME-AERO") == before
    (mail,) = unhappy.deliver()
    assert recipients([mail]) == ["vp.sales"]
    assert "complained again" in mail.text.lower()


def test_a_complaint_after_the_call_opens_the_next_cycle_with_clocks_of_its_own(
    unhappy: World,
) -> None:
    unhappy.pass_time(hours=1)
    unhappy.reached("ACME-AERO", by="vp_sales")
    unhappy.deliver()
    unhappy.pass_time(hours=1)
    unhappy.take(unhappy.survey(score=0, comment="Nothing has changed."))
    case = unhappy.case("ACME-AERO")
    assert (case.cycle, case.status) == (2, Status.OPEN)
    assert unhappy.clocks("ACME-AERO")["contact"].cycle == 2
    first = unhappy.rows(select(clock).where(clock.c.cycle == 1, clock.c.kind == "contact"))[0]
    assert first.stopped_at is not None
    assert {who for who, _ in sent(unhappy)} == {"vp.sales", "office.berlin"}


def test_a_late_answer_from_before_the_call_joins_without_reopening(unhappy: World) -> None:
    before = unhappy.now().isoformat()
    unhappy.pass_time(hours=1)
    unhappy.reached("ACME-AERO", by="vp_sales")
    unhappy.take(unhappy.survey(score=0, time=before))
    assert unhappy.case("ACME-AERO").cycle == 1
