"""Importing tables of customers, on either database: what is good is taken, what is bad is named by
line and column.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from alerting.adapters.imports.customer_tables import read_table
from alerting.bootstrap import web_parts
from alerting.database.customers import customers, memberships
from alerting.database.intake import events
from alerting.database.tables import membership
from alerting.domain.errors import ActionRefused
from alerting.entrypoints.web.app import create_app
from alerting.services.customers.memberships import look_at
from alerting.services.imports.import_customers import Imported, Wishes, import_customers
from tests.support.builders import ROOT
from tests.support.world import World, make_world


def importing(world: World, text: str | bytes, name: str = "customers.csv") -> Imported:
    file = world.folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_customers(world.app.ctx, read_table(str(file)))


def state(world: World, customer: str) -> dict[str, Any]:
    with world.app.ctx.db.read() as tx:
        return dict(customers.customer_now(tx, customer).state)


def known(world: World, *keys: str) -> list[str]:
    with world.app.ctx.db.read() as tx:
        return [key for key in keys if customers.customer_now(tx, key).known]


def dead_letters(world: World) -> int:
    with world.app.ctx.db.read() as tx:
        return events.waiting_dead_letters(tx)


# Numbers


def test_a_number_that_can_mean_two_is_a_bad_row_and_the_others_are_taken(world: World) -> None:
    text = (
        'customer_id,name,revenue_with_us\nA,Ay,250.000\nB,Be,"250,000"\nC,Ce,"1,5"\nD,De,250000\n'
        "E,Ee,1e400\nF,Ef,nan\nG,Ge,inf\nH,Ha,-5\n"
    )
    result = importing(world, text)
    assert result.bad == [
        (2, "revenue_with_us: '250.000' can mean 250 or 250000; write 250 or 250000"),
        (3, "revenue_with_us: '250,000' can mean 250 or 250000; write 250 or 250000"),
        (
            4,
            "revenue_with_us: '1,5' can have a decimal comma or lack a digit; write 1.5 if that is "
            "meant",
        ),
        (6, "revenue_with_us: '1e400' is not a number; write one such as 250000 or 250000.50"),
        (7, "revenue_with_us: 'nan' is not a number; write one such as 250000 or 250000.50"),
        (8, "revenue_with_us: 'inf' is not a number; write one such as 250000 or 250000.50"),
        (9, "revenue_with_us: Input should be greater than or equal to 0"),
    ]
    assert known(world, *"ABCDEFGH") == ["D"]
    assert state(world, "D")["revenue_with_us"] == 250_000


@pytest.mark.parametrize(
    ("separator", "numbers", "taken"),
    [
        (",", ["250.000", "1.240.000"], [250_000, 1_240_000]),
        (",", ['"250,000"', '"1,240,000"'], [250_000, 1_240_000]),
        (",", ['"1,5"', '"1.240.000,50"'], [1.5, 1_240_000.5]),
        (",", ["250.000", "7.5"], [250, 7.5]),
        (";", ["250.000", "1,5"], [250_000, 1.5]),
        (";", ["250000.50", "1"], [250_000.5, 1]),
    ],
)
def test_the_column_or_the_semicolon_tells_what_a_number_means(
    small_world: World, separator: str, numbers: list[str], taken: list[float]
) -> None:
    rows = [
        ["customer_id", "revenue_with_us"],
        *[[f"C-{i}", number] for i, number in enumerate(numbers)],
    ]
    result = importing(small_world, "".join(separator.join(row) + "\n" for row in rows))
    assert result.bad == []
    assert [state(small_world, f"C-{i}")["revenue_with_us"] for i in range(len(numbers))] == taken


def test_another_columns_numbers_tell_nothing(small_world: World) -> None:
    result = importing(
        small_world, "customer_id,revenue_with_us,employees\nA,250.000,1.240.000\nB,1,12.5\n"
    )
    assert [line for line, _ in result.bad] == [2, 3]
    assert result.bad[1][1] == "employees: '12.5' is not a whole number"


# Rows


def test_a_row_of_another_shape_is_bad_and_the_next_is_read(world: World) -> None:
    text = (
        "customer_id,name,country,\n"
        "A,Acme, Inc,DE\n"  # an unquoted comma
        'B,"Be,DE\n'  # never closed
        "C,Ce,DE\n"
        'D,"De" und Co,DE\n'
        f"E,{'x' * 140_000},DE\n"
        "F\n"
        "G,Ge,DE,\n"
        ",,,\n"
        "\n"
        "H,Ha,DE,stray\n"
        'I,"I said ""no""", DE\n'
    )
    result = importing(world, text)
    assert [line for line, _ in result.bad] == [2, 3, 5, 6, 7, 11]
    reasons = dict(result.bad)
    assert "4 cells, the heading names 4 columns: nobody knows what 'DE' is" in reasons[2]
    assert "a quote that opens in this line is not closed" in reasons[3]
    assert "text stands behind a closing quote" in reasons[5]
    assert "more than 131072 characters" in reasons[6]
    assert "1 cell, the heading names 4 columns" in reasons[7]
    assert "nobody knows what 'stray' is" in reasons[11]
    assert known(world, *"ABCDEFGHI") == ["C", "G", "I"]
    assert state(world, "I") == {"name": 'I said "no"', "country": "DE"}


