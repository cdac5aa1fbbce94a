"""Cases and their clocks over time, as timelines; on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from alerting.database.cases.timers import due_timers
from alerting.database.customers.customers import lock_customer
from alerting.database.tables import alert, audit_entry, clock_entry, timer
from alerting.domain.cases.cases import Status, Wait
from alerting.domain.cases.sla import WaitingFor
from alerting.services.cases import work_on_case
from alerting.services.cases.respond import Actor
from alerting.services.reports.report import report
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import changed
from tests.support.cases.timelines import sent
from tests.support.services.postgres import PostgresServer
from tests.support.world import World, make_world, recipients


def test_a_call_nobody_makes(unhappy: World) -> None:
    """08:30 complaint; +4h nobody has acknowledged; +12h reminder; +20h substitute; +24h the
    manager hears.
    """
    unhappy.pass_time(hours=3, minutes=59)
    assert sent(unhappy) == []
    unhappy.pass_time(minutes=1)
    assert sent(unhappy) == [("vp.sales", "Will you call Acme Aerospace by Sat 7 Mar 09:30? - C-1")]
    unhappy.pass_time(hours=8)
    assert sent(unhappy) == [("vp.sales", "Reminder: call Acme Aerospace by Sat 7 Mar 09:30 - C-1")]
    unhappy.pass_time(hours=8)
    assert sent(unhappy) == [
        ("head.of.service", "Can you call Acme Aerospace by Sat 7 Mar 09:30 for Vera Sample? - C-1")
    ]
    unhappy.pass_time(hours=4)
    assert sent(unhappy) == [("ceo", "Not called in time: Acme Aerospace - C-1")]
    unhappy.pass_time(hours=24)
    assert sent(unhappy) == []
    missed = unhappy.rows(select(clock_entry).where(clock_entry.c.what == "missed"))
    assert [(e.kind, e.happened_at == e.due_at) for e in missed] == [
        ("acknowledge", True),
        ("contact", True),
    ]


def test_all_steps_catch_up_after_a_long_downtime_each_once(unhappy: World) -> None:
    unhappy.pass_time(days=30)
    unhappy.tick()
    unhappy.tick()
    fired = unhappy.rows(select(timer).where(timer.c.fired_at.is_not(None)))
    assert len(fired) == len(unhappy.rows(select(timer)))
    assert recipients(unhappy.deliver()) == sorted(
        [
            "vp.sales",
            "vp.sales",
            "head.of.service",
            "ceo",
            "office.berlin",
            "lead.central",
            "vp.sales",
        ]
    )


def test_a_customer_whose_timers_fail_keeps_nobody_else_waiting(unhappy: World) -> None:
    unhappy.take(unhappy.survey("KIOSK-7", score=1), unhappy.survey("ALPENWERK", score=1))
    unhappy.deliver()
    unhappy.pass_time(days=2)
    with unhappy.app.ctx.db.write() as tx:
        tx.execute(
            update(timer).where(timer.c.customer_key == "KIOSK-7").values(data={"clock": "cuckoo"})
        )
    assert unhappy.tick() == 7  # of ACME-AERO six, of ALPENWERK one, and none of them twice
    assert unhappy.tick() == 0
    with unhappy.app.ctx.db.read() as tx:
        assert [row.customer_key for row in due_timers(tx, tx.now())] == ["KIOSK-7"]


def test_a_wait_that_ends_and_reminders_of_one_tick_are_told_in_the_order_in_which_they_fell_due(
    unhappy: World,
) -> None:
    unhappy.take(unhappy.survey("KIOSK-7", score=1), unhappy.survey("ALPENWERK", score=1))
    kiosk, alpenwerk = unhappy.case("KIOSK-7"), unhappy.case("ALPENWERK")
    assert kiosk.id is not None and alpenwerk.id is not None

    def make(now: datetime) -> Wait:
        until = now + timedelta(days=2, minutes=-1)
        return Wait(
            waiting_for=WaitingFor.CUSTOMER, by=kiosk.caller, reason="on holiday", until=until
        )

    work_on_case.wait_for(unhappy.app.ctx, kiosk.id, Actor(party=kiosk.caller, door="cli"), make)
    before = len(unhappy.rows(select(audit_entry)))
    unhappy.pass_time(days=2)
    unhappy.tick()
    assert not unhappy.case("KIOSK-7").waiting_since
    entries = unhappy.rows(select(audit_entry).order_by(audit_entry.c.id))[before:]
    done = [
        (row.action, row.subject_id)
        for row in entries
        if row.subject_id in {str(kiosk.id), str(alpenwerk.id)}
    ]
    assert done == [("case.resumed", str(kiosk.id)), ("step.fired", str(alpenwerk.id))]
    assert [row.happened_at for row in entries] == sorted(row.happened_at for row in entries)


def test_a_customer_somebody_works_on_is_left_for_a_tick_and_keeps_nobody_else_waiting(
    tmp_path: Path, postgres_server: PostgresServer, postgresql_template: str
) -> None:
    world = make_world(tmp_path, postgres_server.new_database(postgresql_template), prepared=True)
    try:
        world.known_customers()
        world.take(world.survey("KIOSK-7", score=1), world.survey("ALPENWERK", score=1))
        world.pass_time(days=2, seconds=1)
        with world.app.ctx.db.write() as tx:
            lock_customer(tx, "KIOSK-7")
            assert world.tick() == 1
            with world.app.ctx.db.read() as other:
                assert [row.customer_key for row in due_timers(other, other.now())] == ["KIOSK-7"]
            world.pass_time(seconds=10)
            with ThreadPoolExecutor() as pool:
                waiting = pool.submit(world.tick)
                with pytest.raises(TimeoutError):
                    waiting.result(timeout=0.5)
                tx.connection.commit()
                assert waiting.result(timeout=10) == 1
    finally:
        world.app.close()


def test_the_ledger_and_the_audit_keep_every_start_and_stop(unhappy: World) -> None:
    unhappy.reached("ACME-AERO", by="vp_sales")
    unhappy.fixed("ACME-AERO")
    ledger = [
        (row.kind, row.what) for row in unhappy.rows(select(clock_entry).order_by(clock_entry.c.id))
    ]
    assert ledger == [(kind, "started") for kind in ("acknowledge", "contact", "resolve")] + [
        (kind, "stopped") for kind in ("acknowledge", "contact", "resolve")
    ]
    chosen = (
        select(audit_entry.c.action)
        .where(audit_entry.c.subject_kind == "case")
        .order_by(audit_entry.c.id)
    )
    actions = [
        row.action
        for row in unhappy.rows(chosen)
        if not row.action.startswith(("notification", "no_"))
    ]
    assert actions == ["case.opened", "contact.made", "cause.removed", "case.resolved"]


def test_the_report_counts_open_and_overdue_as_missed(unhappy: World) -> None:
    unhappy.take(unhappy.survey("KIOSK-7", score=1))
    unhappy.pass_time(hours=2)
    unhappy.reached("ACME-AERO", by="vp_sales")
    unhappy.pass_time(days=4)
    unhappy.tick()
    found = report(unhappy.app.ctx)
    contact = next(line for line in found.overall if line.kind == "contact").attainment
    assert (contact.met, contact.late, contact.overdue, contact.share) == (1, 0, 1, 0.5)
    assert contact.p90 is not None
    assert contact.p90.at_least
    assert [
        (breach.case_id, breach.party) for breach in found.breaches if breach.clock == "contact"
    ] == [(2, "lead_central")]


def test_what_was_still_owed_when_the_customer_complains_again_keeps_its_earlier_due_time(
    unhappy: World,
) -> None:
    owed = unhappy.clocks("ACME-AERO")["resolve"].due_at
    unhappy.reached("ACME-AERO", by="vp_sales")
    unhappy.pass_time(days=2)
    unhappy.take(unhappy.survey(score=0))
    resolve = unhappy.clocks("ACME-AERO")["resolve"]
    assert (resolve.cycle, resolve.due_at, resolve.running) == (2, owed, True)
    found = report(unhappy.app.ctx)
    assert (
        next(line for line in found.overall if line.kind == "resolve").attainment.running == 1
    )  # not once per cycle
    assert next(line for line in found.overall if line.kind == "contact").attainment.met == 1


def test_a_complaint_that_arrives_when_the_call_has_answered_it_and_the_case_is_over_rings_nobody(
    world: World,
) -> None:
    world.known_customers()
    late = world.survey("ACME-AERO", score=1)
    world.pass_time(hours=1)
    world.take(world.survey("ACME-AERO", score=2))
    world.pass_time(hours=1)
    world.reached("ACME-AERO", by="vp_sales")
    world.fixed("ACME-AERO")
    assert world.case("ACME-AERO").status is Status.RESOLVED
    world.deliver()
    world.take(late)
    assert world.rows(select(alert.c.suppressed).order_by(alert.c.id))[-1].suppressed == "answered"
    assert world.deliver() == []
    world.take(world.survey("ACME-AERO", score=2))  # what she writes after the call is a new matter
    assert world.case("ACME-AERO").status is Status.OPEN


def test_a_repeated_step_ends_when_somebody_takes_the_case(world: World) -> None:
    files = changed(
        sla=("- {after: 0h, notify: caller}", "- {after: 0h, every: 1h, times: 4, notify: caller}")
    )
    activate_rulebook(world.app.ctx, files, {}, author="test", reason="again and again")
    world.known_customers()
    world.take(world.survey("ACME-AERO"))
    world.deliver()
    reminded = []
    for _ in range(6):
        world.pass_time(hours=1)
        world.tick()
        reminded.append(len(world.deliver()))
    assert reminded == [0, 0, 0, 1, 1, 1]  # due after four hours
    world.acknowledged("ACME-AERO", "vp_sales")
    world.pass_time(hours=1)
    world.tick()
    assert world.deliver() == []
