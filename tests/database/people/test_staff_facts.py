"""People as dated facts in a whole installation: from the file, from events, from a table; and what
follows from them.
"""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from alerting.database.people import staff_facts
from alerting.database.tables import alert, dead_letter, party_fact
from alerting.services.alerts.explain_event import explain
from alerting.services.intake.accept_events import read_request
from tests.support.builders import starter_people
from tests.support.people.facts import days, person, staff
from tests.support.world import World

# Events


def test_an_event_changes_what_it_names_and_leaves_the_rest(world: World) -> None:
    world.take(person(world, "vp_sales", email="vera@example.com", substitute=None))
    vera = staff(world).parties["vp_sales"]
    assert (vera.email, vera.substitute, vera.name, vera.manager) == (
        "vera@example.com",
        None,
        "Vera Sample",
        "ceo",
    )
    before = staff(world, hours=1).parties["vp_sales"]
    assert (before.email, before.substitute) == ("vp.sales@example.com", "head_of_service")


def test_the_latest_dated_fact_wins_in_whatever_order_facts_arrive(world: World) -> None:
    def titled(title: str, hours: int) -> dict[str, Any]:
        return person(
            world, "ceo", title=title, time=(world.now() - timedelta(hours=hours)).isoformat()
        )

    new, old, middle = titled("new", 1), titled("old", 5), titled("middle", 3)
    for event in (new, old, middle):
        world.take(event)
    assert [staff(world, hours=n).parties["ceo"].title for n in (0, 2, 4, 6)] == [
        "new",
        "middle",
        "old",
        "CEO",
    ]
    world.take(new)
    assert len(world.rows(select(party_fact).where(party_fact.c.party == "ceo"))) == 4


def test_somebody_new_is_known_in_part_until_there_is_an_address(world: World) -> None:
    world.take(person(world, "new_one", name="Nora New", manager="not_here_yet"))
    assert staff(world).partial == {"new_one": "email missing"}
    assert "new_one" not in staff(world).parties
    world.take(person(world, "new_one", email="nora@example.com"))
    nora = staff(world).parties["new_one"]
    assert (nora.name, nora.manager, staff(world).manager_of(nora)) == (
        "Nora New",
        "not_here_yet",
        None,
    )


@pytest.mark.parametrize(
    ("kind", "more"),
    [("person.updated", {"active": False}), ("person.removed", {})],
    ids=["inactive", "removed"],
)
def test_whoever_has_left_is_not_chosen_any_more_and_may_come_back(
    world: World, kind: str, more: Any
) -> None:
    world.known_customers()
    world.take(world.envelope(kind, {"person_id": "owner_north", **more}))
    assert staff(world).former["owner_north"].name == "Olga Sample"
    world.take(world.survey("ALPENWERK"))
    assert world.case("ALPENWERK").caller == "lead_central"
    (row,) = world.rows(select(alert))
    assert row.people[0]["why"][0] == "account owner: Olga Sample has left"
    mail = next(mail for mail in world.deliver() if "lead.central" in mail.to)
    assert "as account owner Olga Sample has left" in " ".join(mail.text.split())
    world.take(person(world, "owner_north", active=True))
    assert staff(world).parties["owner_north"].name == "Olga Sample"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"person_id": "Ann"}, "data.person_id"),
        ({}, "data.person_id"),
        ({"person_id": "ann", "email": "ann"}, "data.email"),
        ({"person_id": "ann", "time_zone": "Europe/Berln"}, "data.time_zone"),
        ({"person_id": "ann", "quiet_hours": "20-7"}, "data.quiet_hours"),
        (
            {"person_id": "ann", "absences": [{"from": "2026-03-08", "to": "2026-03-02"}]},
            "data.absences.0",
        ),
        ({"person_id": "ann", "absences": [{"from": "2026-03-08"}]}, "data.absences.0.to"),
        (
            {"person_id": "ann", "absences": [{"from": 5, "to": "2026-03-08"}]},
            "data.absences.0.from",
        ),
        ({"person_id": "ann", "members": []}, "data.members"),
        ({"person_id": "ann", "active": "no"}, "data.active"),
    ],
)
def test_what_no_person_can_be_is_a_dead_letter_with_its_field(
    small_world: World, data: Any, field: str
) -> None:
    small_world.take(small_world.envelope("person.updated", data))
    (letter,) = small_world.rows(select(dead_letter))
    assert (letter.reason, letter.field) == ("invalid", field)


def test_the_door_puts_people_on_their_topic_under_a_key_no_customer_can_have(
    small_world: World,
) -> None:
    event = person(small_world, "ceo", title="Chief")
    (record,) = read_request(json.dumps(event).encode(), {}, small_world.now())
    assert (record.topic, record.key) == ("people", "colleague:ceo")
    small_world.take(small_world.survey("colleague:ceo"))
    (letter,) = small_world.rows(select(dead_letter))
    assert letter.field == "data.customer_id"


def test_explaining_a_fact_about_people_says_that_nothing_is_judged_by_it(
    small_world: World,
) -> None:
    small_world.take(person(small_world, "ceo", title="Chief", id="hr-1"))
    found = explain(small_world.app.ctx, "hr-1")
    assert len(found.notes) == 1 and found.notes[0].startswith("a fact about one of our own people")


# The file and events together


def test_the_file_says_only_what_changed_in_it(world: World) -> None:
    world.take(person(world, "ceo", title="Chief", absences=[days(2, 8)]))
    people = dict(starter_people())
    with world.app.ctx.db.write() as tx:
        assert staff_facts.import_people(tx, people, tx.now()) == []
    assert staff(world).parties["ceo"].title == "Chief"
    people["ceo"] = people["ceo"].model_copy(update={"phone": "+49 30 1"})
    world.pass_time(minutes=1)
    with world.app.ctx.db.write() as tx:
        assert staff_facts.import_people(tx, people, tx.now()) == ["ceo"]
    ceo = staff(world).parties["ceo"]
    assert (ceo.phone, ceo.title, len(ceo.absences)) == ("+49 30 1", "Chief", 1)


def test_who_came_by_an_event_does_not_leave_with_the_next_import(world: World) -> None:
    world.take(person(world, "nora", email="nora@example.com"))
    people = {name: one for name, one in starter_people().items() if name != "ceo"}
    world.pass_time(minutes=1)
    with world.app.ctx.db.write() as tx:
        assert staff_facts.import_people(tx, people, tx.now()) == ["ceo"]
    assert "nora" in staff(world).parties and "ceo" in staff(world).former
