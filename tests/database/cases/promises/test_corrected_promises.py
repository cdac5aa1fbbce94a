"""What a promise comes to when a time is corrected. Times are hours after the first complaint."""

import pytest

from alerting.domain.cases.cases import Status
from alerting.domain.cases.corrections import Corrected
from alerting.domain.errors import ActionRefused
from alerting.services.cases import acts
from alerting.services.cases.respond import Actor
from tests.support.builders import changed
from tests.support.cases.promises import by_person, corrected, plans, started
from tests.support.cases.work import RESOLUTIONS, H, activated, do, with_file
from tests.support.world import BEGIN, World

STALE = changed(sla=("within: 4h", "within: 4h\n      stale_after: 6h"))


@pytest.mark.parametrize("becomes", [16, 14.9])
def test_a_corrected_call_leaves_an_acknowledgement_after_a_stale_one_as_it_was(
    small_world: World, becomes: float
) -> None:
    world = small_world
    activated(world, STALE)
    started(world)
    world.pass_time(hours=1)
    world.acknowledged("ACME-AERO", "vp_sales")
    world.pass_time(hours=6)
    world.tick()
    world.pass_time(hours=6)
    world.tick()
    world.acknowledged("ACME-AERO", "vp_sales")
    assert plans(world, "acknowledge") == [(11, 13, 6)]
    world.pass_time(hours=2)
    world.reached("ACME-AERO", "vp_sales")
    world.pass_time(hours=2)
    corrected(world, becomes)
    assert plans(world, "acknowledge") == [(11, 13, 6)]
    assert plans(world, "contact") == [(24, becomes, becomes)]
    assert by_person(world, "acknowledge") == {"vp_sales": (0, 1)}


def test_a_call_before_the_words_it_would_answer_keeps_no_promise_when_another_is_corrected(
    small_world: World,
) -> None:
    world = started(small_world)
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales")
    world.pass_time(hours=3)
    world.take(world.survey(score=1))
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales", minutes_ago=180)
    world.pass_time(hours=27)
    world.tick()
    world.reached("ACME-AERO", "vp_sales")
    world.pass_time(hours=2)
    corrected(world, 33)
    assert plans(world, "contact", cycle=2) == [(28, 33, 29)]


def test_a_correction_leaves_a_kept_promise_with_whoever_kept_it(small_world: World) -> None:
    world = started(small_world)
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales")
    world.pass_time(hours=1)
    world.take(world.survey(score=1))
    do(world, acts.HandOver(to="head_of_service", reason="On a plane."))
    corrected(world, 0.5, call=1)
    assert by_person(world, "contact")["vp_sales"] == (1, 0)


def test_a_call_is_not_corrected_to_a_time_after_other_words(small_world: World) -> None:
    world = started(small_world)
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales")
    world.pass_time(hours=1)
    world.take(world.survey(score=1))
    world.pass_time(hours=2)
    with pytest.raises(ActionRefused, match="record the later one as a call of its own"):
        do(world, acts.ProposeCorrection(becomes=BEGIN + 3 * H, reason="The phone log says so."))
    world.reached("ACME-AERO", "vp_sales", minutes_ago=60)
    assert plans(world, "contact", cycle=2) == [(26, 3, 1)]


def test_when_the_cause_of_an_earlier_cycle_was_removed_can_be_corrected(
    small_world: World,
) -> None:
    world = small_world
    activated(world, with_file("resolutions", RESOLUTIONS))
    started(world)
    world.pass_time(hours=2)
    do(world, acts.Resolve(root_cause="seal", action="replaced"), by="office_berlin")
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales")
    world.pass_time(hours=1)
    world.take(world.survey(score=1))
    assert (world.case("ACME-AERO").cycle, plans(world, "resolve")) == (2, [(168, 2, 2)])
    wrong = {"what": Corrected.CAUSE, "becomes": BEGIN + H, "reason": "The delivery note says so."}
    with pytest.raises(
        ActionRefused, match="is not recorded as removed; there is no time to correct"
    ):
        do(world, acts.ProposeCorrection(**wrong))
    do(world, acts.ProposeCorrection(**wrong, cycle=1))
    do(world, acts.DecideCorrection(correction=1, approve=True), by="ceo")
    assert (plans(world, "resolve"), plans(world, "resolve", cycle=2)) == (
        [(168, 1, 1)],
        [(172, None, None)],
    )
    assert world.case("ACME-AERO").cause_removed_at is None


def twice_called_once(world: World) -> World:
    """Complaints at 0 and 2, one call at 3, recorded as call 1."""
    started(world)
    world.pass_time(hours=2)
    world.take(world.survey(score=1))
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales")
    return world


def test_a_correction_opens_no_case_beside_another_one(small_world: World) -> None:
    world = twice_called_once(small_world)
    do(world, acts.Resolve(note="The seal was replaced."), by="office_berlin")
    world.pass_time(days=2)
    world.take(world.survey(score=1))
    propose = acts.ProposeCorrection(becomes=BEGIN + H, reason="The phone log says so.", call=1)
    acts.perform(world.app.ctx, 1, Actor(party="vp_sales", door="cli"), propose)
    done, _ = acts.perform(
        world.app.ctx,
        1,
        Actor(party="ceo", door="cli"),
        acts.DecideCorrection(correction=1, approve=True),
    )
    assert (
        done is not None
        and done.status is Status.RESOLVED
        and world.case("ACME-AERO").number == "C-2"
    )
    assert plans(world, "contact")[0] == (24, 1, 1)


def test_a_correction_opens_no_case_of_a_customer_who_was_forgotten(small_world: World) -> None:
    world = twice_called_once(small_world)
    do(world, acts.ProposeCorrection(becomes=BEGIN + H, reason="The phone log says so.", call=1))
    world.pass_time(hours=1)
    world.take(world.envelope("customer.forgotten", {"customer_id": "ACME-AERO", "by": "dpo"}))
    world.pass_time(hours=1)
    do(world, acts.DecideCorrection(correction=1, approve=True), by="ceo")
    assert world.case("ACME-AERO").status is Status.RESOLVED and world.deliver() == []


def test_a_call_that_turns_out_to_answer_nothing_keeps_no_promise(small_world: World) -> None:
    world = started(small_world)
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales")
    world.pass_time(hours=3)
    world.take(world.survey(score=1))
    world.pass_time(hours=2)
    world.reached("ACME-AERO", "vp_sales")
    corrected(world, 3, call=2)
    assert (plans(world, "contact", cycle=2), plans(world, "contact", cycle=3)) == (
        [],
        [(28, None, None)],
    )
    assert by_person(world, "contact") == {"vp_sales": (1, 0)}


def test_the_cause_is_corrected_where_its_clock_stopped(small_world: World) -> None:
    world = small_world
    activated(world, with_file("resolutions", RESOLUTIONS))
    started(world)
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales")
    world.pass_time(hours=2)
    do(world, acts.Resolve(root_cause="seal", action="replaced"), by="office_berlin")
    world.pass_time(hours=1)
    world.take(world.survey(score=1, time=(BEGIN + 2 * H).isoformat()))
    do(
        world,
        acts.ProposeCorrection(
            what=Corrected.CAUSE, becomes=BEGIN + 2.5 * H, reason="The delivery note."
        ),
    )
    do(world, acts.DecideCorrection(correction=1, approve=True), by="ceo")
    assert plans(world, "resolve") == [(168, 2.5, 2.5)]
