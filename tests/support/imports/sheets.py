"""Sheets of customers, written and imported."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from alerting.adapters.imports.customer_tables import read_table
from alerting.database.customers import customers
from alerting.domain.errors import ActionRefused
from alerting.services.imports.import_customers import Imported, import_customers
from tests.support.world import World

HEADING = ["customer_id", "name"]


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
