"""How a case ends, what is asked afterwards, and what opens it again."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from alerting.database.alerts import mutes
from alerting.database.tables import clock, effectiveness_review, notification, resolution, timer
from alerting.domain.alerts.suppression import Mute
from alerting.domain.cases.cases import Status
from alerting.domain.errors import ActionRefused
from alerting.services.cases import acts
from tests.support.cases.work import RESOLUTIONS, activated, do, hours, with_file
from tests.support.world import BEGIN, World, recipients


def test_a_case_ends_with_what_the_lists_declare(strict: World) -> None:
    case = strict.case("ACME-AERO")
    assert case.status is Status.RESOLVED
    assert (case.root_cause, case.action, case.corrective_action) == (
        "seal",
        "replaced",
        "CA-2026-014",
    )


def test_where_the_lists_are_required_a_case_does_not_end_without_them(world: World) -> None:
    activated(world, with_file("resolutions", RESOLUTIONS))
    world.known_customers()
    world.take(world.survey(score=2))
    for act, why in (
        (acts.Resolve(note="mended"), "say the root cause: one of seal, other"),
        (acts.Resolve(note="mended", root_cause="seal"), "say the action: one of replaced"),
        (
            acts.Resolve(root_cause="seal", action="replaced", corrective_action="CA-9"),
            "corrective action is one of",
        ),
    ):
        with pytest.raises(ActionRefused, match=why):
            do(world, act, by="office_berlin")


def test_whether_it_worked_is_asked_later_and_the_case_stays_closed(strict: World) -> None:
    strict.pass_time(days=29)
    strict.tick()
    strict.deliver()
    strict.pass_time(days=1)
    strict.tick()
    assert [(m.subject, recipients([m])) for m in strict.deliver()] == [
        ("Has it worked at Acme Aerospace? - C-1", ["vp.sales"])
    ]
    with pytest.raises(ActionRefused, match="what did not work"):
        do(strict, acts.ReviewEffect(effective=False))
    do(strict, acts.ReviewEffect(effective=True, note="No further complaint."))
    (row,) = strict.rows(select(effectiveness_review))
    assert (row.effective, row.by, hours(row.due_at - BEGIN)) == (True, "vp_sales", 720)
    assert strict.case("ACME-AERO").status is Status.RESOLVED


def test_a_complaint_soon_after_the_end_opens_the_case_again_in_its_next_cycle(
    strict: World,
) -> None:
    strict.pass_time(days=3)
    strict.take(strict.survey(score=1))
    case = strict.case("ACME-AERO")
    assert (case.number, case.cycle, case.status, case.resolved_at) == ("C-1", 2, Status.OPEN, None)
    assert strict.rows(select(clock).where(clock.c.cycle == 1, clock.c.stopped_at.is_(None))) == []
    left = strict.rows(
        select(timer).where(timer.c.fired_at.is_(None), timer.c.cancelled_at.is_(None))
    )
    assert {row.key.split(".")[0] for row in left} == {
        "2"
    }  # the first cycle is asked about no more
    assert any("COMPLAINED AGAIN" in mail.text for mail in strict.deliver())


def test_a_complaint_later_than_that_opens_another_case(strict: World) -> None:
    strict.pass_time(days=15)
    strict.take(strict.survey(score=1))
    assert strict.case("ACME-AERO").number == "C-2"


def test_the_customer_is_asked_and_a_negative_answer_opens_the_case_again(strict: World) -> None:
    strict.pass_time(days=2)
    strict.tick()
    (mail,) = strict.deliver()
    assert (mail.subject, recipients([mail])) == (
        "Ist es wieder gut?",
        ["ada"],
    )  # the language of the customer
    assert "/f/relationship?i=" in mail.text
    strict.pass_time(hours=1)
    strict.take(strict.survey(score=5))
    case = strict.case("ACME-AERO")
    assert (case.number, case.cycle, case.status) == ("C-1", 2, Status.OPEN)


def test_an_answer_no_rule_wants_opens_the_case_again_if_it_is_negative(strict: World) -> None:
    """The customer is no key account any more: no rule hears the answer, and still it is not
    well.
    """
    files = with_file("resolutions", RESOLUTIONS)
    for name in [name for name in files if name.startswith("rules/escalations/")]:
        files[name] = files[name].replace(
            "sentiment = 'negative'", "sentiment = 'negative' AND score < 2"
        )
    files = {name: text for name, text in files.items() if not name.startswith("rules/tests/")}
    activated(strict, files)
    strict.take(strict.survey(score=3))
    assert strict.case("ACME-AERO").cycle == 1  # nobody has asked yet
    strict.pass_time(days=2)
    strict.tick()
    strict.pass_time(hours=3)
    strict.take(strict.survey(score=3))
    case = strict.case("ACME-AERO")
    assert (case.number, case.cycle, case.status, case.contacted_at) == (
        "C-1",
        2,
        Status.OPEN,
        None,
    )
    assert sorted(kind for kind, c in strict.clocks("ACME-AERO").items() if c.running) == [
        "acknowledge",
        "contact",
        "resolve",
    ]
    strict.reached("ACME-AERO", "vp_sales")
    assert strict.case("ACME-AERO").status is Status.CONTACTED


def test_a_silenced_customer_stays_silent(strict: World) -> None:
    strict.pass_time(days=2)
    strict.tick()
    strict.deliver()
    with strict.app.ctx.db.write() as tx:
        until = tx.now() + timedelta(days=9)
        mute = Mute(scope="customer", name="ACME-AERO", until=until)
        mutes.add_mute(tx, mute, "ops", "being sold", tx.now())
    strict.pass_time(hours=1)
    strict.take(strict.survey(score=1))
    assert strict.case("ACME-AERO").status is Status.RESOLVED
    assert strict.deliver() == []


def test_a_content_answer_confirms_the_end(strict: World) -> None:
    strict.pass_time(days=2)
    strict.tick()
    strict.pass_time(days=1)
    strict.take(strict.survey(score=9))
    assert strict.case("ACME-AERO").status is Status.RESOLVED
    assert strict.case("ACME-AERO").cycle == 1


def test_nobody_is_asked_whose_case_is_open_again_or_who_has_no_address(strict: World) -> None:
    strict.take(strict.survey("ALPENWERK", score=1))
    strict.pass_time(days=1)
    strict.take(strict.survey(score=1))
    strict.pass_time(days=2)
    strict.tick()
    assert strict.rows(select(notification).where(notification.c.template == "check_survey")) == []


def test_the_first_cycles_cause_stays_with_the_first_cycle(strict: World) -> None:
    strict.pass_time(days=3)
    strict.take(strict.survey(score=1))
    assert strict.case("ACME-AERO").root_cause is None
    strict.reached("ACME-AERO", "vp_sales")
    do(
        strict,
        acts.Resolve(root_cause="other", action="replaced", note="the pump"),
        by="office_berlin",
    )
    rows = strict.rows(select(resolution).order_by(resolution.c.cycle))
    assert [(row.cycle, row.root_cause) for row in rows] == [(1, "seal"), (2, "other")]
