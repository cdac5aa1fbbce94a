"""Customers from tables: contacts, events that say too much, owners and groups nobody knows."""

import pytest
from fastapi.testclient import TestClient

from alerting.bootstrap import web_parts
from alerting.database.intake import dead_letters as letters
from alerting.entrypoints.web.app import create_app
from tests.support.imports.tables import importing, known, state
from tests.support.world import World


def dead_letters(world: World) -> int:
    with world.app.ctx.db.read() as tx:
        return letters.waiting_dead_letters(tx)


def test_rows_of_one_customer_add_contacts_and_any_other_repetition_is_bad(world: World) -> None:
    text = (
        "customer_id,name,country,contact_name,contact_phone\n"
        "A,Ay,DE,Ada,1\n"
        "A,,,Bob,2\n"
        "A,Ay,de,Cid,3\n"
        "A,Ay,DE,Bob,2\n"
        "A,Ay,DE,,\n"
        "A,Aye,DE,Dan,4\n"
        "B,Be,DE,,\n"
        "B,Be,DE,,\n"
    )
    result = importing(world, text)
    assert (result.new, result.bad) == (
        2,
        [
            (5, "customer_id: A stands in line 2 already, and this row adds no contact"),
            (6, "customer_id: A stands in line 2 already, and this row adds no contact"),
            (
                7,
                "name: line 2 gives A 'Ay'; further rows of a customer add contacts and leave the "
                "rest empty",
            ),
            (9, "customer_id: B stands in line 8 already, and this row adds no contact"),
        ],
    )
    assert [contact["name"] for contact in state(world, "A")["contacts"]] == ["Ada", "Bob", "Cid"]


def test_a_bad_contact_costs_no_contact_we_know(world: World) -> None:
    heading = "customer_id,name,contact_name,call_from\n"
    importing(world, heading + "A,Ay,Ada,\nA,,Bob,09:00\n")
    result = importing(world, heading + "A,Aye,Ada,\nA,,Bob,9:00\nB,Be,,9:00\nC,Ce,,\n")
    assert result.bad == [
        (2, "customer_id: line 3 of the same customer is bad, and its rows are taken together"),
        (3, "call_from: must be a time of day written 09:00"),
        (4, "contact_name: is empty, and other cells of the contact are not"),
    ]
    assert [contact["name"] for contact in state(world, "A")["contacts"]] == ["Ada", "Bob"]
    assert known(world, "C") == ["C"]


def test_a_row_no_event_can_hold_is_bad_and_leaves_no_dead_letter(world: World) -> None:
    rows = "".join(f"A,{'c' * 480}{i}\n" for i in range(2_300))
    result = importing(world, f"customer_id,contact_name\n{rows}B,Bea\n")
    assert (result.new, len(result.bad)) == (1, 2_300)
    assert "too large" in result.bad[0][1]
    assert known(world, "A", "B") == ["B"]
    assert dead_letters(world) == 0


def test_a_file_whose_name_no_event_can_hold_is_imported(world: World) -> None:
    assert importing(world, "customer_id,name\nA,Ay\n", "cust\nomers\udce4.csv").new == 1
    assert known(world, "A") == ["A"]
    assert dead_letters(world) == 0


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        (
            "country",
            "Gerrmany",
            "country: 'Gerrmany' is no ISO 3166 alpha-2 code; did you mean 'DE'?",
        ),
        ("time_zone", "Mars", "time_zone: 'Mars' is no time zone; write one such as Europe/Berlin"),
        (
            "language",
            "Plattdeutsch",
            "language: 'Plattdeutsch' is no language tag; write one such as de or en-GB",
        ),
        (
            "renewal_date",
            "31.05.26",
            "renewal_date: '31.05.26' is no day of the calendar; write the year with four digits",
        ),
        (
            "renewal_date",
            "04/05/2026",
            "renewal_date: '04/05/2026' can mean 2026-04-05 or 2026-05-04",
        ),
        ("employees", "many", "employees: 'many' is not a number"),
        (
            "revenue_with_us",
            "10000000000000000",
            "revenue_with_us: Input should be less than or equal to",
        ),
        ("name", "x" * 501, "name: String should have at most 500 characters"),
        ("customer_id", "", "customer_id: is empty"),
    ],
)
def test_what_an_event_may_not_say_is_a_bad_row_with_its_column(
    small_world: World, column: str, text: str, said: str
) -> None:
    cells = {"customer_id": "A", "name": "Ay", column: text}
    ((line, reason),) = importing(
        small_world, f"{','.join(cells)}\n{','.join(cells.values())}\nB,Be\n"
    ).bad
    assert (line, reason[: len(said)]) == (2, said)
    assert known(small_world, "A", "B") == ["B"]


def test_the_same_event_over_http_is_refused_with_its_field(world: World) -> None:
    given = {"country": "Germany", "time_zone": "Mars", "revenue_with_us": -1}
    with TestClient(create_app(web_parts(world.app))) as client:
        for field, value in given.items():
            answer = client.post(
                "/v1/events",
                json=world.customer("A", **{field: value}),
                headers={
                    "X-API-Key": "test-ingest-key-0123",
                    "Content-Type": "application/cloudevents+json",
                },
            )
            assert (answer.status_code, answer.json()["field"]) == (422, f"data.{field}")


def test_an_owner_nobody_knows_is_a_warning(world: World) -> None:
    text = "customer_id,owner\nA,owner_nroth\nB,owner_nroth\nC,owner.north@example.com\nD,lead_central\nE,zz\n"  # noqa: E501
    result = importing(world, text)
    assert (result.new, result.bad) == (5, [])
    assert result.warnings == [
        (
            2,
            "owner: 'owner_nroth' is nobody in people.yaml (and in 1 more); did you mean "
            "'owner_north'?",
        ),
        (6, "owner: 'zz' is nobody in people.yaml"),
    ]


def test_a_group_nobody_knows_or_that_leads_back_is_a_warning(world: World) -> None:
    importing(world, "customer_id,name\nGROUP,Group\n")
    text = "customer_id,parent\nA,GROUP\nB,GROUP2\nC,GROUP2\nD,D\nE,F\nF,E\nH,A\nI,AA\n"
    result = importing(world, text)
    assert (result.new, result.bad) == (8, [])
    assert result.warnings == [
        (3, "parent: 'GROUP2' is no customer (and in 1 more); nothing is inherited until it comes"),
        (5, "parent: 'D' is the customer itself: nothing is inherited"),
        (6, "parent: E -> F -> E is a circle: nothing is inherited through it"),
        (9, "parent: 'AA' is no customer; nothing is inherited until it comes"),
    ]


def test_a_further_row_that_contradicts_costs_no_contact(world: World) -> None:
    heading, first = (
        "customer_id,name,contact_name,contact_email\n",
        "C-1,Three,Ann,ann@c.example\nC-1,,Bob,bob@c.example\n",
    )
    assert importing(world, heading + first + "C-1,,Cid,cid@c.example\n").new == 1
    result = importing(world, heading + first + "C-1,Other,Cid,cid@c1.example\n")
    assert [line for line, _ in result.bad] == [4]
    assert [one["email"] for one in state(world, "C-1")["contacts"]] == [
        "ann@c.example",
        "bob@c.example",
        "cid@c.example",
    ]
