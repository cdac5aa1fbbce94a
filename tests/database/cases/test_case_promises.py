"""What a promise comes to where corrections, waits, several rules, reopenings and policies in
motion meet. Times are hours after the first complaint.
"""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from alerting.bootstrap import web_parts
from alerting.database.audit import audit_entries
from alerting.database.tables import clock, correction, notification, timer
from alerting.domain.cases.cases import Status
from alerting.domain.cases.corrections import Corrected
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.errors import ActionRefused
from alerting.entrypoints.web.app import create_app
from alerting.services.cases import acts
from alerting.services.cases.respond import Actor
from alerting.services.reports.report import as_json, report
from alerting.services.rulebook.move_open_cases import move_open_cases
from tests.database.cases.test_case_work import (
    RESOLUTIONS,
    H,
    activated,
    do,
    hours,
    let_wait,
    with_file,
)
from tests.support.builders import changed
from tests.support.world import BEGIN, World, recipients

STALE = changed(sla=("within: 4h", "within: 4h\n      stale_after: 6h"))
MOVING = changed(sla=("call_in_24h:\n", "call_in_24h:\n    open_cases: move\n"))


def started(world: World) -> World:
    world.known_customers()
    world.take(world.survey(score=2))
    world.deliver()
    return world


def plans(world: World, kind: str, cycle: int = 1) -> list[tuple[Any, ...]]:
    """Of the clocks of a kind that count: due, stopped and working hours."""
    k = clock.c
    mine = (k.kind == kind, k.cycle == cycle, k.superseded_at.is_(None))
    rows = world.rows(select(clock).where(*mine).order_by(k.plan))
    return [
        (
            hours(r.due_at - BEGIN),
            r.stopped_at and hours(r.stopped_at - BEGIN),
            r.worked and round(r.worked / 3.6e9, 1),
        )
        for r in rows
    ]


def corrected(world: World, hour: float, call: int | None = None) -> None:
    do(
        world,
        acts.ProposeCorrection(
            becomes=BEGIN + hour * H, reason="The phone log says so.", call=call
        ),
    )
    newest = world.rows(select(func.max(correction.c.id).label("number")))[0].number
    do(world, acts.DecideCorrection(correction=newest, approve=True), by="ceo")


def by_person(world: World, kind: str) -> dict[str, tuple[int, int]]:
    """Who kept how many promises of a kind, and kept how many late."""
    found = as_json(report(world.app.ctx))["by_person"]
    return {line["party"]: (line["met"], line["late"]) for line in found if line["clock"] == kind}


def resolved(world: World) -> None:
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales")
    do(world, acts.Resolve(root_cause="seal", action="replaced"), by="office_berlin")


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


def test_a_call_before_and_a_complaint_after_come_to_the_same_in_either_order(
    small_world: World,
) -> None:
    world = started(small_world)
    world.pass_time(hours=3)
    world.reached("ACME-AERO", "vp_sales", minutes_ago=60)
    world.take(world.survey(score=1, time=(BEGIN + 1.5 * H).isoformat()))
    assert (world.case("ACME-AERO").cycle, world.case("ACME-AERO").status) == (1, Status.CONTACTED)
    corrected(world, 1)
    case = world.case("ACME-AERO")
    assert (case.cycle, case.status, plans(world, "contact")) == (2, Status.OPEN, [(24, 1, 1)])
    assert plans(world, "contact", cycle=2) == [(25.5, None, None)]
    assert "vp.sales" in recipients(world.deliver())


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


def test_the_contract_of_then_counts_when_a_policy_moves_open_cases(small_world: World) -> None:
    world = small_world
    activated(world, MOVING)
    world.known_customers()
    world.take(world.customer("ACME-AERO", contract={"contact": "6h"}))
    world.take(world.survey(score=2))
    world.pass_time(hours=1)
    world.take(
        world.customer("ACME-AERO", contract={"contact": "48h"}, time=world.now().isoformat())
    )
    edited = {
        **MOVING,
        "rules/sla.yaml": MOVING["rules/sla.yaml"].replace("{before: 4h,", "{before: 3h,"),
    }
    activated(world, edited)
    assert move_open_cases(world.app.ctx) == 1
    assert plans(world, "contact") == [(6, None, None)]


