"""Tables of customers as files: CSV, with a header line."""

import csv
from pathlib import Path

from alerting.domain.errors import ActionRefused
from alerting.services.importing import COLUMNS, Row, unknown_columns


def read_table(path: str) -> tuple[str, list[Row]]:
    """The file's name and rows. Raises ActionRefused for a file that is no such table."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ActionRefused(f"{file.name} is not UTF-8 (byte {error.start}); save it as CSV UTF-8") from error
    lines = text.splitlines(keepends=True)
    if not lines:
        raise ActionRefused(f"{file.name} is empty; its first line names the columns: {', '.join(COLUMNS)}")
    delimiter = ";" if lines[0].count(";") > lines[0].count(",") else ","
    reader = csv.DictReader(lines, delimiter=delimiter)
    columns = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = columns
    if "customer_id" not in columns:
        raise ActionRefused(f"{file.name}:1: there is no column customer_id; known are {', '.join(COLUMNS)}")
    unknown = unknown_columns(columns)
    if unknown:
        raise ActionRefused(
            f"{file.name}:1: unknown columns {', '.join(unknown)}; write attribute.<name> for your own, or leave them out"
        )
    return file.name, [
        Row(line=reader.line_num, cells={k: v for k, v in cells.items() if k and isinstance(v, str)})
        for cells in reader
    ]
