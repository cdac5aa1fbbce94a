"""Files of orders for `alerting segments value`."""

import json
from pathlib import Path
from typing import Any

from tests.support.installation import Done, Run

ROWS = [
    ("00001", "1997-01-01", "11.77"),
    ("00002", "1997-01-12", "12.00"),
    ("00002", "1997-01-12", "77.00"),
    ("00003", "1997-01-02", "20.76"),
    ("00003", "1997-03-30", "20.76"),
    ("00003", "1997-04-02", "19.54"),
    ("00004", "1997-01-01", "29.33"),
    ("00004", "1997-01-18", "1029.73"),
    ("00004", "1997-08-02", "14.96"),
    ("00005", "1997-02-01", "0.00"),
    ("00005", "1997-02-11", "6.79"),
    ("00006", "1997-05-01", "5.50"),
    ("00007", "1998-01-01", "8.00"),
]
"""Six customers up to the end of September 1997, and one who came later."""


def text(heading: str | None, separator: str = ",", rows: Any = ROWS) -> str:
    return "".join(
        f"{line}\n"
        for line in [*([heading] if heading else []), *(separator.join(row) for row in rows)]
    )


def compact(rows: Any = ROWS) -> Any:
    return [(customer, day.replace("-", ""), amount) for customer, day, amount in rows]


def values(
    run: Run,
    file: str | Path,
    *columns: str,
    end: str = "1997-09-30",
    more: tuple[str, ...] = ("--json",),
) -> Done:
    names = columns or ("customer", "date", "amount")
    named = [
        word
        for pair in zip(("--customer", "--date", "--amount"), names, strict=True)
        for word in pair
    ]
    return run("segments", "value", "--orders", str(file), *named, "--train-end", end, *more)


def frequencies(done: Done) -> dict[str, int]:
    assert done.returncode == 0, done.stderr
    return {one["customer"]: one["frequency"] for one in json.loads(done.stdout)["customers"]}
