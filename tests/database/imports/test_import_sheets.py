"""Sheets of customers: real numbers and days, amounts with units, errors and formulas."""

import time
import zipfile
from datetime import date, datetime
from datetime import time as clock
from typing import Any

import pytest

from alerting.adapters.imports.customer_tables import read_table
from alerting.domain.errors import ActionRefused
from alerting.services.imports.import_customers import import_customers
from tests.support.builders import ROOT
from tests.support.imports.named_accounts import rows as named_accounts
from tests.support.imports.named_accounts import write_sheet
from tests.support.imports.sheets import HEADING, importing, sheet, state
from tests.support.world import World

MIDNIGHT = datetime.fromisoformat("2026-05-31")
"""2026-05-31 00:00 without a time zone, as sheets have days."""


# Three hundred named accounts


def test_a_sales_teams_sheet_of_300_named_accounts_goes_in_as_it_is_in_seconds(
    world: World,
) -> None:
    path = write_sheet(world.folder / "named_accounts.xlsx")
    began = time.perf_counter()
    result = import_customers(world.app.ctx, read_table(str(path)))
    print(f"300 named accounts: {time.perf_counter() - began:.2f} s")
    assert (result.new, result.changed, result.unchanged, result.bad) == (300, 0, 0, [])
    assert [reason for _, reason in result.warnings] == ["looks like a total and is left out"]
    for row in named_accounts():
        found = state(world, f"{row[1]:05}")
        assert found["name"] == row[2]
        revenue = row[3] if isinstance(row[3], int) else float(row[3].split(",")[0]) + 0.5
        assert found["revenue_with_us"] == revenue * 1_000
        assert found["country"] in {"DE", "AT", "CH", "FR", "US"}
        assert found["owner"] in {"owner_north", "owner_west", "lead.central@example.com"}
        ends = row[9] if isinstance(row[9], date) else datetime.strptime(row[9], "%d.%m.%Y").date()  # noqa: DTZ007
        assert found["renewal_date"] == ends.isoformat()
        assert [contact["name"] for contact in found["contacts"]] == [
            name for name in (row[10], row[13]) if name
        ]
    again = import_customers(world.app.ctx, read_table(str(path)))
    assert (again.new, again.changed, again.unchanged) == (0, 0, 300)


def test_the_sample_beside_the_documentation_is_that_sheet(small_world: World) -> None:
    table = read_table(str(ROOT / "docs/samples/named_accounts.xlsx"))
    assert import_customers(small_world.app.ctx, table).new == 300
    assert table.notices[0] == "sheet 'Named Accounts', the heading is row 4"
    assert table.notices[-1] == "ignored Bemerkung"


# Cells


def test_real_numbers_days_and_times_keep_their_types(world: World) -> None:
    heading = [
        *HEADING,
        "revenue_with_us",
        "employees",
        "renewal_date",
        "contact_name",
        "contact_phone",
        "call_from",
        "attributes.seats",
        "attributes.vip",
        "attributes.since",
    ]
    row = [
        1001.0,
        "Acme",
        1234.5,
        12.0,
        MIDNIGHT,
        "Ada",
        49305550199,
        clock(9, 0),
        7,
        True,
        date(2020, 1, 2),
    ]
    assert importing(world, heading, row).bad == []
    assert state(world, "1001") == {
        "name": "Acme",
        "revenue_with_us": 1234.5,
        "employees": 12,
        "renewal_date": "2026-05-31",
        "contacts": [{"name": "Ada", "phone": "49305550199", "call_from": "09:00"}],
        "attributes": {"seats": 7, "vip": True, "since": "2020-01-02"},
    }


