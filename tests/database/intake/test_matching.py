"""Answers known only by an address: matched to the one contact that has it, kept for a person where
it is unclear.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from alerting.database.intake import addresses
from alerting.database.tables import alert, audit_entry, event, unmatched
from alerting.domain.errors import ActionRefused
from alerting.services.intake.match_respondents import assign_answer, leave_answer, match_waiting
from tests.support.installation import Run
from tests.support.world import World, recipients

ADA = {"name": "Ada Example", "email": "ada@acme.example", "phone": "+49 30 5550199"}


def answer(world: World, **respondent: str) -> int:
    """An answer of somebody known by an address; returns its number."""
    world.take(world.survey(None, score=2, respondent=respondent))
    return max(row.seq for row in world.rows(select(event.c.seq)))


def keys(world: World) -> list[str]:
    return [
        row.customer_key.split(":")[0]
        for row in world.rows(select(event))
        if row.type == "survey.answered"
    ]


def waiting(world: World) -> list[tuple[int, list[str]]]:
    with world.app.ctx.db.read() as tx:
        return [(row.event_seq, row.candidates) for row in addresses.waiting(tx)]


@pytest.mark.parametrize(
    "respondent",
    [
        {"email": "Ada@ACME.example "},
        {"phone": "0049 (0)30 / 555 0199"},
        {"phone": "+49-30-5550199", "name": "x"},
    ],
)
def test_an_answer_is_that_of_the_customer_whose_contact_has_the_address(
    world: World, respondent: dict[str, str]
) -> None:
    world.known_customers()
    answer(world, **respondent)
    assert keys(world) == ["ACME-AERO"]
    assert world.case("ACME-AERO").caller == "vp_sales"
    assert waiting(world) == []


def test_an_unknown_address_waits_and_rings_as_an_unknown_customers(world: World) -> None:
    seq = answer(world, email="who@nowhere.example")
    assert keys(world) == ["respondent"]
    assert waiting(world) == [(seq, [])]
    assert recipients(world.deliver()) == ["service.desk"]


def test_an_address_two_customers_share_is_nobodys_until_somebody_decides(world: World) -> None:
    world.known_customers()
    world.take(world.customer("KIOSK-7", contacts=[ADA]))
    seq = answer(world, email=ADA["email"])
    assert waiting(world) == [(seq, ["ACME-AERO", "KIOSK-7"])]
    assign_answer(world.app.ctx, seq, "ACME-AERO", "ann")
    assert (keys(world), waiting(world)) == (["ACME-AERO"], [])
    assert world.case("ACME-AERO").caller == "vp_sales"
    with pytest.raises(ActionRefused, match="no answer #"):
        assign_answer(world.app.ctx, seq, "KIOSK-7", "ben")
    (entry,) = [row for row in world.rows(select(audit_entry)) if row.action == "answer.matched"]
    assert json.loads(bytes(entry.body))["facts"]["to"] == "ACME-AERO"


def stranger(world: World, seq: int) -> str:
    return str(next(row.customer_key for row in world.rows(select(event)) if row.seq == seq))


def test_the_case_of_a_stranger_becomes_the_customers_and_who_was_told_hears_who_calls(
    world: World,
) -> None:
    world.known_customers()
    seq = answer(world, email="ada.private@home.example")
    assert recipients(world.deliver()) == ["service.desk"]
    number = world.case(stranger(world, seq)).id
    assign_answer(world.app.ctx, seq, "ACME-AERO", "ann")
    mails = {recipients([mail])[0]: mail.subject for mail in world.deliver()}
    assert sorted(mails) == ["office.berlin", "owner.north", "service.desk", "vp.sales"]
    assert mails["service.desk"].startswith("For information: Acme Aerospace")
    assert (world.case("ACME-AERO").id, world.case("ACME-AERO").caller) == (number, "vp_sales")
    standing = [
        row
        for row in world.rows(select(alert))
        if row.superseded_at is None and row.state != "withdrawn"
    ]
    assert [(row.rule, row.customer_key) for row in standing] == [
        ("key-account-unhappy", "ACME-AERO")
    ]


def test_a_call_to_a_stranger_is_a_call_to_the_customer(world: World) -> None:
    world.known_customers()
    seq = answer(world, email="bo@kiosk.example")
    world.deliver()
    world.pass_time(hours=1)
    world.reached(stranger(world, seq), "service_desk_lead")
    assign_answer(world.app.ctx, seq, "KIOSK-7", "ann")
    case = world.case("KIOSK-7")
    assert (case.status, case.caller) == ("contacted", "service_desk_lead")
    assert "Call Kiosk" not in " ".join(mail.subject for mail in world.deliver())


def test_a_case_the_customer_has_already_takes_the_strangers_in(world: World) -> None:
    world.known_customers()
    world.take(world.survey("ACME-AERO", score=1))
    seq = answer(world, email="ada.private@home.example")
    world.deliver()
    former = world.case(stranger(world, seq))
    world.acknowledged(former.customer_key, "service_desk_lead")
    assign_answer(world.app.ctx, seq, "ACME-AERO", "ann")
    mails = {recipients([mail])[0]: mail.subject for mail in world.deliver()}
    assert mails["service.desk"].startswith("No longer needed: ")
    assert world.case(former.customer_key).withdrawn_at is not None
    world.pass_time(days=9)
    world.tick()
    assert "service.desk" not in recipients(world.deliver())  # and reading its mails still works


def test_a_contact_that_comes_later_takes_what_waited_for_it(world: World) -> None:
    world.take(world.customer("LUMEN", name="Lumen", revenue_with_us=400_000, owner="owner_north"))
    seq = answer(world, email="kim@lumen.example")
    world.take(world.customer("LUMEN", contacts=[{"name": "Kim", "email": "KIM@lumen.example"}]))
    assert match_waiting(world.app.ctx) == 1
    assert match_waiting(world.app.ctx) == 0
    assert keys(world) == ["LUMEN"]
    assert world.case("LUMEN").segment == "high_potential"
    (row,) = world.rows(select(unmatched))
    assert (row.event_seq, row.decided_by, row.customer_key) == (seq, "follow-up", "LUMEN")


def test_an_address_a_contact_gave_up_is_nobodys_again(world: World) -> None:
    world.known_customers()
    world.take(world.customer("ACME-AERO", contacts=[], time=world.now().isoformat()))
    answer(world, email=ADA["email"])
    assert keys(world) == ["respondent"]


def test_what_is_left_alone_does_not_wait_and_an_unknown_customer_is_refused(world: World) -> None:
    seq = answer(world, email="who@nowhere.example")
    with pytest.raises(ActionRefused, match="there is no customer NOBODY"):
        assign_answer(world.app.ctx, seq, "NOBODY", "ann")
    leave_answer(world.app.ctx, seq, "ann")
    assert waiting(world) == []


def test_later_answers_of_the_customer_know_the_matched_one(world: World) -> None:
    world.take(world.customer("LUMEN", revenue_with_us=5, owner="owner_north"))
    calls: list[Any] = [world.call("LUMEN"), world.call("LUMEN")]
    world.take(*calls)
    seq = answer(world, email="kim@lumen.example")
    world.take(world.survey("LUMEN", score=9, id="later"))
    assign_answer(world.app.ctx, seq, "LUMEN", "ann")
    from alerting.services.alerts.explain_event import explain

    found = explain(world.app.ctx, "later")
    assert found.customer["name"] == "LUMEN"
    assert [row.customer_key for row in world.rows(select(event)) if row.seq == seq] == ["LUMEN"]


def test_on_the_command_line(migrated: Run, installation: Path, own_world: World) -> None:
    own_world.known_customers()
    assert "No answer waits" in migrated("unmatched", "list").stdout
    seq = answer(own_world, email="who@nowhere.example", name="Somebody")
    shown = migrated("unmatched", "list").stdout
    assert f"#{seq}" in shown and "Somebody" in shown and "unknown" in shown
    assert json.loads(migrated("unmatched", "list", "--json").stdout)[0]["event"] == seq
    done = migrated("unmatched", "assign", f"#{seq}", "ALPENWERK", "--by", "ann")
    assert (done.returncode, "is ALPENWERK's" in done.stdout) == (0, True)
    assert migrated("unmatched", "leave", f"#{seq}", "--by", "ann").returncode == 1
