"""How sheets are laid out: titles, merged cells, totals, numbered contacts, several sheets."""

from typing import Any

import pytest
from openpyxl import Workbook

from alerting.adapters.imports.customer_tables import read_table
from alerting.domain.errors import ActionRefused
from alerting.services.imports.import_customers import import_customers
from alerting.services.imports.import_mapping import ImportMapping
from tests.support.imports.sheets import HEADING, importing, refused, sheet, state
from tests.support.world import World


def test_leading_zeros_of_a_number_format_and_broken_lines_belong_to_the_text(
    small_world: World,
) -> None:
    def arrange(worksheet: Any) -> None:
        worksheet["A2"].number_format = "00000"

    importing(small_world, HEADING, [123, "Acme\nAerospace"], arrange=arrange)
    assert state(small_world, "00123")["name"] == "Acme Aerospace"


def test_merged_cells_stand_for_every_row_below_them(world: World) -> None:
    def arrange(worksheet: Any) -> None:
        for cells in ("A2:A4", "B2:B4", "C2:C4"):
            worksheet.merge_cells(cells)

    rows = [
        ["A", "Ay", 5, "Ada"],
        [None, None, None, "Bob"],
        [None, None, None, "Cid"],
        ["B", "Be", 7, "Dan"],
    ]
    result = importing(world, [*HEADING, "Umsatz", "Ansprechpartner"], *rows, arrange=arrange)
    assert (result.new, result.bad) == (2, [])
    assert [contact["name"] for contact in state(world, "A")["contacts"]] == ["Ada", "Bob", "Cid"]
    assert state(world, "A")["revenue_with_us"] == 5


# Rows and headings


def test_titles_empty_rows_and_columns_and_a_total_are_no_trouble(small_world: World) -> None:
    rows = [
        ["Key accounts"],
        [],
        [None, "confidential"],
        [None, None, "Account No.", None, "Account", "ARR"],
        [],
        [None, None, "A", None, "Ay", 5],
        [],
        [None, None, "B", None, "Total Invented Energy", 7],
        [],
        [None, None, None, None, "Grand total:", 12],
    ]
    result = importing(small_world, *rows)
    assert (result.new, result.bad) == (2, [])
    assert result.warnings == [(10, "looks like a total and is left out")]
    assert state(small_world, "B")["name"] == "Total Invented Energy"


def test_a_customer_called_total_is_a_customer(small_world: World) -> None:
    assert (
        importing(small_world, ["customer_id", "country", "city"], ["Total", "FR", "Metz"]).new == 1
    )


def test_without_ids_names_stand_for_them_and_find_the_customers_we_know(world: World) -> None:
    world.known_customers()
    rows = [["acme aerospace", "Berlin", None], ["New Invented Co", "Ulm", "Acme Aerospace"]]
    table = read_table(str(sheet(world.folder / "x.xlsx", [["Account", "City", "Parent"], *rows])))
    assert "no column holds customers' ids: 'Account' names them" in " ".join(table.notices)
    result = import_customers(world.app.ctx, table)
    assert (result.new, result.changed, result.bad) == (1, 1, [])
    assert state(world, "ACME-AERO")["city"] == "Berlin"
    assert state(world, "New Invented Co")["parent"] == "ACME-AERO"
    assert import_customers(world.app.ctx, table).unchanged == 2


def test_a_name_that_two_customers_have_is_a_bad_row(small_world: World) -> None:
    importing(small_world, [*HEADING], ["A", "Twin"], ["B", "twin"])
    assert importing(small_world, ["Account", "City"], ["Twin", "Ulm"]).bad == [
        (2, "name: 'Twin' is the name of A and B; add a column customer_id")
    ]


def test_contacts_are_read_from_numbered_columns_split_names_and_office_lines(
    small_world: World,
) -> None:
    importing(
        small_world,
        [
            "customer_id",
            "Vorname",
            "Nachname",
            "E-Mail",
            "Contact 2",
            "Contact 2 Phone",
            "Ansprechpartner 3 E-Mail",
        ],
        ["A", "Ada", "Example", "ada@example.com", "Bob", "+1", None],
    )
    importing(small_world, ["customer_id", "Kunde", "Telefon"], ["B", "Be", "+2"])
    assert state(small_world, "A")["contacts"] == [
        {"name": "Ada Example", "email": "ada@example.com"},
        {"name": "Bob", "phone": "+1"},
    ]
    assert state(small_world, "B")["contacts"] == [{"name": "Be", "phone": "+2"}]


def test_of_several_headings_for_a_field_the_surest_is_read_and_the_others_are_said(
    small_world: World,
) -> None:
    rows = [
        ["Kd-Nr", "Umsatz 2024", "Umsatz 2025", "Firma", "Kunde", "Segment", "Lifecyle"],
        ["1", 5, 7, "Ay", "x", "A", "y"],
    ]
    table = read_table(str(sheet(small_world.folder / "x.xlsx", rows)))
    assert table.notices[-1] == (
        "ignored Umsatz 2024 (revenue_with_us is read from Umsatz 2025), Kunde (name is read from "
        "Firma), Segment, "
        "Lifecyle (did you mean lifecycle?)"
    )
    import_customers(small_world.app.ctx, table)
    assert state(small_world, "1") == {"revenue_with_us": 7, "name": "Ay"}


# Sheets and files


def test_the_sheet_with_customers_is_found_and_of_several_one_must_be_chosen(
    small_world: World,
) -> None:
    workbook = Workbook()
    workbook.active.title = "Notes"
    for title, key in (("North", "N"), ("South", "S")):
        worksheet = workbook.create_sheet(title)
        worksheet.append(HEADING)
        worksheet.append([key, title])
    path = small_world.folder / "two.xlsx"
    workbook.save(path)
    assert "has customers in several sheets, 'North', 'South'; choose one with --sheet" in refused(
        path
    )
    assert "has no sheet 'East'; there are 'Notes', 'North', 'South'" in refused(path, "East")
    assert "the sheet 'Notes' of two.xlsx is empty" in refused(path, "notes")
    assert import_customers(small_world.app.ctx, read_table(str(path), sheet="south")).new == 1
    workbook["South"].sheet_state = "hidden"
    workbook.save(path)
    assert read_table(str(path)).notices[0].startswith("sheet 'North'")


def test_a_heading_below_a_title_is_found_in_csv_too(small_world: World) -> None:
    path = small_world.folder / "x.csv"
    path.write_text("Named accounts 2026;;\n;;\nKd-Nr;Kunde;Umsatz\n1;Ay;1.000\n")
    table = read_table(str(path))
    assert table.notices[0] == "the heading is line 3"
    assert import_customers(small_world.app.ctx, table).new == 1
    assert state(small_world, "1")["revenue_with_us"] == 1_000


def test_a_mapping_may_name_the_sheet_and_the_row_of_the_heading(small_world: World) -> None:
    path = sheet(
        small_world.folder / "x.xlsx", [["customer_id", "name"], ["foo", "wer"], ["A", "Ay"]]
    )
    with pytest.raises(ActionRefused, match="unknown columns foo, wer"):
        read_table(str(path), ImportMapping(heading_row=2))
    assert "has no sheet 'Nope'" in refused(path, "Nope")
