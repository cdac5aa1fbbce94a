"""A case that waits: its clocks stand still, its steps come later, and what ends it."""

from datetime import timedelta

from sqlalchemy import select

from alerting.database.tables import clock_entry, notification, wait
from alerting.domain.cases.cases import Status
from alerting.domain.cases.sla import WaitingFor
from alerting.services.cases import acts
from tests.support.builders import changed
from tests.support.cases.work import H, activated, do, due, hours, let_wait
from tests.support.world import BEGIN, World, recipients


def test_clocks_stand_still_while_the_case_waits_and_run_on_when_the_customer_acts(
    unhappy: World,
) -> None:
    unhappy.pass_time(hours=2)
    began = unhappy.now()
    assert let_wait(unhappy).startswith("C-1 waits until 2026-03-20")
    assert unhappy.case("ACME-AERO").standing is Status.WAITING
    assert unhappy.clocks("ACME-AERO")["acknowledge"].met  # a caller who waits has taken the case
    assert recipients(unhappy.deliver()) == ["office.berlin"]  # whose clock stands still, too
    unhappy.pass_time(days=3)
    assert unhappy.tick() == 0
    assert unhappy.deliver() == []  # nobody is reminded of what stands still
    unhappy.take(unhappy.survey(score=9, comment="I am back."))
    case = unhappy.case("ACME-AERO")
    assert (case.standing, case.waiting_since) == (Status.ACKNOWLEDGED, None)
    assert due(unhappy) == 24 + 72
    assert due(unhappy, "resolve") == 168 + 72
    (row,) = unhappy.rows(select(wait))
    assert (hours(row.began_at - began), hours(row.ended_at - row.began_at), row.ended_by) == (
        0,
        72,
        "the customer",
    )
    assert [mail.subject for mail in unhappy.deliver()] == [
        "Go on with Acme Aerospace: the wait is over - C-1"
    ]
    ledger = unhappy.rows(
        select(clock_entry).where(clock_entry.c.kind == "contact").order_by(clock_entry.c.id)
    )
    assert [(e.what, hours(e.happened_at - BEGIN)) for e in ledger] == [
        ("started", 0),
        ("paused", 2),
        ("resumed", 74),
    ]


def test_after_a_wait_the_steps_come_as_much_later_and_none_twice(unhappy: World) -> None:
    unhappy.pass_time(hours=13)
    unhappy.tick()
    assert "Reminder: call Acme Aerospace by Sat 7 Mar 09:30 - C-1" in [
        mail.subject for mail in unhappy.deliver()
    ]
    let_wait(unhappy)
    unhappy.pass_time(hours=10)
    do(unhappy, acts.GoOn())
    unhappy.pass_time(hours=6, minutes=59)
    assert unhappy.tick() == 0
    unhappy.pass_time(minutes=1)
    unhappy.tick()
    assert [m.subject for m in unhappy.deliver()] == [
        "Can you call Acme Aerospace by Sat 7 Mar 19:30 for Vera Sample? - C-1"
    ]
    unhappy.pass_time(hours=4)
    unhappy.tick()
    assert recipients(unhappy.deliver()) == ["ceo"]


def test_what_happened_before_a_wait_ends_it_as_little_as_what_we_did_ourselves(
    unhappy: World,
) -> None:
    unhappy.pass_time(hours=1)
    before = unhappy.now() - timedelta(minutes=10)
    let_wait(unhappy)
    unhappy.pass_time(hours=1)
    unhappy.take(unhappy.call("ACME-AERO", time=before.isoformat()))
    unhappy.take(unhappy.call("ACME-AERO", direction="outbound", outcome="voicemail"))
    unhappy.take(unhappy.customer("ACME-AERO", city="Hamburg", time=unhappy.now().isoformat()))
    assert unhappy.case("ACME-AERO").waiting_since is not None
    unhappy.take(unhappy.call("ACME-AERO", outcome="resolved"))
    assert unhappy.case("ACME-AERO").waiting_since is None


def test_a_wait_ends_at_its_day_once_and_tells_whoever_waits(unhappy: World) -> None:
    let_wait(unhappy, WaitingFor.THIRD_PARTY, BEGIN + 50 * H, by="office_berlin")
    assert (
        unhappy.case("ACME-AERO").status is Status.OPEN
    )  # the office does not take the call by waiting for a part
    unhappy.pass_time(hours=60)
    unhappy.tick()
    assert due(unhappy) == 24 + 50
    assert "Go on with Acme Aerospace: the wait is over - C-1" in [
        mail.subject for mail in unhappy.deliver()
    ]
    (row,) = unhappy.rows(select(wait))
    assert (hours(row.ended_at - BEGIN), row.ended_by) == (50, "its day")
    unhappy.tick()
    assert len(unhappy.rows(select(notification).where(notification.c.template == "resumed"))) == 1