def test_a_call_recorded_late_starts_the_next_cycle_by_the_policy_of_the_complaint(
    small_world: World,
) -> None:
    world = started(small_world)
    world.pass_time(hours=2)
    world.take(world.survey(score=1))
    world.pass_time(hours=1)
    activated(world, changed(sla=("within: 24h", "within: 100h")))
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales", minutes_ago=180)
    assert plans(world, "contact", cycle=2) == [(26, None, None)]


IMPATIENT = """\
rules:
  - id: impatient
    title: No patience
    on: interaction.recorded
    when: {complains: "channel = 'email'"}
    severity: normal
    caller: vp_sales
    policy: call_in_30h
"""


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


def test_after_a_standstill_one_mail_says_what_several_would_have(small_world: World) -> None:
    world = small_world
    repeated = "{after: 0h, every: 2h, times: 4, notify: caller}"
    activated(world, changed(sla=("{after: 0h, notify: caller}", repeated)))
    started(world)
    world.pass_time(hours=11)
    world.tick()
    reminders = [row for row in world.rows(select(notification)) if row.data.get("step")]
    assert [row.data["n"] for row in reminders] == [4]


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


def test_a_caller_who_has_not_answered_yet_hears_that_the_cause_is_removed(
    small_world: World,
) -> None:
    world = started(small_world)
    world.pass_time(hours=1)
    world.fixed("ACME-AERO")
    assert [(recipients([mail]), mail.subject) for mail in world.deliver()] == [
        (["vp.sales"], "The cause is removed at Acme Aerospace - the call is still yours")
    ]


def test_the_page_of_a_case_names_who_kept_each_promise(small_world: World) -> None:
    world = started(small_world)
    world.pass_time(hours=1)
    world.acknowledged("ACME-AERO", "vp_sales")
    do(world, acts.HandOver(to="head_of_service", reason="On a plane."))
    headers = {"authorization": "Bearer test-admin-token-0123"}
    with TestClient(create_app(web_parts(world.app)), headers=headers) as client:
        page = client.get("/cases/1").text
    owed = re.findall(
        r'<td class="head">(acknowledge|contact).*?<td data-label="By">(.*?)</td>', page
    )
    assert owed == [
        ("acknowledge", "Vera Sample"),
        ("contact", "Hugo Sample"),
        ("acknowledge", "Hugo Sample"),
    ]


def test_whoever_gets_an_acknowledged_case_owes_a_word_of_his_own(small_world: World) -> None:
    world = started(small_world)
    world.pass_time(hours=1)
    world.acknowledged("ACME-AERO", "vp_sales")
    world.pass_time(hours=1)
    do(world, acts.HandOver(to="head_of_service", reason="On a plane."))
    assert plans(world, "acknowledge") == [(4, 1, 1), (6, None, None)]
    world.pass_time(hours=1)
    world.acknowledged("ACME-AERO", "head_of_service")
    assert by_person(world, "acknowledge") == {"vp_sales": (1, 0), "head_of_service": (1, 0)}


def test_pauses_and_staleness_of_a_moved_policy_hold_from_then_on(small_world: World) -> None:
    world = small_world
    activated(world, MOVING)
    started(world)
    text = MOVING["rules/sla.yaml"].replace("within: 24h\n", "within: 24h\n      pauses: []\n")
    activated(
        world,
        {
            **MOVING,
            "rules/sla.yaml": text.replace("within: 4h\n", "within: 4h\n      stale_after: 2h\n"),
        },
    )
    assert move_open_cases(world.app.ctx) == 1
    world.pass_time(hours=1)
    world.acknowledged("ACME-AERO", "vp_sales")
    assert [row.kind for row in world.rows(select(timer).where(timer.c.kind == "stale"))] == [
        "stale"
    ]
    let_wait(world, by="ceo")
    assert [
        row.paused_at for row in world.rows(select(clock).where(clock.c.kind == "contact"))
    ] == [None, None]


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


