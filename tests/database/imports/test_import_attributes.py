"""Attributes of imported customers, and where they stand afterwards."""

import shutil
from pathlib import Path

from sqlalchemy import select

from alerting.adapters.imports.customer_tables import read_table
from alerting.database.customers import customers, memberships
from alerting.database.tables import membership
from alerting.services.customers.memberships import look_at
from alerting.services.imports.import_customers import Wishes, import_customers
from tests.support.builders import ROOT
from tests.support.imports.tables import importing, state
from tests.support.world import World, make_world


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
