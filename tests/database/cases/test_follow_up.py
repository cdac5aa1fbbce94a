"""Cases and their clocks over time, as timelines; on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from alerting.database.cases.timers import due_timers
from alerting.database.customers.customers import lock_customer
from alerting.database.tables import (
    alert,
    audit_entry,
    case_file,
    clock,
    clock_entry,
    notification,
    timer,
)
from alerting.domain.cases.cases import Status, Wait
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.errors import ActionRefused
from alerting.services.cases import respond, work_on_case
from alerting.services.cases.respond import Actor
from alerting.services.reports.report import report
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import changed, problems_of
from tests.support.services.postgres import PostgresServer
from tests.support.world import BEGIN, World, make_world, recipients


@pytest.fixture
def unhappy(world: World) -> World:
    """The key account complained; the three mails went out."""
    world.known_customers()
    world.take(world.survey(score=2))
    world.deliver()
    return world


def _sent(world: World) -> list[tuple[str, str]]:
    """Fire what is due and deliver; (recipient, subject) of the mails that came."""
    world.tick()
    return [(recipients([mail])[0], mail.subject) for mail in world.deliver()]


def test_a_call_nobody_makes(unhappy: World) -> None:
    """08:30 complaint; +4h nobody has acknowledged; +12h reminder; +20h substitute; +24h the
    manager hears.
    """
    unhappy.pass_time(hours=3, minutes=59)
    assert _sent(unhappy) == []
    unhappy.pass_time(minutes=1)
    assert _sent(unhappy) == [
        ("vp.sales", "Will you call Acme Aerospace by Sat 7 Mar 09:30? - C-1")
    ]
    unhappy.pass_time(hours=8)
    assert _sent(unhappy) == [
        ("vp.sales", "Reminder: call Acme Aerospace by Sat 7 Mar 09:30 - C-1")
    ]
    unhappy.pass_time(hours=8)
    assert _sent(unhappy) == [
        ("head.of.service", "Can you call Acme Aerospace by Sat 7 Mar 09:30 for Vera Sample? - C-1")
    ]
    unhappy.pass_time(hours=4)
    assert _sent(unhappy) == [("ceo", "Not called in time: Acme Aerospace - C-1")]
    unhappy.pass_time(hours=24)
    assert _sent(unhappy) == []
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


def test_an_acknowledgement_stops_its_clock_and_only_its_own_reminder(unhappy: World) -> None:
    unhappy.pass_time(hours=1)
    assert unhappy.acknowledged("ACME-AERO", by="vp_sales").status is Status.ACKNOWLEDGED
    unhappy.pass_time(hours=11)
    assert [who for who, _ in _sent(unhappy)] == ["vp.sales"]
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
    assert ("ceo", "Not called in time: Acme Aerospace - C-1") in _sent(unhappy)


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
    assert _sent(unhappy) == [] or all(
        subject.startswith(("Called at", "The cause")) for _, subject in _sent(unhappy)
    )
    with pytest.raises(ActionRefused, match="resolved"):
        unhappy.reached("ACME-AERO", by="vp_sales")


def test_the_informed_get_one_line_when_it_is_handled(unhappy: World) -> None:
    unhappy.pass_time(hours=2)
    unhappy.reached("ACME-AERO", by="vp_sales")
    assert _sent(unhappy) == [
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
    assert [(who, subject[:19]) for who, subject in _sent(unhappy)] == [
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
    assert {who for who, _ in _sent(unhappy)} == {"vp.sales", "office.berlin"}


def test_a_late_answer_from_before_the_call_joins_without_reopening(unhappy: World) -> None:
    before = unhappy.now().isoformat()
    unhappy.pass_time(hours=1)
    unhappy.reached("ACME-AERO", by="vp_sales")
    unhappy.take(unhappy.survey(score=0, time=before))
    assert unhappy.case("ACME-AERO").cycle == 1


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


@pytest.mark.parametrize(
    "wrong",
    ["every: 4h", "times: 3", "every: 4h, times: 1", "every: 0h, times: 3", "every: 4h, times: 51"],
)
def test_a_repetition_says_how_often_and_how_many_times(wrong: str) -> None:
    problems = problems_of(
        changed(sla=("- {after: 0h, notify: caller}", f"- {{after: 0h, {wrong}, notify: caller}}"))
    )
    assert len(problems) == 1 and problems[0].file == "rules/sla.yaml" and problems[0].line == 9