def test_a_quote_closed_by_a_later_rows_quote_is_no_name_of_two_lines(small_world: World) -> None:
    result = importing(small_world, 'customer_id,name,city\nA,"Acme,Ulm\nB,Be",Ulm\nC,Ce,Ulm\n')
    ((line, reason),) = result.bad
    assert line == 2
    assert "name: holds a line break: a quote opened in line 2 and closed in line 3" in reason
    assert known(small_world, "A", "B", "C") == ["C"]


def test_an_unclosed_quote_before_many_rows_costs_its_own_row_only(small_world: World) -> None:
    rows = "".join(f"C-{i},{'y' * 100}\n" for i in range(2_000))
    result = importing(small_world, f'customer_id,name\nA,"Acme\n{rows}')
    assert (result.new, [line for line, _ in result.bad]) == (2_000, [2])
    assert "a quote that opens in this line is not closed" in result.bad[0][1]


def test_only_line_ends_end_a_row(small_world: World) -> None:
    result = importing(
        small_world,
        'customer_id,name,attributes.note\r\nA,Ac\u0085me\u2028,"one\ntwo"\r\nB,Be,\r\n',
    )
    assert result.bad == []
    assert state(small_world, "A") == {"name": "Ac\u0085me", "attributes": {"note": "one\ntwo"}}
    assert known(small_world, "B") == ["B"]


def test_a_nul_character_is_a_bad_row(small_world: World) -> None:
    assert importing(small_world, "customer_id,name\nA,Ac\x00me\nB,Be\n").bad == [
        (2, "name: holds a NUL character; save the file as CSV UTF-8")
    ]


