"""Lists of customers as people keep them."""

import io

import pytest
from openpyxl import Workbook

from alerting.adapters.imports.member_lists import read_members
from alerting.domain.errors import ActionRefused


def workbook(*rows: list[object]) -> bytes:
    book, kept = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        ("customer_id\nA\nB\nA\n", ["A", "B"]),
        ("Name;Kundennummer;Umsatz\nWerk;A-1;12,5\nBau;B-2;3\n", ["A-1", "B-2"]),
        ("﻿customer_id,name\nA,x\n,y\nB,z\n", ["A", "B"]),
        (
            workbook(
                ["Key accounts 2026"], [], ["Customer ID", "Name"], [4711, "Werk"], ["B-2", "Bau"]
            ),
            ["4711", "B-2"],
        ),
    ],
)
def test_lists_are_read_as_people_keep_them(content: str | bytes, ids: list[str]) -> None:
    raw = content.encode() if isinstance(content, str) else content
    assert list(read_members("list", raw).ids) == ids


def test_ids_that_mean_something_to_a_spreadsheet_stay_text() -> None:
    with pytest.raises(ActionRefused, match="customer_id"):
        read_members("list.csv", b"1\n2\n")
