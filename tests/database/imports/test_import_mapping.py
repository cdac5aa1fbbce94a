"""Mapping files, dry runs and clearing: what somebody wants done with a table, and what it would
come to.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from alerting.adapters.imports.customer_tables import read_table
from alerting.adapters.imports.mapping_files import read_mapping
from alerting.database.customers import customers
from alerting.database.intake import events
from alerting.database.tables import customer_version
from alerting.database.tables import event as event_table
from alerting.domain.customers.customer_diff import CustomerDiff
from alerting.domain.errors import ActionRefused
from alerting.domain.intake.events import parse_event
from alerting.services.imports.import_customers import Imported, Wishes, import_customers
from tests.support.imports.mappings import TABLE
from tests.support.installation import Run
from tests.support.world import World

MAPPING = """columns:
  Konto: customer_id
  Wer: name
  Geld: {field: revenue_with_us, decimal: ",", currency: USD, factor: 0.5}
  Bis: {field: renewal_date, dates: month first}
  Sparte: attributes.division
fixed:
  country: DE
  attributes.list: spring
others: attributes
"""


def importing(world: World, text: str, mapping: str | None = None, **wishes: Any) -> Imported:
    (world.folder / "x.csv").write_text(text)
    (world.folder / "mapping.yaml").write_text(mapping or "{columns: {}}")
    table = read_table(
        str(world.folder / "x.csv"), read_mapping(str(world.folder / "mapping.yaml"))
    )
    return import_customers(world.app.ctx, table, Wishes(**wishes))


def state(world: World, customer: str) -> dict[str, Any]:
    with world.app.ctx.db.read() as tx:
        return dict(customers.customer_now(tx, customer).state)


def versions(world: World) -> int:
    return len(world.rows(customer_version.select()))


# Mapping files


def test_a_mapping_says_what_the_texts_of_a_column_mean(world: World) -> None:
    text = (
        "Nr;Firma;Branche;Umsatz;Land\n1;Ay;maschinenbau "
        ";klein;Süd\n2;Be;Retail;7.500,00;\n3;Ce;offen;5;AT\n"
    )
    mapping = """columns:
  Nr: customer_id
  Branche: {field: industry, values: {Maschinenbau: machinery, offen: ""}}
  Umsatz: {field: revenue_with_us, values: {klein: "1000"}}
  Land: {field: country, values: {Süd: DE}}
