"""A customer gets another owner while its case is open: the declared policy decides, once."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerting.bootstrap import web_parts
from alerting.entrypoints.web.app import create_app
from alerting.services.cases import respond
from alerting.services.cases.case_view import case_view
from alerting.services.cases.respond import Actor
from alerting.services.cases.timeline import timeline
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import changed
from tests.support.world import GERMANY, World, make_world, recipients


def new_owner(
    world: World, owner: str | None, hours_ago: float = 0, customer: str = "ALPENWERK", **more: Any
) -> None:
    time = (world.now() - timedelta(hours=hours_ago)).isoformat()
    world.take(
        world.envelope(
            "customer.updated", {"customer_id": customer, "owner": owner, **more}, time=time
        )
    )


def story(world: World, customer: str = "ALPENWERK") -> list[str]:
    case = world.case(customer)
    with world.app.ctx.db.read() as tx:
        view = case_view(tx, world.app.ctx.shelf.active(tx), case.id or 0)
        return [moment.text for moment in timeline(tx, view)]


def keeping(world: World) -> None:
    files = changed(routing=("open_cases: move", "open_cases: keep"))
    activate_rulebook(world.app.ctx, files, {}, author="test", reason="keep")


@pytest.fixture
def called(world: World) -> World:
    """ALPENWERK has complained, and its owner has the mail."""
    world.known_customers()
    world.take(world.survey("ALPENWERK"))
    assert recipients(world.deliver()) == ["owner.north"]
    return world


def test_the_call_goes_to_the_new_owner_and_both_hear_of_it(called: World) -> None:
    before = called.case("ALPENWERK")
    called.pass_time(hours=1)
    new_owner(called, "owner_west")
    after = called.case("ALPENWERK")
    assert (after.caller, after.assignment, after.status) == (
        "owner_west",
        before.assignment + 1,
        "open",
    )
    assert called.clocks("ALPENWERK")["contact"].due_at == before.starts.customer_sent + timedelta(
        days=3
    )
    mails = {recipients([mail])[0]: mail for mail in called.deliver()}
    assert sorted(mails) == ["owner.north", "owner.west"]
    assert "Until now this call was Olga Sample's." in mails["owner.west"].text
    assert "you hold the role account owner" in mails["owner.west"].text
    assert "the call is no longer yours" in mails["owner.north"].text
    assert "The customer has another owner: the call went from Olga Sample to Otto Sample" in story(
        called
    )


def test_the_former_owners_link_offers_to_take_over_instead_of_acting(world: World) -> None:
    world.known_customers()
    world.take(world.survey("ALPENWERK"))
    (mail,) = world.deliver()
    link = re.search(r"I'll call: +\S+(/a/\S+)", mail.text)
    assert link is not None
    new_owner(world, "owner_west")
    client = TestClient(create_app(web_parts(world.app)))
    answer = client.post(link.group(1))
    assert "The case has moved to another caller since this mail." in answer.text
    assert world.case("ALPENWERK").caller == "owner_west"
    client.post(link.group(1), data={"take_over": "1"})
    assert world.case("ALPENWERK").caller == "owner_north"
    new_owner(world, "lead_america")
    assert (
        world.case("ALPENWERK").caller == "owner_north"
    )  # taken over as a person, not as the owner


def test_a_policy_to_keep_leaves_the_case_and_says_so(called: World) -> None:
    keeping(called)
    new_owner(called, "owner_west")
    assert (called.case("ALPENWERK").caller, called.case("ALPENWERK").assignment) == (
        "owner_north",
        1,
    )
    assert called.deliver() == []
    assert (
        "The customer has another owner, Otto Sample; the call stays with Olga Sample: open cases "
        "stay with their caller" in story(called)
    )


def test_an_acknowledged_case_moves_and_the_new_owner_may_say_i_will_call(called: World) -> None:
    called.acknowledged("ALPENWERK", "owner_north")
    new_owner(called, "owner_west")
    assert (called.case("ALPENWERK").caller, called.case("ALPENWERK").status) == (
        "owner_west",
        "open",
    )


def test_a_customer_who_has_been_reached_needs_no_other_caller(called: World) -> None:
    called.take(
        called.call("ALPENWERK"), called.call("ALPENWERK"), called.call("ALPENWERK")
    )  # a fixer, too
    called.reached("ALPENWERK", "owner_north")
    new_owner(called, "owner_west")
    assert called.case("ALPENWERK").caller == "owner_north"
    assert any(
        line.endswith("stays with Olga Sample: the customer has been reached")
        for line in story(called)
    )


def test_the_case_moves_again_with_the_next_owner(called: World) -> None:
    new_owner(called, "owner_west")
    new_owner(called, "lead_america")
    assert called.case("ALPENWERK").caller == "lead_america"


@pytest.mark.parametrize(
    ("owner", "caller"),
    [
        ("owner.west@example.com", "owner_west"),
        ("nobody_known", "lead_central"),
        (None, "lead_central"),
        ("OWNER.NORTH@example.com", "owner_north"),
    ],
)
def test_the_new_owner_is_found_as_for_a_new_case(
    small_world: World, owner: str | None, caller: str
) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey("ALPENWERK"))
    new_owner(small_world, owner)
    assert small_world.case("ALPENWERK").caller == caller


def test_with_the_new_owner_absent_the_call_goes_to_the_substitute(called: World) -> None:
    absence = {"from": "2026-03-01", "to": "2026-03-31"}
    called.take(
        called.envelope("person.updated", {"person_id": "owner_west", "absences": [absence]})
    )
    new_owner(called, "owner_west")
    assert called.case("ALPENWERK").caller == "lead_america"


def test_the_cases_of_an_owner_who_has_left_move_too_and_nobody_writes_to_the_one_who_left(
    called: World,
) -> None:
    called.take(called.envelope("person.removed", {"person_id": "owner_north"}))
    new_owner(called, "owner_west")
    assert called.case("ALPENWERK").caller == "owner_west"
    assert recipients(called.deliver()) == ["owner.west"]


def test_a_case_that_somebody_holds_by_another_role_or_by_hand_stays(called: World) -> None:
    called.take(called.survey("ACME-AERO"))
    new_owner(called, "owner_west", customer="ACME-AERO")
    assert called.case("ACME-AERO").caller == "vp_sales"
    case = called.case("ALPENWERK")
    actor = Actor(party="owner_north", door="cli")
    respond.hand_over_case(called.app.ctx, case.id or 0, actor, "lead_central", "on holiday")
    new_owner(called, "owner_west")
    assert called.case("ALPENWERK").caller == "lead_central"


def test_what_changes_otherwise_moves_nothing(called: World) -> None:
    called.take(called.envelope("customer.updated", {"customer_id": "ALPENWERK", "city": "Munich"}))
    new_owner(called, "owner_north")
    assert called.case("ALPENWERK").assignment == 1
    assert not any("another owner" in line for line in story(called))


def test_a_change_dated_before_the_complaint_moves_an_untouched_case_once(called: World) -> None:
    called.pass_time(hours=1)
    new_owner(called, "owner_west", hours_ago=2)
    after = called.case("ALPENWERK")
    assert (after.caller, after.assignment) == ("owner_west", 2)
    assert recipients(called.deliver()) == ["owner.north", "owner.west"]
    assert not any(
        "another owner" in line for line in story(called)
    )  # it was another one all along


def test_a_change_dated_before_the_complaint_moves_a_touched_case_once(called: World) -> None:
    called.acknowledged("ALPENWERK", "owner_north")
    called.pass_time(hours=1)
    new_owner(called, "owner_west", hours_ago=2)
    after = called.case("ALPENWERK")
    assert (after.caller, after.assignment) == ("owner_west", 2)
    assert recipients(called.deliver()).count("owner.west") == 1


def test_a_change_that_a_newer_one_has_overtaken_moves_nothing(called: World) -> None:
    called.pass_time(hours=5)
    new_owner(called, "owner_west", hours_ago=1)
    new_owner(called, "lead_america", hours_ago=3)
    assert called.case("ALPENWERK").caller == "owner_west"


def test_the_same_events_in_one_batch_or_in_two_end_the_same(tmp_path: Path) -> None:
    ends = []
    for number, together in enumerate((True, False)):
        world = make_world(tmp_path / str(number))
        world.take(world.customer("SHOP", name="Shop", owner="owner_north", **GERMANY))
        world.take(world.survey("SHOP"))
        moves = [
            world.envelope("customer.updated", {"customer_id": "SHOP", "owner": owner})
            for owner in ("owner_west", "lead_america")
        ]
        for batch in [moves] if together else [[move] for move in moves]:
            world.take(*batch)
        ends.append(world.case("SHOP").caller)
        world.app.close()
    assert ends == ["lead_america", "lead_america"]


@pytest.mark.parametrize("sizes", [[1, 1, 1, 1], [1, 3], [2, 2], [4]])
@pytest.mark.parametrize("owners", [("owner_west", "lead_america"), ("owner_west", "owner_north")])
def test_however_its_events_are_batched_a_new_customers_case_ends_with_the_owner(
    tmp_path: Path, owners: tuple[str, str], sizes: list[int]
) -> None:
    """New, another owner, a complaint, the next owner."""
    world = make_world(tmp_path)
    times = [(world.now() - timedelta(hours=hours)).isoformat() for hours in (3, 2, 1)]
    moves = [{"customer_id": "SHOP", "owner": owner} for owner in owners]
    given = [
        world.customer("SHOP", name="Shop", owner="owner_north", **GERMANY),
        world.envelope("customer.updated", moves[0], time=times[0]),
        world.survey("SHOP", time=times[1]),
        world.envelope("customer.updated", moves[1], time=times[2]),
    ]
    for size in sizes:
        world.take(*given[:size])
        given = given[size:]
    after = world.case("SHOP")
    world.app.close()
    assert (after.caller, after.assignment) == (owners[1], 2)
