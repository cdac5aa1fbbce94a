"""Spreadsheets and Parquet files as sales teams keep them go in as they are."""

import time
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from datetime import time as clock
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from alerting.adapters.imports.customer_tables import read_table
from alerting.database.customers import customers
from alerting.domain.errors import ActionRefused
from alerting.services.imports.import_customers import Imported, import_customers
from alerting.services.imports.import_mapping import ImportMapping
from tests.support.builders import ROOT, unhurried
from tests.support.named_accounts import rows as named_accounts
from tests.support.named_accounts import write_sheet
from tests.support.world import World

HEADING = ["customer_id", "name"]
MIDNIGHT = datetime.fromisoformat("2026-05-31")
"""2026-05-31 00:00 without a time zone, as sheets have days."""


def sheet(
    path: Path, rows: Sequence[Sequence[Any]], arrange: Callable[[Any], Any] = lambda ws: None
) -> Path:
    """An Excel file with one sheet."""
    workbook = Workbook()
    worksheet = workbook.active
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            if value is not None:
                worksheet.cell(number, column, value)
    arrange(worksheet)
    workbook.save(path)
    return path


def importing(
    world: World, *rows: Sequence[Any], arrange: Callable[[Any], Any] = lambda ws: None
) -> Imported:
    return import_customers(
        world.app.ctx, read_table(str(sheet(world.folder / "x.xlsx", rows, arrange)))
    )


def state(world: World, customer: str) -> dict[str, Any]:
    with world.app.ctx.db.read() as tx:
        return dict(customers.customer_now(tx, customer).state)


def refused(path: Path, sheet_name: str | None = None) -> str:
    with pytest.raises(ActionRefused) as error:
        read_table(str(path), sheet=sheet_name)
    return str(error.value)


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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "is an old Excel file (.xls)"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "is protected with a password",
        ),
        (b"PK\x03\x04 and nothing more", "is a broken Excel file"),
    ],
)
def test_a_file_nobody_can_read_is_refused_with_the_remedy(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "x.xlsx").write_bytes(content)
    assert said in refused(tmp_path / "x.xlsx")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("content.xml", "is an OpenDocument sheet; save it as Excel workbook (.xlsx)"),
        ("xl/workbook.bin", "is a binary workbook (.xlsb)"),
        ("readme.txt", "is no spreadsheet, but packed files"),
        ("xl/workbook.xml", "cannot be read as Excel workbook"),
    ],
)
def test_packed_files_of_other_programs_are_named(tmp_path: Path, part: str, said: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as package:
        package.writestr(part, "nothing")
    assert said in refused(tmp_path / "x.xlsx")


def test_a_sheet_without_a_heading_shows_what_it_has(tmp_path: Path) -> None:
    path = sheet(tmp_path / "x.xlsx", [["foo", "bar"], [1, 2]])
    assert "none of the first 40 rows names customers (foo, bar)" in refused(path)


def test_a_heading_below_a_title_is_found_in_csv_too(small_world: World) -> None:
    path = small_world.folder / "x.csv"
    path.write_text("Named accounts 2026;;\n;;\nKd-Nr;Kunde;Umsatz\n1;Ay;1.000\n")
    table = read_table(str(path))
    assert table.notices[0] == "the heading is line 3"
    assert import_customers(small_world.app.ctx, table).new == 1
    assert state(small_world, "1")["revenue_with_us"] == 1_000


# Parquet


def parquet(path: Path, select: str) -> Path:
    duckdb.sql(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def test_parquet_columns_keep_their_types(world: World) -> None:
    select = """SELECT 1001 AS customer_id, 'Acme' AS name, 1234.50::DECIMAL(12, 2) AS revenue_with_us,
        DATE '2026-05-31' AS renewal_date, 12::BIGINT AS employees, true AS "attributes.vip", 0.5 AS "attributes.share"
        UNION ALL SELECT 1002, NULL, NULL, NULL, NULL, NULL, NULL"""  # noqa: E501
    path = parquet(world.folder / "a [1].parquet", select)
    table = read_table(str(path))
    assert table.size == 2
    result = import_customers(world.app.ctx, table)
    assert (result.new, result.bad) == (2, [])
    assert state(world, "1001") == {
        "name": "Acme",
        "revenue_with_us": 1234.5,
        "renewal_date": "2026-05-31",
        "employees": 12,
        "attributes": {"vip": True, "share": 0.5},
    }
    assert import_customers(world.app.ctx, table).unchanged == 2


def test_a_parquet_row_is_named_by_its_number(small_world: World) -> None:
    path = parquet(
        small_world.folder / "a.parquet",
        "SELECT * FROM (VALUES ('A', 5), ('B', -1)) t(customer_id, Umsatz)",
    )
    ((row, reason),) = import_customers(small_world.app.ctx, read_table(str(path))).bad
    assert (row, "greater than or equal to 0" in reason) == (2, True)


# What goes in comes out


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), max_size=20
)
NAMES = TEXTS.map(lambda text: " ".join(text.split())).filter(
    lambda text: text not in {"", "?", "-", "–", "—"} and text[0] not in "#="
)
ACCOUNT = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "revenue_with_us": st.one_of(
            st.integers(0, 10**12), st.floats(0, 10**9).map(lambda number: round(number, 2))
        ),
        "employees": st.integers(0, 10**6),
        "renewal_date": st.dates(date(1990, 1, 1), date(2099, 12, 31)),
        "city": NAMES.filter(
            lambda text: text.casefold() not in {"n/a", "n.a.", "na.", "k.a.", "k. a.", "tbd"}
        ),
    },
)