# Files


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x.csv is empty; its first line names the columns: known are customer_id"),
        (b"\xef\xbb\xbf\r\n \n", "x.csv is empty"),
        (
            "customer_id,name\nA,Zürich\n".encode("cp1252"),
            "x.csv:2: is not UTF-8 (byte 0xfc); save the file as CSV UTF-8",
        ),
        ("customer_id\nA\n".encode("utf-16"), "x.csv is UTF-16; save it as CSV UTF-8"),
        (
            b"PK\x03\x04...",
            "x.csv is a broken Excel file (File is not a zip file); open it and save it again",
        ),
        (
            b"\xd0\xcf\x11\xe0...",
            "x.csv is an old Excel file (.xls); open it and save it as Excel workbook (.xlsx)",
        ),
        (b"PAR1...", "x.csv cannot be read as Parquet"),
        (b"customer_id,name,name\nA,x,y\n", "x.csv:1: two columns name; leave one of them out"),
        (b"customer_id,attribute.a,attributes.a\nA,x,y\n", "two columns attributes.a"),
        (b"customer_id,nmae\nA,x\n", "unknown columns nmae (did you mean name?)"),
        (
            b"customer_id,Time Zoone,phoone,zzz\n",
            "Time Zoone (did you mean time_zone?), phoone (did you mean contact_phone?), zzz;",
        ),
        (b"customer_id,attributes.\nA,x\n", "attributes. (did you mean attributes.<name>?)"),
        (b"customer_id\nA\n", "there are only ids, and nothing to say of them"),
        (b"name\nx\n", "there is no column customer_id; known are customer_id, name"),
        (
            b'"customer_id,name\nA,x\n',
            "x.csv:1: the heading cannot be read: a quote that opens in this line is not closed",
        ),
    ],
)
def test_a_file_that_is_no_table_is_refused_whole_with_the_remedy(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(ActionRefused) as refused:
        read_table(str(tmp_path / "x.csv"))
    assert said in str(refused.value)


def test_tabs_semicolons_and_a_blank_line_before_the_heading_are_no_trouble(
    small_world: World,
) -> None:
    assert importing(small_world, "\r\ncustomer_id\tname\tcity\r\nA\tAy\tUlm\r\n").new == 1
    assert importing(small_world, "customer_id;name;city;;\r\nB;Be, Ce;Ulm;;\r\n").new == 1
    assert state(small_world, "B")["name"] == "Be, Ce"


# Customers


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


# Attributes


def test_attributes_are_numbers_or_true_or_false_where_all_of_the_column_is(world: World) -> None:
    text = (
        "customer_id,attributes.tier,attributes.seats,attributes.vip,attributes.code,attribute.plan,attributes.share\n"
        "A,gold,12,TRUE,007,1,250.000\n"
        "B,2,1.5,false,12,x,\n"
    )
    result = importing(world, text)
    assert [line for line, _ in result.bad] == [2]
    assert "attributes.share: '250.000' can mean 250 or 250000" in result.bad[0][1]
    assert "declare it as text in rules/attributes.yaml" in result.bad[0][1]
    assert importing(world, text.replace("250.000", "0.25")).new == 1
    assert state(world, "A")["attributes"] == {
        "tier": "gold",
        "seats": 12,
        "vip": True,
        "code": "007",
        "plan": "1",
        "share": 0.25,
    }
    assert state(world, "B")["attributes"] == {
        "tier": "2",
        "seats": 1.5,
        "vip": False,
        "code": "12",
        "plan": "x",
    }
    assert importing(world, text.replace("250.000", "0.25")).unchanged == 2


def test_an_attribute_with_a_declared_type_is_read_as_that(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    types = "{zip: text, seats: whole number, vip: true/false, since: date, brands: list of texts}"
    (rules / "attributes.yaml").write_text(f"attributes: {types}\n")
    world = make_world(tmp_path, rules=rules)
    heading = "customer_id,attributes.zip,attributes.seats,attributes.vip,attributes.since,attributes.brands\n"  # noqa: E501
    result = importing(
        world,
        heading + "A,89073,12,true,2020-01-31,\nB,,12.5,,,\nC,,,maybe,,\nD,,,,31.1.20,\nE,,,,,x\n",
    )
    assert [(line, reason.split(":")[0]) for line, reason in result.bad] == [
        (3, "attributes.seats"),
        (4, "attributes.vip"),
        (5, "attributes.since"),
        (6, "attributes.brands"),
    ]
    assert state(world, "A")["attributes"] == {
        "zip": "89073",
        "seats": 12,
        "vip": True,
        "since": "2020-01-31",
    }
    world.app.close()


def test_who_is_looked_at_ahead_stands_where_intake_would_have_put_them(world: World) -> None:
    """A newcomer, one who has answered before we knew it, a plant of a group, one who is known, one
    with a bad row.
    """
    world.known_customers()
    world.take(world.survey("STRANGER", score=1))
    told = [
        ("NEW", {"name": "New", "revenue_with_us": 300_000}),
        ("STRANGER", {"name": "Stranger", "revenue_with_us": 10}),
        ("PLANT", {"name": "Plant", "revenue_with_us": 10, "parent": "ACME-AERO"}),
        ("KIOSK-7", {"name": "Kiosk", "revenue_with_us": 400_000}),
    ]
    columns = ("name", "revenue_with_us", "parent")
    rows = [
        ",".join([key, *(str(fields.get(name, "")) for name in columns)]) for key, fields in told
    ]
    (world.folder / "x.csv").write_text(
        "\n".join([f"customer_id,{','.join(columns)}", *rows, "BAD,,many,"])
    )
    import_customers(world.app.ctx, read_table(str(world.folder / "x.csv")))
    with world.app.ctx.db.read() as tx:
        imported = {row.customer_key: row for row in memberships.members(tx, None, None)}
        book, now = world.app.ctx.shelf.active(tx), tx.now()
        looked = look_at(tx, book, now, {key: "by hand" for key, _ in told})
    assert looked.moves == [], "looking at them now moves nobody"
    for key, _ in told:
        moves = [row for row in world.rows(select(membership)) if row.customer_key == key]
        assert [row.n for row in moves] == list(range(1, len(moves) + 1))
        assert moves[-1].cause.startswith("event:import:x.csv"), key
    assert {key: imported[key].segment for key, _ in told} == {
        "NEW": "high_potential",
        "STRANGER": "low_potential",
        "PLANT": "key",
        "KIOSK-7": "high_potential",
    }


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


def test_several_processes_come_to_the_same_as_one(world: World) -> None:
    rows = [
        f"C-{n % 20_900:05},Invented {n % 20_900},{n},Person {n},nobody{n % 3}\n"
        for n in range(21_000)
    ]
    rows[7] = "C-00007,Invented 7,many,Person 7,\n"
    text = "customer_id,name,attributes.n,contact_name,owner\n" + "".join(rows)
    text = text.replace(",attributes.n,", ",revenue_with_us,")
    (world.folder / "x.csv").write_text(text)
    done: list[tuple[int, int]] = []
    wishes = Wishes(processes=2, progress=lambda *step: done.append(step))
    result = import_customers(world.app.ctx, read_table(str(world.folder / "x.csv")), wishes)
    assert (result.new, len(result.bad)) == (20_899, 99 + 2)
    assert done[-1] == (21_000, 21_000)
    assert [line for line, _ in result.warnings] == [2, 3, 4]
    with world.app.ctx.db.read() as tx:
        assert len(customers.known_keys(tx)) == 20_899
    assert state(world, "C-20000") == {
        "name": "Invented 20000",
        "revenue_with_us": 20_000,
        "owner": "nobody2",
        "contacts": [{"name": "Person 20000"}],
    }
    again = import_customers(world.app.ctx, read_table(str(world.folder / "x.csv")))
    assert (again.new, again.changed, again.unchanged) == (0, 0, 20_899)