def test_a_case_for_programs_names_persons_calls_and_corrections(small_world: World) -> None:
    world = started(small_world)
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales")
    do(world, acts.ProposeCorrection(becomes=BEGIN + 0.5 * H, reason="The phone log says so."))
    headers = {"authorization": "Bearer test-admin-token-0123"}
    with TestClient(create_app(web_parts(world.app)), headers=headers) as client:
        found = client.get("/v1/cases/1").json()
        assert {c["clock"]: c["person"] for c in found["clocks"]}["1.resolve.1"] == "office_berlin"
        assert (found["calls"][0]["reached"], found["calls"][0]["grade"]) == (True, None)
        number = found["corrections"][0]["number"]
        body = {"act": "decide", "by": "ceo", "correction": number, "approve": True}
        assert client.post("/v1/cases/1/acts", json=body).status_code == 200
        assert client.get("/v1/cases/1").json()["corrections"][0]["approved"] is True


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


@pytest.mark.parametrize("blank", ["\u200b", " \u2060\n", "\x00"])
def test_a_reason_of_signs_nobody_sees_is_none(small_world: World, blank: str) -> None:
    world = started(small_world)
    with pytest.raises(ActionRefused, match="what is waited for"):
        do(world, acts.BeginWait(waiting_for=WaitingFor.CUSTOMER, reason=blank))


SECOND = IMPATIENT.replace("policy: call_in_30h", "fixer: local_office\n    policy: slow")
SLOW = (
    "  slow:\n    starts: customer_sent\n    contact: {by: caller, within: 30h}\n    resolve: "
    "{by: fixer, within: 20d}\n"
)


def two_policies() -> dict[str, str]:
    files = with_file("resolutions", RESOLUTIONS, sla=("  call_in_3d:", f"{SLOW}  call_in_3d:"))
    return {**files, "rules/escalations/second.yaml": SECOND}


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


def test_another_owner_owes_a_word_of_his_own(small_world: World) -> None:
    world = small_world
    known = "  call_in_3d:\n    starts: customer_sent\n"
    activated(world, changed(sla=(known, f"{known}    acknowledge: {{by: caller, within: 4h}}\n")))
    world.known_customers()
    world.take(world.survey("ALPENWERK"))
    world.pass_time(hours=1)
    world.acknowledged("ALPENWERK", "owner_north")
    world.pass_time(hours=1)
    world.take(
        world.envelope("customer.updated", {"customer_id": "ALPENWERK", "owner": "owner_west"})
    )
    assert (world.case("ALPENWERK").caller, world.case("ALPENWERK").acknowledged_at) == (
        "owner_west",
        None,
    )
    assert plans(world, "acknowledge") == [(4, 1, 1), (6, None, None)]


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


def test_a_case_of_somebody_who_is_known_later_gets_the_territory(small_world: World) -> None:
    world = small_world
    world.take(world.survey("LUMEN"))
    assert world.case("LUMEN").territory == "unknown"
    world.take(
        world.customer("LUMEN", name="Lumen", owner="owner_north", country="DE", region="Bavaria")
    )
    assert world.case("LUMEN").territory == "DE / Bavaria"


@pytest.mark.parametrize("ticks", [(24.1, 26.1), (26.1,)])
def test_an_overdue_call_is_told_once_after_a_standstill_though_somebody_has_taken_it(
    small_world: World, ticks: tuple[float, ...]
) -> None:
    world = small_world
    once, often = (
        "{after: 0h, notify: manager of caller}",
        "{after: 0h, every: 2h, times: 4, notify: manager of caller}",
    )
    activated(world, changed(sla=(once, often)))
    started(world)
    for hour in ticks:
        world.pass_time(hours=hour - hours(world.now() - BEGIN))
        if len(ticks) == 1:
            world.acknowledged("ACME-AERO", "vp_sales")
        world.tick()
    if len(ticks) == 2:
        world.acknowledged("ACME-AERO", "vp_sales")
    assert [
        mail.subject[:7] for mail in world.deliver() if mail.subject.startswith("Not called")
    ] == ["Not cal"]
