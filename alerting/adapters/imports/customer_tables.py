"""Tables of customers as files: CSV, Excel and Parquet, told apart by how they begin, whatever they
are called.
"""

from pathlib import Path

from alerting.adapters.imports import csv_customers, parquet_customers
from alerting.domain.errors import ActionRefused
from alerting.services.imports.customer_table import Table
from alerting.services.imports.import_mapping import NO_MAPPING, ImportMapping

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MANY = 1 << 20


def read_table(path: str, mapping: ImportMapping = NO_MAPPING, sheet: str | None = None) -> Table:
    """A file's customers; its rows are read when they are asked for.

    Raises ActionRefused, with the remedy, for a file that is no such table.
    """
    file = Path(path)
    name = "".join(ch if ch.isprintable() else "_" for ch in file.name)
    with file.open("rb") as opened:
        begin = opened.read(8)
    sheet = sheet or mapping.sheet
    if begin.startswith(b"PK\x03\x04"):
        from alerting.adapters.imports import (
            sheet_customers,
        )  # openpyxl takes as long to load as all of ours

        return sheet_customers.read_sheet(file, name, mapping, sheet)
    _refuse_foreign(file, name, begin)
    if sheet is not None:
        raise ActionRefused(f"{name} is no Excel file and has no sheets; leave --sheet out")
    if begin.startswith(b"PAR1"):
        return parquet_customers.read_parquet(file, name, mapping)
    return csv_customers.read_csv(file, name, mapping)


def _refuse_foreign(file: Path, name: str, begin: bytes) -> None:
    if begin.startswith(b"\xd0\xcf\x11\xe0"):
        with file.open("rb") as opened:
            encrypted = _ENCRYPTED in opened.read(_MANY) + _end(file)
        if encrypted:
            raise ActionRefused(
                f"{name} is protected with a password; open it in Excel, take the password away "
                "(File > Info > Protect Workbook > Encrypt with Password) and save it"
            )
        raise ActionRefused(
            f"{name} is an old Excel file (.xls); open it and save it as Excel workbook (.xlsx)"
        )
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ActionRefused(f"{name} is UTF-16; save it as CSV UTF-8")


def _end(file: Path) -> bytes:
    """Where the directory of such a file may stand as well."""
    with file.open("rb") as opened:
        opened.seek(max(file.stat().st_size - _MANY, 0))
        return opened.read(_MANY)
