"""Sheets and packed files nobody can read are refused with the remedy."""

import zipfile
from pathlib import Path

import pytest

from tests.support.imports.sheets import refused, sheet


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