"""
    result = importing(world, text, mapping)
    assert (result.new, result.bad) == (3, [])
    assert state(world, "1") == {
        "name": "Ay",
        "industry": "machinery",
        "revenue_with_us": 1000,
        "country": "DE",
    }
    assert state(world, "2") == {"name": "Be", "industry": "Retail", "revenue_with_us": 7500}
    assert state(world, "3") == {"name": "Ce", "revenue_with_us": 5, "country": "AT"}
    with pytest.raises(ActionRefused, match="customer_id has no `values`"):
        importing(world, text, "columns:\n  Nr: {field: customer_id, values: {a: b}}\n")


def test_a_mapping_says_which_column_is_which_field_and_how_it_is_written(world: World) -> None:
    result = importing(world, TABLE, MAPPING)
    assert (result.new, result.bad) == (2, [])
    assert state(world, "1") == {
        "name": "Ay GmbH",
        "revenue_with_us": 750,
        "renewal_date": "2026-04-05",
        "country": "DE",
        "attributes": {"list": "spring", "division": "Nord", "rest": "x"},
        "contacts": [{"name": "Ay GmbH", "email": "a@example.com"}],
    }
    assert state(world, "2")["attributes"] == {"list": "spring", "rest": "y"}
    assert importing(world, TABLE, MAPPING).unchanged == 2


def test_columns_a_mapping_ignores_or_does_not_name_can_be_left_out(small_world: World) -> None:
    text = "Konto;Kunde;Ort;Land\n1;Ay;Ulm;DE\n"
    importing(small_world, text, "columns: {Konto: customer_id, Ort: ignore}")
    assert state(small_world, "1") == {"name": "Ay", "country": "DE"}
    importing(
        small_world,
        text.replace("1;", "2;"),
        "columns: {Konto: customer_id, Ort: city}\nothers: ignore",
    )
    assert state(small_world, "2") == {"city": "Ulm"}


# Dry runs


def test_a_dry_run_shows_before_and_after_and_writes_nothing(world: World) -> None:
    world.known_customers()
    before = versions(world)
    text = (
        "customer_id,name,city,revenue_with_us,attributes.tier,contact_name\n"
        "ACME-AERO,Acme Aerospace,Ulm,1240000,gold,Bob\nALPENWERK,Alpenwerk,,410000,,\nNEW,New "
        "One,,,,\nBAD,,,x,,\n"
    )
    told: list[CustomerDiff] = []
    result = importing(world, text, dry_run=True, tell=told.append)
    assert (result.new, result.changed, result.unchanged, len(result.bad)) == (1, 1, 1, 1)
    assert versions(world) == before
    acme, new = told
    assert (acme.customer_id, acme.name, acme.line, acme.kind) == (
        "ACME-AERO",
        "Acme Aerospace",
        2,
        "changed",
    )
    ada = {
        "name": "Ada Example",
        "role": "Head of Purchasing",
        "phone": "+49 30 5550199",
        "email": "ada@acme.example",
    }
    assert [(change.field, change.before, change.after) for change in acme.fields] == [
        ("contact 1", ada, {"name": "Bob"}),
        ("city", None, "Ulm"),
        ("attributes.tier", None, "gold"),
    ]
    assert (new.customer_id, new.kind) == ("NEW", "new")
    done = importing(world, text)
    assert (done.new, done.changed, done.unchanged) == (1, 1, 1)


def test_the_command_prints_the_diff_or_gives_it_as_json(migrated: Run, installation: Path) -> None:
    (installation / "x.csv").write_text("customer_id,name,city\nA,Ay,Ulm\nB,Be,\n")
    assert migrated("import", "x.csv").stdout == "2 new, 0 changed, 0 unchanged, 0 bad rows.\n"
    (installation / "x.csv").write_text("customer_id,name,city\nA,Ay,Bonn\nB,Be,\nC,Ce,\n")
    done = migrated("import", "x.csv", "--dry-run")
    assert done.stdout == (
        "~ A Ay (row 2)\n    city: Ulm -> Bonn\n+ C Ce (row 4)\n    name: Ce\n"
        "1 new, 1 changed, 1 unchanged, 0 bad rows; this was a dry run, nothing was written.\n"
    )
    found = json.loads(migrated("import", "x.csv", "--dry-run", "--json").stdout)
    assert (found["new"], found["changed"], found["unchanged"], found["dry_run"]) == (1, 1, 1, True)
    assert found["customers"][0] == {
        "customer_id": "A",
        "name": "Ay",
        "line": 2,
        "new": False,
        "kind": "changed",
        "fields": [{"field": "city", "before": "Ulm", "after": "Bonn"}],
    }
    assert "1 new, 1 changed, 1 unchanged" in migrated("import", "x.csv").stdout
    again = migrated("import", "x.csv", "--json")
    assert (again.returncode, json.loads(again.stdout)["unchanged"]) == (0, 3)
    assert "nothing was changed" in migrated("import", "x.csv").stdout


def test_the_command_takes_a_mapping_and_says_how_it_read_the_file(
    migrated: Run, installation: Path
) -> None:
    (installation / "x.csv").write_text(TABLE)
    (installation / "m.yaml").write_text(MAPPING.replace("others: attributes\n", ""))
    done = migrated("import", "x.csv", "--mapping", "m.yaml")
    assert done.returncode == 0, done.stderr
    assert "x.csv: read Mail as contact_email\nx.csv: ignored Rest\n" in done.stderr
    (installation / "m.yaml").write_text("columns: {Konto: custmer_id}\n")
    done = migrated("import", "x.csv", "--mapping", "m.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: m.yaml:1:11: no field is called 'custmer_id'")
    done = migrated("import", "x.csv", "--sheet", "North")
    assert "x.csv is no Excel file and has no sheets" in done.stderr


# Clearing


def test_an_empty_cell_leaves_a_value_unless_it_is_to_clear_it(world: World) -> None:
    heading = "customer_id,name,city,attributes.tier,contact_name\n"
    importing(world, heading + "A,Ay,Ulm,gold,Ada\nB,Be,Bonn,silver,Bob\nB,,,,Cid\n")
    empty = heading + "A,Ay,,,\nB,Be,Bonn,,Bob\nB,,,,Cid\n"
    assert importing(world, empty).unchanged == 2
    assert importing(world, empty, empty_clears=True).changed == 2
    assert state(world, "A") == {"name": "Ay", "attributes": {}}
    assert state(world, "B") == {
        "name": "Be",
        "city": "Bonn",
        "attributes": {},
        "contacts": [{"name": "Bob"}, {"name": "Cid"}],
    }
    assert importing(world, empty, empty_clears=True).unchanged == 2


def test_a_failed_formula_clears_nothing(small_world: World) -> None:
    importing(small_world, "customer_id,name,city\nA,Ay,Ulm\n")
    assert (
        importing(small_world, "customer_id,name,city\nA,Ay,#N/A\n", empty_clears=True).unchanged
        == 1
    )
    assert importing(small_world, "customer_id,name,city\nA,Ay,-\n", empty_clears=True).changed == 1


# Repeating


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


def test_an_import_broken_off_half_way_is_repeated_without_harm(world: World) -> None:
    text = "customer_id,name\n" + "".join(f"C-{n:05},Invented {n}\n" for n in range(4_500))

    def interrupt(done: int, of: int) -> None:
        assert of == 4_500
        if done >= 4_000:
            raise Interrupted

    with pytest.raises(Interrupted):
        importing(world, text, progress=interrupt)
    assert versions(world) == 4_000
    result = importing(world, text)
    assert (result.new, result.unchanged) == (500, 4_000)
    assert versions(world) == 4_500
    assert len(world.rows(event_table.select())) == 4_500


def test_an_imported_row_is_the_event_its_bytes_say(world: World) -> None:
    importing(world, "customer_id,name,revenue_with_us,attributes.Größe\nA,Ä “x”,1.5,7\n")
    with world.app.ctx.db.read() as tx:
        (row,) = events.find_event(tx, "#1")
    stored = events.stored_event(row)
    reread = parse_event(bytes(row.raw), {}, stored.received_at, stored.received_at)
    assert (reread.payload, reread.digest, reread.time) == (
        stored.payload,
        stored.digest,
        stored.time,
    )
