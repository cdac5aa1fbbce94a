"""Absences and teams: who has the call by then."""

from datetime import date
from typing import Any

from sqlalchemy import select

from alerting.database.tables import alert, case_file, team_turn
from alerting.domain.people.people import Team
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import changed, starter_people
from tests.support.people.facts import days, person
from tests.support.world import GERMANY, World, recipients

# Absences


def test_an_absence_by_event_brings_the_call_to_the_substitute_with_the_reason(
    world: World,
) -> None:
    world.known_customers()
    world.take(person(world, "owner_north", absences=[days(2, 8)]))
    world.take(world.survey("ALPENWERK"))
    assert world.case("ALPENWERK").caller == "lead_central"
    mail = next(mail for mail in world.deliver() if "lead.central" in mail.to)
    said = " ".join(mail.text.split())
    assert "as Olga Sample is absent from 2026-03-02 to 2026-03-08, Lena Sample stands in" in said
    world.pass_time(days=3)
    world.take(
        world.survey("KIOSK-9", customer_id="KIOSK-9"),
        world.customer("KIOSK-9", owner="owner_north"),
    )
    assert world.case("KIOSK-9").caller == "owner_north"


def test_a_reminder_goes_to_whoever_stands_in_when_the_caller_is_absent_by_then(
    world: World,
) -> None:
    world.known_customers()
    world.take(world.survey("ALPENWERK"))
    world.deliver()
    world.take(person(world, "owner_north", absences=[days(7, 20, "owner_west")]))
    world.pass_time(hours=49)
    world.tick()
    assert recipients(world.deliver()) == ["owner.west"]
    assert world.case("ALPENWERK").caller == "owner_north"


# Teams


TEAM = Team(
    id="service", name="Service", members=("owner_north", "owner_west", "lead_america"), turn="case"
)


def with_team(world: World, **more: Any) -> None:
    files = changed(
        routing=("account_owner: {first_of: [customer.owner,", "account_owner: {first_of: [desk,")
    )
    files["rules/routing.yaml"] = files["rules/routing.yaml"].replace(
        "roles:\n", "roles:\n  desk: {team: service}\n"
    )
    people = {**starter_people(), "service": TEAM.model_copy(update=more)}
    activate_rulebook(world.app.ctx, files, people, author="test", reason="a team")


def callers(world: World) -> list[str]:
    return [row.caller for row in world.rows(select(case_file).order_by(case_file.c.id))]


def test_cases_go_round_a_team_also_within_one_batch(world: World) -> None:
    with_team(world)
    world.take(*(world.survey(f"SHOP-{n}") for n in range(4)))
    world.take(world.survey("SHOP-4"))
    assert callers(world) == [
        "owner_north",
        "owner_west",
        "lead_america",
        "owner_north",
        "owner_west",
    ]
    turns = world.rows(select(team_turn).order_by(team_turn.c.id))
    assert [row.member for row in turns] == callers(world)


def test_a_further_complaint_takes_no_turn(world: World) -> None:
    with_team(world)
    world.take(world.survey("SHOP-1"))
    world.take(world.survey("SHOP-1", score=1))
    world.take(world.survey("SHOP-2"))
    assert callers(world) == ["owner_north", "owner_west"]
    assert len(world.rows(select(team_turn))) == 2


def test_an_absent_member_is_skipped_and_first_in_line_afterwards(world: World) -> None:
    with_team(world)
    world.take(person(world, "owner_north", absences=[days(6, 6)]))
    world.take(world.survey("SHOP-1"))
    world.pass_time(days=1)
    world.take(world.survey("SHOP-2"))
    assert callers(world) == ["owner_west", "owner_north"]
    why = world.rows(select(alert).order_by(alert.c.id))[0].people[0]["why"]
    assert why == [
        "desk (team Service): it is the turn of Olga Sample (who has had no case yet), "
        "Olga Sample is absent on 2026-03-06, Otto Sample is next"
    ]


def test_a_case_stays_with_whose_turn_it_was_when_facts_come_late(world: World) -> None:
    with_team(world)
    world.take(world.survey("SHOP-1"), world.survey("SHOP-2"))
    world.pass_time(days=1)
    world.take(world.customer("SHOP-1", name="Shop One", **GERMANY))
    assert callers(world) == ["owner_north", "owner_west"]
    assert [row.revision for row in world.rows(select(alert))] == [1, 1]
    assert len(world.rows(select(team_turn))) == 2


def test_a_weekly_turn_is_that_of_the_week_in_which_the_alert_was_raised(world: World) -> None:
    with_team(world, turn="week", begins=date(2026, 3, 2))
    world.take(world.survey("SHOP-1"))
    world.pass_time(days=4)
    world.take(world.customer("SHOP-1", name="Shop One", **GERMANY))
    world.take(world.survey("SHOP-2"))
    assert callers(world) == ["owner_north", "owner_west"]