def test_reaching_the_customer_ends_the_wait_for_the_customer_and_the_clock_was_kept(
    unhappy: World,
) -> None:
    let_wait(unhappy)
    unhappy.pass_time(days=4)
    unhappy.reached("ACME-AERO", "vp_sales")
    kept = unhappy.clocks("ACME-AERO")["contact"]
    assert kept.stopped_at is not None
    assert kept.worked is not None
    assert (kept.met, hours(kept.worked), len(kept.pauses)) == (True, 0, 1)
    assert hours(kept.stopped_at - kept.started_at) == 96  # what the customer felt stays
    assert unhappy.case("ACME-AERO").waiting_since is None
    assert due(unhappy, "resolve") == 168 + 96


def test_a_call_does_not_end_a_wait_for_a_third_party(unhappy: World) -> None:
    let_wait(unhappy, WaitingFor.THIRD_PARTY)
    unhappy.pass_time(hours=30)
    unhappy.reached("ACME-AERO", "vp_sales")
    assert unhappy.case("ACME-AERO").waiting_for is WaitingFor.THIRD_PARTY
    unhappy.fixed("ACME-AERO")
    case = unhappy.case("ACME-AERO")
    assert (case.status, case.waiting_since) == (Status.RESOLVED, None)
    assert hours(unhappy.clocks("ACME-AERO")["resolve"].worked or H) == 0


def test_a_policy_says_which_waits_its_clocks_pause_for(world: World) -> None:
    activated(world, changed(sla=("within: 24h", "within: 24h\n      pauses: customer")))
    world.known_customers()
    world.take(world.survey(score=2))
    let_wait(world, WaitingFor.THIRD_PARTY)
    clocks = world.clocks("ACME-AERO")
    assert (clocks["contact"].paused_at is None, clocks["resolve"].paused_at is None) == (
        True,
        False,
    )
    do(world, acts.GoOn())
    let_wait(world, WaitingFor.CUSTOMER)
    assert world.clocks("ACME-AERO")["contact"].paused_at is not None


def test_what_is_missed_already_is_not_saved_by_waiting(unhappy: World) -> None:
    unhappy.pass_time(hours=25)
    unhappy.tick()
    let_wait(unhappy)
    clocks = unhappy.clocks("ACME-AERO")
    assert clocks["contact"].paused_at is None
    assert clocks["resolve"].paused_at is not None


def test_a_wait_of_no_length_does_not_lose_the_steps(unhappy: World) -> None:
    unhappy.pass_time(hours=2)
    let_wait(unhappy)
    do(unhappy, acts.GoOn())
    unhappy.pass_time(hours=11)
    unhappy.tick()
    assert "Reminder: call Acme Aerospace by Sat 7 Mar 09:30 - C-1" in [
        mail.subject for mail in unhappy.deliver()
    ]


def test_a_call_from_before_the_wait_that_is_recorded_within_it_does_not_end_it(
    unhappy: World,
) -> None:
    unhappy.pass_time(hours=2)
    let_wait(unhappy)
    unhappy.pass_time(hours=3)
    unhappy.reached("ACME-AERO", "vp_sales", minutes_ago=4 * 60)
    assert unhappy.case("ACME-AERO").waiting_since is not None
    do(unhappy, acts.GoOn())
    assert due(unhappy, "resolve") == 168 + 3
    unhappy.pass_time(days=8)
    unhappy.tick()
    assert unhappy.rows(
        select(clock_entry).where(clock_entry.c.what == "missed", clock_entry.c.kind == "resolve")
    )


def test_a_late_fact_takes_no_pause_away(unhappy: World) -> None:
    unhappy.pass_time(hours=1)
    let_wait(unhappy)
    unhappy.pass_time(hours=20)
    do(unhappy, acts.GoOn())
    assert due(unhappy) == 44
    unhappy.pass_time(hours=5)
    unhappy.take(unhappy.customer("ACME-AERO", owner="owner_west", time=(BEGIN - H).isoformat()))
    unhappy.tick()
    assert (due(unhappy), unhappy.clocks("ACME-AERO")["contact"].missed_at) == (44, None)


def test_a_late_fact_ends_no_wait(unhappy: World) -> None:
    unhappy.pass_time(hours=1)
    let_wait(unhappy)
    unhappy.pass_time(hours=2)
    unhappy.take(unhappy.customer("ACME-AERO", owner="owner_west", time=(BEGIN - H).isoformat()))
    assert unhappy.case("ACME-AERO").waiting_since is not None
    clocks = unhappy.clocks("ACME-AERO")
    assert clocks["contact"].paused_at is not None
    unhappy.pass_time(hours=30)
    assert unhappy.tick() == 0


def test_whoever_has_the_case_by_then_hears_that_the_wait_is_over(unhappy: World) -> None:
    let_wait(unhappy, until=BEGIN + 5 * H)
    do(unhappy, acts.HandOver(to="lead_central", reason="on a plane"))
    unhappy.deliver()
    unhappy.pass_time(hours=5)
    unhappy.tick()
    assert recipients([m for m in unhappy.deliver() if "the wait is over" in m.subject]) == [
        "lead.central"
    ]
