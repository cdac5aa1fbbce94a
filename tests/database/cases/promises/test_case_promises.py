"""What a promise comes to where several rules, reopenings and policies in motion meet. Times are
hours after the first complaint."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from alerting.bootstrap import web_parts
from alerting.database.tables import clock, notification, timer
from alerting.domain.cases.cases import Status
from alerting.entrypoints.web.app import create_app
from alerting.services.cases import acts
from alerting.services.rulebook.move_open_cases import move_open_cases
from tests.support.builders import changed
from tests.support.cases.promises import by_person, corrected, plans, started
from tests.support.cases.work import H, activated, do, hours, let_wait
from tests.support.world import BEGIN, World, recipients

MOVING = changed(sla=("call_in_24h:\n", "call_in_24h:\n    open_cases: move\n"))


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


def test_after_a_standstill_one_mail_says_what_several_would_have(small_world: World) -> None:
    world = small_world
    repeated = "{after: 0h, every: 2h, times: 4, notify: caller}"
    activated(world, changed(sla=("{after: 0h, notify: caller}", repeated)))
    started(world)
    world.pass_time(hours=11)
    world.tick()
    reminders = [row for row in world.rows(select(notification)) if row.data.get("step")]
    assert [row.data["n"] for row in reminders] == [4]


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