@pytest.mark.parametrize("kind", ["xlsx", "csv", "parquet"])
def test_what_a_file_says_is_what_is_stored(small_world: World, kind: str) -> None:
    fields = ["customer_id", "name", "revenue_with_us", "employees", "renewal_date", "city"]

    @settings(unhurried, max_examples=25)
    @given(accounts=st.lists(ACCOUNT, min_size=1, max_size=8))
    def stored(accounts: list[dict[str, Any]]) -> None:
        stored.count += 1  # type: ignore[attr-defined]
        rows = [
            [f"{kind}-{stored.count}-{n}", *(one.get(f) for f in fields[1:])]
            for n, one in enumerate(accounts)
        ]  # type: ignore[attr-defined]
        path = written(small_world.folder / f"x.{kind}", kind, fields, rows)
        result = import_customers(small_world.app.ctx, read_table(str(path)))
        assert (result.new, result.bad) == (len(accounts), [])
        for row in rows:
            expected = {
                name: plain(value)
                for name, value in zip(fields[1:], row[1:], strict=True)
                if value is not None
            }
            assert state(small_world, row[0]) == expected
        assert import_customers(small_world.app.ctx, read_table(str(path))).unchanged == len(
            accounts
        )

    stored.count = 0  # type: ignore[attr-defined]
    stored()


def plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def written(path: Path, kind: str, fields: list[str], rows: list[list[Any]]) -> Path:
    if kind == "xlsx":
        return sheet(path, [fields, *rows])
    if kind == "csv":
        lines = [fields, *([_csv(value) for value in row] for row in rows)]
        path.write_text(
            "".join(",".join(line) + "\n" for line in lines), encoding="utf-8", newline=""
        )
        return path
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t (customer_id VARCHAR, name VARCHAR, revenue_with_us DOUBLE, employees "
            "BIGINT, "
            "renewal_date DATE, city VARCHAR)"
        )
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    return path


def _csv(value: Any) -> str:
    """Numbers as one writes them so that they have one reading."""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    if isinstance(value, float):
        return f"{value:.2f}"
    return "" if value is None else str(value)


def test_a_mapping_may_name_the_sheet_and_the_row_of_the_heading(small_world: World) -> None:
    path = sheet(
        small_world.folder / "x.xlsx", [["customer_id", "name"], ["foo", "wer"], ["A", "Ay"]]
    )
    with pytest.raises(ActionRefused, match="unknown columns foo, wer"):
        read_table(str(path), ImportMapping(heading_row=2))
    assert "has no sheet 'Nope'" in refused(path, "Nope")
