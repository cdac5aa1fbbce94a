"""A sales team's sheet of 300 named accounts, as such sheets are. Every company and person in it is
invented.

`python -m tests.support.imports.named_accounts FILE` writes it; docs/samples/ holds one.
"""

import random
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill

HEADING = (
    "Kd.-Nr.",
    "Kunde",
    "Umsatz 2025 (T€)",
    "Land",
    "Ort",
    "Branche",
    "Mitarbeiter",
    "Betreuer (KAM)",
    "Vertragsende",
    "Ansprechpartner",
    "Telefon",
    "E-Mail",
    "Ansprechpartner 2",
    "Telefon 2",
    "Bemerkung",
)
_FIRST = (
    "Amber",
    "Birch",
    "Cedar",
    "Dune",
    "Elm",
    "Fjord",
    "Glen",
    "Heath",
    "Iris",
    "Juniper",
    "Kelp",
    "Larch",
)
_SECOND = (
    "Invented Works",
    "Sample Mills",
    "Example Foods",
    "Imagined Optics",
    "Made-Up Logistics",
)
_LEGAL = ("GmbH", "AG", "Ltd", "SE", "KG")
_PLACES = (
    ("Deutschland", "Ulm"),
    ("Österreich", "Graz"),
    ("Schweiz", "Chur"),
    ("Frankreich", "Metz"),
    ("USA", "Dover"),
)
_OWNERS = ("Olga Sample", "owner_west", "lead.central@example.com", "Olga Sample")


def rows(count: int = 300) -> list[list[Any]]:
    """The accounts, one a row, below the empty column that such sheets begin with."""
    chance = random.Random(7)
    return [[None, *_account(number, chance)] for number in range(1, count + 1)]


def _account(number: int, chance: random.Random) -> list[Any]:
    name = f"{_FIRST[number % 12]} {_SECOND[number % 5]} {number} {_LEGAL[number % 5]}"
    country, city = chance.choice(_PLACES)
    revenue = chance.randrange(5, 2_500)
    ends = date(2026, 1, 1) + timedelta(days=chance.randrange(700))
    second = (
        [f"Second Contact {number}", 49_305_550_000 + number] if number % 3 == 0 else [None, None]
    )
    return [
        number,
        name,
        f"{revenue},50 T€" if number % 25 == 0 else revenue,
        country,
        city,
        chance.choice(("healthcare", "machinery", "retail")),
        chance.randrange(3, 9_000),
        chance.choice(_OWNERS),
        f"{ends:%d.%m.%Y}" if number % 4 == 0 else ends,
        f"First Contact {number}",
        f"+49 30 555 {number:04}",
        f"contact{number}@example.com",
        *second,
        "call before summer" if number % 40 == 0 else None,
    ]


def write_sheet(path: Path, count: int = 300) -> Path:
    """With titles, empty rows between groups, formats instead of texts, and a total at the end."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Named Accounts"
    sheet["B1"] = "Named accounts (invented)"
    sheet["B1"].font = Font(bold=True, size=16)
    sheet.merge_cells("B1:H1")
    sheet["B2"] = "As of January 2026, internal"
    sheet.append([])
    sheet.append([None, *HEADING])
    for cell in sheet[4]:
        cell.fill = PatternFill("solid", fgColor="DDDDDD")
    for number, row in enumerate(rows(count), 1):
        sheet.append(row)
        sheet.cell(sheet.max_row, 2).number_format = "00000"
        if number % 50 == 0:
            sheet.append([])
            sheet.append([])  # openpyxl leaves a gap where a row has no cells
    sheet.append([None, "Summe", None, 123_456])
    sheet.freeze_panes = "C5"
    workbook.create_sheet("Legend")["A1"] = "KAM: key account manager"
    workbook.save(path)
    return path


if __name__ == "__main__":
    write_sheet(Path(sys.argv[1]))
