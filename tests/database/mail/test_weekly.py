"""The weekly mail: open promises per reader, in the own zone, once a week."""

from alerting.domain.cases.sla import WaitingFor
from alerting.services.cases import acts
from alerting.services.cases.respond import Actor
from alerting.services.mail.weekly import send_weekly
from tests.support.world import World, recipients


def test_each_reader_hears_once_a_week_what_is_open_then(world: World) -> None:
    world.known_customers()
    world.take(world.survey(score=2))
    world.acknowledged("ACME-AERO", "vp_sales")
    world.deliver()
    assert send_weekly(world.app.ctx) == 0  # Friday
    world.pass_time(days=2, hours=21, minutes=20)  # Monday 05:50 UTC, 06:50 in Berlin
    assert send_weekly(world.app.ctx) == 0
    world.tick()
    world.deliver()
    world.pass_time(minutes=15)
    assert send_weekly(world.app.ctx) > 0
    assert send_weekly(world.app.ctx) == 0
    mails = {recipients([mail])[0]: mail for mail in world.deliver()}
    mine = mails["vp.sales"]
    assert mine.subject == "1 open promise, 1 overdue"
    assert "Acme Aerospace (C-1, key account): call, overdue since Sat 7 Mar 09:30" in mine.text
    assert "/cases/1" in mine.text
    assert mails["ceo"].subject == "1 overdue with your people"
    assert "Vera Sample, call" in mails["ceo"].text
    world.pass_time(days=1)
    assert send_weekly(world.app.ctx) == 0


def test_what_was_done_meanwhile_is_not_in_it_and_what_waits_is_not_overdue(world: World) -> None:
    world.known_customers()
    world.take(world.survey(score=2))
    world.deliver()
    wait = acts.BeginWait(waiting_for=WaitingFor.CUSTOMER, reason="away")
    acts.perform(world.app.ctx, 1, Actor(party="vp_sales", door="cli"), wait)
    world.pass_time(days=2, hours=22)
    send_weekly(world.app.ctx)
    mails = {recipients([mail])[0]: mail for mail in world.deliver()}
    assert mails["vp.sales"].subject == "1 open promise"
    assert "the clock stands still" in mails["vp.sales"].text
    assert "ceo" not in mails
    world.pass_time(days=7)
    send_weekly(world.app.ctx)
    world.reached("ACME-AERO", "vp_sales")
    world.fixed("ACME-AERO")
    assert [m for m in world.deliver() if "open promise" in m.subject] == []
