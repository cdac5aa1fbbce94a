"""Lists of customers as people keep them: a column of ids in a CSV file or a workbook, whatever
else stands beside it.
"""

import tempfile
from pathlib import Path

from alerting.adapters.imports.customer_tables import read_table
from alerting.domain.errors import ActionRefused
from alerting.services.imports.cell_values import as_text
from alerting.services.imports.customer_table import ManySheets, NoColumns, Table
from alerting.services.imports.import_mapping import ImportMapping
from alerting.services.rulebook.list_changes import Members

_ONLY_IDS = ImportMapping(fixed={"member": "yes"})
"""A list of customers needs no second column."""

MOST_NAMED = 5


def _table(path: Path) -> Table:
    """What the import says of its options is no help here."""
    try:
        return read_table(str(path), _ONLY_IDS)
    except ManySheets as error:
        raise ActionRefused(
            f"{path.name} has customers on several sheets; keep the one with the list"
        ) from error
    except NoColumns as error:
        raise _no_ids(path.name) from error


def _no_ids(name: str) -> ActionRefused:
    return ActionRefused(f"{name} has no column of customer ids; head it customer_id")


def read_members(name: str, raw: bytes) -> Members:
    """The ids in a file; each once, in their order. Raises ActionRefused, with the remedy, for one
    without ids.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(name).name or "list")
        path.write_bytes(raw)
        table = _table(path)
        place = table.place_of("customer_id")
        if place is None:
            raise _no_ids(path.name)
        found: dict[str, int] = {}
        unreadable, notices = [], list(table.notices)
        for row in table.rows():
            cell = None if row.problem else row.cells[place]
            key = "" if cell is None else as_text(cell).strip()
            if key:
                found.setdefault(key, row.line)
            else:
                unreadable.append(str(row.line))
    if unreadable:
        more = f" and {len(unreadable) - MOST_NAMED} more" if len(unreadable) > MOST_NAMED else ""
        notices.append(f"no customer id in line {', '.join(unreadable[:MOST_NAMED])}{more}")
    return Members(ids=list(found), notices=notices)
