"""People as dated facts in a whole installation: from the file, from events, from a table; and what
follows from them.
"""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from alerting.adapters.imports.people_tables import read_table
from alerting.adapters.rulebook.people_file import read_people
from alerting.database.people import staff_facts
from alerting.database.tables import alert, case_file, dead_letter, party_fact, team_turn
from alerting.domain.errors import ActionRefused
from alerting.domain.people.people import Team
from alerting.domain.routing.staff import Staff
from alerting.services.alerts.explain_event import explain
from alerting.services.intake.accept_events import read_request
from alerting.services.people.import_people import import_people_table, mark_reachable, staff_now
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import changed, party, starter_people
from tests.support.world import GERMANY, World, recipients


def person(world: World, person_id: str, **more: Any) -> dict[str, Any]:
    envelope = {name: more.pop(name) for name in ("id", "source", "time") if name in more}
    return world.envelope("person.updated", {"person_id": person_id, **more}, **envelope)


def staff(world: World, **ago: float) -> Staff:
    return staff_now(world.app.ctx, world.now() - timedelta(**ago))


def days(begin: int, end: int, substitute: str | None = None) -> dict[str, Any]:
    absence = {"from": f"2026-03-{begin:02}", "to": f"2026-03-{end:02}"}
    return absence | ({"substitute": substitute} if substitute else {})


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


# Refused addresses


def test_a_refused_address_is_remembered_and_the_next_case_goes_to_whoever_stands_in(
    world: World, smtp: Any
) -> None:
    from tests.database.mail.test_delivery import _over_smtp

    world.known_customers()
    _over_smtp(world, smtp)
    smtp.refuse["owner.north@example.com"] = "550 5.1.1 no such user"
    world.take(world.survey("ALPENWERK"))
    world.deliver()
    away = staff(world).away["owner_north"]
    assert away.words == "cannot be reached (mail to this address was refused on 2026-03-06)"
    world.take(world.survey("KIOSK-9"), world.customer("KIOSK-9", owner="owner_north"))
    assert world.case("KIOSK-9").caller == "lead_central"
    assert mark_reachable(world.app.ctx, "owner_north", "admin").name == "Olga Sample"
    assert staff(world).away == {}
    with pytest.raises(ActionRefused, match="no mail to Olga Sample was refused"):
        mark_reachable(world.app.ctx, "owner_north", "admin")


def test_a_new_address_is_tried_again(small_world: World, smtp: Any) -> None:
    from tests.database.mail.test_delivery import _over_smtp

    small_world.known_customers()
    _over_smtp(small_world, smtp)
    smtp.refuse["owner.north@example.com"] = "550 no such user"
    small_world.take(small_world.survey("ALPENWERK"))
    small_world.deliver()
    small_world.take(person(small_world, "owner_north", email="olga@example.com"))
    assert staff(small_world).away == {}


@pytest.mark.parametrize("answer", ["550 5.7.1 relaying denied", "451 try later"])
def test_what_the_server_says_of_us_says_nothing_of_the_address(
    small_world: World, smtp: Any, answer: str
) -> None:
    from tests.database.mail.test_delivery import _over_smtp

    small_world.known_customers()
    _over_smtp(small_world, smtp)
    smtp.refuse["owner.north@example.com"] = answer
    small_world.take(small_world.survey("ALPENWERK"))
    small_world.deliver()
    assert staff(small_world).away == {}


# Tables


def table(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "staff.csv"
    path.write_text(text)
    return read_table(str(path))


def test_people_come_from_a_table_and_the_same_file_again_changes_nothing(
    world: World, tmp_path: Path
) -> None:
    given = table(
        tmp_path,
        "id,name,email,kind,manager,absent_from,absent_to,absent_substitute,members,active\n"
        "nora,Nora New,nora@example.com,,ceo,2026-03-02,2026-03-08,vp_sales,,\n"
        "nora,,,,,2026-04-02,2026-04-08,,,\n"
        "crew,Crew,,team,,,,,nora vp_sales,\n"
        "owner_west,,,,,,,,,no\n",
    )
    first = import_people_table(world.app.ctx, given)
    assert (first.changed, first.unchanged, first.bad, first.warnings) == (3, 0, [], [])
    found = staff(world)
    assert [absence.words for absence in found.parties["nora"].absences] == [
        "is absent from 2026-03-02 to 2026-03-08",
        "is absent from 2026-04-02 to 2026-04-08",
    ]
    assert found.teams["crew"].members == ("nora", "vp_sales")
    assert found.former["owner_west"].name == "Otto Sample"
    again = import_people_table(world.app.ctx, given)
    assert (again.changed, again.unchanged) == (0, 3)


def test_bad_rows_are_named_and_the_others_taken(small_world: World, tmp_path: Path) -> None:
    given = table(
        tmp_path,
        "person_id,name,email,manager,active,absent_from,absent_to\n"
        "nora,Nora,nora@example.com,nobody_yet,,,\n"
        "Otto,Otto,otto@example.com,,,,\n"
        ",Ann,ann@example.com,,,,\n"
        "ann,Ann,ann,,,,\n"
        "ben,Ben,ben@example.com,,perhaps,,\n"
        "cid,Cid,cid@example.com,,,2026-03-08,2026-03-02\n"
        "nora,Nora,,,,,\n"
        "dan,Dan,,,,,\n",
    )
    result = import_people_table(small_world.app.ctx, given)
    assert (result.changed, [line for line, _ in result.bad]) == (2, [3, 4, 5, 6, 7, 8])
    reasons = [reason for _, reason in result.bad]
    assert (
        reasons[0]
        == "person_id: 'Otto' is no id: small letters, digits, - _ and . only, a letter or digit "
        "first"
    )
    assert reasons[1] == "person_id: is empty"
    assert reasons[2] == "email: 'ann' is not one mail address"
    assert reasons[3] == "active: 'perhaps' is not true or false"
    assert "2026-03-02 lies before 2026-03-08" in reasons[4]
    assert reasons[5] == "person_id: stands in line 2 already, and this row adds no absence"
    assert result.warnings == [
        (2, "manager: nobody_yet is not in people.yaml"),
        (9, "dan cannot be told anything yet: email missing"),
    ]


def test_a_heading_nobody_knows_is_refused_with_what_was_meant(
    small_world: World, tmp_path: Path
) -> None:
    with pytest.raises(
        ActionRefused, match=r"unknown columns e-mail \(did you mean email\?\); leave them out"
    ):
        table(tmp_path, "person_id,e-mail\nann,ann@example.com\n")
    with pytest.raises(
        ActionRefused, match="there is no column person_id; known are person_id, active"
    ):
        table(tmp_path, "name\nAnn\n")


def test_rules_may_name_people_who_came_by_a_table_but_nobody_who_left_the_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "people.yaml").write_text(
        "people:\n  - {id: ann, name: Ann, email: a@b.c, manager: nora}\n"
    )
    assert set(read_people(tmp_path / "people.yaml", {"nora": party("nora")})) == {"ann"}


def test_nobody_is_their_own_manager(small_world: World, tmp_path: Path) -> None:
    text = "person_id,name,email,manager,substitute\nnora,Nora,nora@example.com,nora,\nann,Ann,ann@example.com,,ann\n"  # noqa: E501
    assert import_people_table(small_world.app.ctx, table(tmp_path, text)).bad == [
        (2, "manager: 'nora' cannot be their own manager; leave the cell empty"),
        (3, "substitute: 'ann' cannot be their own substitute; leave the cell empty"),
    ]
