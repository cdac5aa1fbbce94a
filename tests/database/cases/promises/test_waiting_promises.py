"""What a promise comes to when its case waits or somebody is away."""

import pytest
from sqlalchemy import select

from alerting.database.tables import notification, timer
from alerting.domain.cases.sla import WaitingFor
from alerting.services.cases import acts
from tests.support.builders import changed
from tests.support.cases.promises import IMPATIENT, plans, resolved, started, two_policies
from tests.support.cases.work import RESOLUTIONS, H, activated, do, hours, let_wait, with_file
from tests.support.world import BEGIN, World, recipients


@pytest.mark.parametrize(("waited", "due"), [(20, 30), (2, 26)])
def test_of_two_rules_the_one_that_ends_earlier_counts_whatever_they_pause_for(
    small_world: World, waited: int, due: float
) -> None:
    world = small_world
    second = (
        "  call_in_30h:\n    starts: customer_sent\n    contact: {by: caller, within: 30h, "
        "pauses: []}\n"
    )
    files = changed(sla=("  call_in_3d:", f"{second}  call_in_3d:"))
    files["rules/escalations/impatient.yaml"] = IMPATIENT
    activated(world, files)
    started(world)
    world.take(world.call("ACME-AERO", channel="email"))
    assert plans(world, "contact") == [(24, None, None)]
    let_wait(world, WaitingFor.CUSTOMER)
    assert plans(world, "contact") == [(30, None, None)]
    world.pass_time(hours=waited)
    do(world, acts.GoOn())
    assert plans(world, "contact") == [(due, None, None)]


def test_what_the_customer_did_ends_a_wait_when_we_hear_of_it(small_world: World) -> None:
    world = started(small_world)
    world.pass_time(hours=2)
    let_wait(world)
    world.pass_time(hours=41)
    world.take(world.call("ACME-AERO", time=(BEGIN + 3 * H).isoformat()))
    world.tick()
    assert plans(world, "contact") == [(65, None, None)]


def test_a_customer_who_writes_again_is_not_left_with_somebody_who_is_away(
    small_world: World,
) -> None:
    world = small_world
    activated(world, with_file("resolutions", RESOLUTIONS))
    started(world)
    resolved(world)
    world.pass_time(days=1)
    absence = {"from": "2026-03-07", "to": "2026-03-31", "substitute": "head_of_service"}
    world.take(world.envelope("person.updated", {"person_id": "vp_sales", "absences": [absence]}))
    world.pass_time(hours=1)
    world.take(world.survey(score=1))
    case = world.case("ACME-AERO")
    assert (case.cycle, case.caller, "vp_sales" in case.informed) == (2, "head_of_service", True)
    calls = [mail for mail in world.deliver() if mail.subject.startswith("Call ")]
    assert recipients(calls) == ["head.of.service"]


def test_a_repeated_reminder_before_the_end_is_moved_by_a_wait_like_the_end(
    small_world: World,
) -> None:
    world = small_world
    repeated = "{before: 12h, every: 4h, times: 3, notify: caller}"
    activated(world, changed(sla=("{before: 12h, notify: caller}", repeated)))
    started(world)
    world.pass_time(hours=13)
    world.tick()
    let_wait(world, by="ceo")
    world.pass_time(hours=20)
    do(world, acts.GoOn())
    assert plans(world, "contact") == [(44, None, None)]
    waiting = select(timer).where(
        timer.c.fired_at.is_(None), timer.c.cancelled_at.is_(None), timer.c.n > 1
    )
    assert sorted(hours(row.due_at - BEGIN) for row in world.rows(waiting)) == [36, 40]


def test_whoever_owes_a_clock_hears_that_somebody_else_has_it_stand_still(
    small_world: World,
) -> None:
    world = started(small_world)
    let_wait(world, WaitingFor.THIRD_PARTY, by="office_berlin")
    [mail] = world.deliver()
    assert recipients([mail]) == ["vp.sales"] and mail.subject.startswith(
        "Your clock stands still for Acme Aerospace"
    )
    assert "Berlin office waits for a third party" in mail.text and mail.html is not None


def test_mails_that_waited_are_not_sent_when_what_they_say_is_over(small_world: World) -> None:
    world = started(small_world)
    world.pass_time(hours=2)
    let_wait(world)
    world.pass_time(hours=2)
    world.take(world.call("ACME-AERO"))
    world.reached("ACME-AERO", "vp_sales")
    do(world, acts.Resolve(note="The seal was replaced."), by="office_berlin")
    assert not [mail for mail in world.deliver() if "wait is over" in mail.subject]
    assert {
        row.reason for row in world.rows(select(notification)) if row.template == "resumed"
    } == {"the case is over"}


def test_whoever_gives_a_case_to_somebody_away_is_told_so(small_world: World) -> None:
    world = started(small_world)
    absence = {"from": "2026-03-01", "to": "2026-03-31", "substitute": "head_of_service"}
    world.take(
        world.envelope("person.updated", {"person_id": "owner_north", "absences": [absence]})
    )
    given = do(world, acts.HandOver(to="owner_north", reason="On a plane."))
    assert (
        given == "C-1 is with Olga Sample from now on, who is absent from 2026-03-01 to 2026-03-31."
    )


def test_a_wait_brings_no_mended_cause_back(small_world: World) -> None:
    world = small_world
    activated(world, two_policies())
    started(world)
    resolved(world)
    world.pass_time(days=10)
    world.take(world.call("ACME-AERO", channel="email"))
    before = plans(world, "resolve", cycle=2)
    world.pass_time(hours=1)
    let_wait(world, WaitingFor.CUSTOMER, by="vp_sales")
    assert plans(world, "resolve", cycle=2) == before == [(721, None, None)]


def test_a_wait_leaves_the_word_a_new_caller_owes(small_world: World) -> None:
    world = small_world
    activated(world, two_policies())
    started(world)
    world.take(world.call("ACME-AERO", channel="email"))
    world.pass_time(hours=1)
    world.acknowledged("ACME-AERO", "vp_sales")
    world.pass_time(hours=4)
    do(world, acts.HandOver(to="head_of_service", reason="On a plane."))
    world.pass_time(hours=1)
    let_wait(world, WaitingFor.THIRD_PARTY, by="office_berlin")
    assert plans(world, "acknowledge") == [(4, 1, 1), (9, None, None)]


def test_a_late_fact_gives_no_case_back_to_somebody_who_is_away(small_world: World) -> None:
    world = small_world
    world.known_customers()
    world.take(world.survey("ALPENWERK"))
    world.pass_time(days=1)
    absence = {"from": "2026-03-07", "to": "2026-03-31", "substitute": "head_of_service"}
    world.take(
        world.envelope("person.updated", {"person_id": "owner_north", "absences": [absence]})
    )
    world.pass_time(hours=1)
    world.take(world.survey("ALPENWERK"))
    world.pass_time(hours=1)
    world.take(world.customer("ALPENWERK", revenue_with_us=100, time=(BEGIN + 12 * H).isoformat()))
    assert world.case("ALPENWERK").caller == "head_of_service"