@pytest.mark.parametrize(
    ("texts", "taken"),
    [
        (["1.234,50 EUR", "250.000"], [1234.5, 250_000]),
        (["€ 1,234.50", "250,000"], [1234.5, 250_000]),
        (["1.250,- €", "7"], [1250, 7]),
        (["250 T€", "1.2 Mio. EUR"], [250_000, 1_200_000]),
        (["12k", "3"], [12_000, 3]),
    ],
)
def test_amounts_written_as_text_are_read_with_their_units(
    small_world: World, texts: list[str], taken: list[float]
) -> None:
    rows = [[f"C-{number}", text] for number, text in enumerate(texts)]
    assert importing(small_world, ["customer_id", "Umsatz"], *rows).bad == []
    assert [
        state(small_world, f"C-{number}")["revenue_with_us"] for number in range(len(texts))
    ] == taken


@pytest.mark.parametrize(
    ("heading", "cell", "said"),
    [
        ("Umsatz", "1.000,50 USD", "Umsatz (revenue_with_us): is in USD, and kept is EUR"),
        ("Umsatz (T€)", "1.234,50 EUR", "stands in a column of 1000; write the number alone"),
        ("Umsatz", "viele", "Umsatz (revenue_with_us): 'viele' is not a number"),
        (
            "Umsatz",
            True,
            "Umsatz (revenue_with_us): 'true' is not a number; format the cell as one",
        ),
        ("Umsatz", -5, "Umsatz (revenue_with_us): Input should be greater than or equal to 0"),
        ("Mitarbeiter", 1.5, "Mitarbeiter (employees): '1.5' is not a whole number"),
        (
            "Vertragsende",
            46_173,
            "Vertragsende (renewal_date): '46173' is no day; format the column as dates",
        ),
        (
            "Vertragsende",
            "31.02.2026",
            "Vertragsende (renewal_date): '31.02.2026' is no day of the calendar",
        ),
        ("Land", "Atlantis", "Land (country): 'Atlantis' is no ISO 3166 alpha-2 code"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column_and_the_rest_goes_in(
    small_world: World, heading: str, cell: Any, said: str
) -> None:
    ((row, reason),) = importing(
        small_world, ["customer_id", heading], ["A", cell], ["B", None]
    ).bad
    assert (row, said in reason) == (2, True), reason
    assert state(small_world, "B") == {}


def test_a_column_in_another_currency_is_refused_whole(small_world: World) -> None:
    with pytest.raises(
        ActionRefused, match=r"Revenue \(USD\) .*is in USD, and kept is EUR; convert it, or give"
    ):
        importing(small_world, ["customer_id", "Revenue (USD)"], ["A", 1])


def test_error_cells_and_placeholders_are_not_known_and_errors_are_said(world: World) -> None:
    heading = [*HEADING, "Land", "Vertragsende", "Umsatz"]
    result = importing(
        world, heading, ["A", "Ay", "#N/A", "-", "#REF!"], ["B", "Be", "#N/A", "n/a", "k.A."]
    )
    assert (result.new, result.bad) == (2, [])
    assert result.warnings == [
        (2, "Land (country): 2 cells show #N/A, read as not known"),
        (2, "Umsatz (revenue_with_us): 1 cell shows #REF!, read as not known"),
    ]
    assert state(world, "A") == {"name": "Ay"}


def test_formulas_give_their_stored_results_and_those_without_are_said(small_world: World) -> None:
    path = sheet(
        small_world.folder / "f.xlsx",
        [[*HEADING, "Umsatz"], ["A", "Ay", "=1+1"], ["B", "Be", "=2+2"]],
    )
    table = read_table(str(path))
    assert table.notices[-1] == (
        "Umsatz (revenue_with_us): 2 formulas without a stored result (first in C2), read as "
        "empty; "
        "open the file in Excel and save it"
    )
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    reckoned = parts["xl/worksheets/sheet1.xml"].replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")
    assert reckoned != parts["xl/worksheets/sheet1.xml"]
    with zipfile.ZipFile(path, "w") as package:
        for name, content in (parts | {"xl/worksheets/sheet1.xml": reckoned}).items():
            package.writestr(name, content)
    table = read_table(str(path))
    assert "1 formula without a stored result (first in C3)" in table.notices[-1]
    import_customers(small_world.app.ctx, table)
    assert state(small_world, "A")["revenue_with_us"] == 2
