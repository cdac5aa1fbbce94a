"""The cause that was removed, and what the customer says when asked."""

import pytest
from sqlalchemy import select

from alerting.database.audit import audit_entries
from alerting.database.tables import notification
from alerting.domain.cases.cases import Status
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.errors import ActionRefused
from alerting.services.cases import acts
from tests.support.cases.promises import plans, resolved, started, two_policies
from tests.support.cases.work import RESOLUTIONS, H, activated, do, with_file
from tests.support.world import BEGIN, World, recipients


def unheard(files: dict[str, str]) -> dict[str, str]:
    """No rule hears of a score of 3 or more."""
    heard = {
        name: text.replace("sentiment = 'negative'", "sentiment = 'negative' AND score < 3")
        if name.startswith("rules/escalations/")
        else text
        for name, text in files.items()
    }
    return {name: text for name, text in heard.items() if not name.startswith("rules/tests/")}


def asked(world: World) -> World:
    """The customer has the check survey, whose answers no rule hears that are not very bad."""
    activated(world, unheard(with_file("resolutions", RESOLUTIONS)))
    started(world)
    resolved(world)
    world.pass_time(days=2)
    world.tick()
    world.deliver()
    world.pass_time(hours=5)
    return world


def test_a_check_answer_no_rule_hears_is_a_complaint_like_others(small_world: World) -> None:
    world = asked(small_world)
    world.take(world.survey(score=4, comment="Nothing was mended."))
    assert (world.case("ACME-AERO").cycle, world.case("ACME-AERO").status) == (2, Status.OPEN)
    mails = world.deliver()
    assert all("Nothing was mended." in mail.text for mail in mails)
    assert recipients(mails) == ["office.berlin", "vp.sales"]
    world.pass_time(minutes=10)
    world.reached("ACME-AERO", "vp_sales", minutes_ago=180)
    assert world.case("ACME-AERO").status is Status.OPEN and plans(world, "contact", cycle=2) == [
        (78, None, None)
    ]
    with pytest.raises(ActionRefused, match="a call of its own"):
        do(
            world,
            acts.ProposeCorrection(
                becomes=BEGIN + 54.1 * H, reason="The phone log says so.", call=1
            ),
        )


@pytest.mark.parametrize(("score", "hour"), [(4, 0.5), (9, -48), (4, 48.5)])
def test_only_an_answer_given_after_it_was_asked_is_one_to_the_check_survey(
    small_world: World, score: int, hour: float
) -> None:
    world = asked(small_world)
    world.take(world.survey(score=score, time=(BEGIN + hour * H).isoformat()))
    assert world.case("ACME-AERO").status is Status.RESOLVED
    with world.app.ctx.db.read() as tx:
        assert "case.confirmed" not in {
            entry.action for entry in audit_entries.entries_of(tx, "case", "1")
        }


def test_a_caller_who_has_not_answered_yet_hears_that_the_cause_is_removed(
    small_world: World,
) -> None:
    world = started(small_world)
    world.pass_time(hours=1)
    world.fixed("ACME-AERO")
    assert [(recipients([mail]), mail.subject) for mail in world.deliver()] == [
        (["vp.sales"], "The cause is removed at Acme Aerospace - the call is still yours")
    ]


def test_an_early_word_about_the_effect_does_not_keep_it_from_being_asked(
    small_world: World,
) -> None:
    world = small_world
    activated(world, with_file("resolutions", RESOLUTIONS))
    started(world)
    resolved(world)
    do(world, acts.ReviewEffect(effective=True))
    world.deliver()
    world.pass_time(days=31)
    world.tick()
    assert "review" in {row.template for row in world.rows(select(notification))}


@pytest.mark.parametrize("blank", ["\u200b", " \u2060\n", "\x00"])
def test_a_reason_of_signs_nobody_sees_is_none(small_world: World, blank: str) -> None:
    world = started(small_world)
    with pytest.raises(ActionRefused, match="what is waited for"):
        do(world, acts.BeginWait(waiting_for=WaitingFor.CUSTOMER, reason=blank))


def test_a_complaint_from_before_the_cause_was_mended_brings_it_not_back_in_a_later_cycle(
    small_world: World,
) -> None:
    world = small_world
    activated(world, two_policies())
    started(world)
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales")
    do(world, acts.Resolve(root_cause="seal", action="replaced"), by="office_berlin")
    world.pass_time(hours=1)
    world.take(world.call("ACME-AERO", channel="email"))
    before = plans(world, "resolve", cycle=2)
    world.take(world.survey(score=1, time=(BEGIN + 0.5 * H).isoformat()))
    assert plans(world, "resolve", cycle=2) == before == [(482, None, None)]
