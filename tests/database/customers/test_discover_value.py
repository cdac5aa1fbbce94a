"""`alerting segments value` on files as people have them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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

EXPECTED = {"00001": 0, "00002": 0, "00003": 2, "00004": 2, "00005": 1, "00006": 0}


def text(heading: str | None, separator: str = ",", rows: Any = ROWS) -> str:
    return "".join(
        f"{line}\n"
        for line in [*([heading] if heading else []), *(separator.join(row) for row in rows)]
    )


def compact(rows: Any = ROWS) -> Any:
    return [(customer, day.replace("-", ""), amount) for customer, day, amount in rows]


def stamped(end: str, between: str = "T") -> Any:
    return [(customer, f"{day}{between}23:30:00{end}", amount) for customer, day, amount in ROWS]


def german() -> Any:
    return [
        (customer, day, f"{float(amount):,.2f}".translate(str.maketrans(",.", ".,")))
        for customer, day, amount in ROWS
    ]


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


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (text("customer,date,amount"), ("customer", "date", "amount")),
        (text("customer,date,amount"), ("Customer", "2", "3")),
        (text("customer,date,amount"), ("1", "2", "3")),
        (text("customer,date,amount").replace("\n", "\r\n"), ("customer", "date", "amount")),
        ("\ufeff" + text("Customer ID,Date,Amount (USD)"), ("customer id", "Date", "amount (usd)")),
        (
            text(
                '"customer","date","amount"', ",", [[f'"{cell}"' for cell in row] for row in ROWS]
            ),
            (),
        ),
        (text('note,"customer",date,amount', ",", [['"a, b\nc"', *row] for row in ROWS]), ()),
        (text("customer;date;amount", ";", german()), ()),
        (text("customer\tdate\tamount", "\t"), ()),
        (text("customer|date|amount", "|"), ()),
        (text("customer, date, amount", ", "), ()),
        (text(None), ("1", "2", "3")),
        (text(None, " ", compact()), ("1", "2", "3")),
        (text(None, "   ", [["", "x", *row] for row in compact()]), ("2", "3", "4")),
        (text(" customer  date  amount", "  ", compact()), ()),
        (text('"customer" "date" "amount"', " ", [[f'"{row[0]}"', *row[1:]] for row in ROWS]), ()),
        (text("customer,date,amount", ",", stamped("Z")), ()),
        (text("customer,date,amount", ",", stamped("-05:00")), ()),
        (text("customer,date,amount", ",", stamped(".123456+00", " ")), ()),
        (text("customer,date,amount", ",", stamped(" UTC", " ")), ()),
        (text(None, ",", stamped("", " ")), ("1", "2", "3")),
        (text("amount,x,date,customer", ",", [[row[2], "", row[1], row[0]] for row in ROWS]), ()),
        (text("customer,date,amount") + "\n\n", ()),
    ],
)
def test_the_same_orders_written_in_any_way_are_the_same_orders(
    alerting: Run, tmp_path: Path, content: str, columns: tuple[str, ...]
) -> None:
    (tmp_path / "orders").write_bytes(content.encode())
    done = values(alerting, "orders", *columns)
    assert frequencies(done) == EXPECTED
    said = done.stderr.replace("orders:1: taken as the heading\n", "")
    assert said.startswith("left out: 1 customer who first bought after 1997-09-30\n")


def test_json_has_the_promised_form(alerting: Run, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(text("customer,date,amount"))
    found = json.loads(values(alerting, "orders.csv").stdout)
    assert list(found) == ["parameters", "log_likelihood", "unit", "customers"]
    assert list(found["parameters"]) == ["r", "alpha", "a", "b"]
    assert found["unit"] == "weeks"
    third = next(one for one in found["customers"] if one["customer"] == "00003")
    assert list(third) == ["customer", "frequency", "recency", "T", "expected_purchases", "p_alive"]
    assert (third["recency"], third["T"]) == (90 / 7, 271 / 7)
    assert 0 < third["p_alive"] < 1


def test_a_longer_horizon_expects_more(alerting: Run, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(text("customer,date,amount"))
    sums = [
        sum(
            c["expected_purchases"]
            for c in json.loads(values(alerting, "orders.csv", more=more).stdout)["customers"]
        )
        for more in (
            ("--json", "--horizon", "1"),
            ("--json",),
            ("--json", "--horizon", "39"),
            ("--json", "--horizon", "104"),
        )
    ]
    assert sums[0] < sums[1] == sums[2] < sums[3]


def test_a_period_that_ends_long_after_the_last_purchase_is_pointed_out(
    alerting: Run, tmp_path: Path
) -> None:
    (tmp_path / "orders.csv").write_text(text("customer,date,amount"))
    late = values(alerting, "orders.csv", end="1999-01-01")
    assert late.returncode == 0
    assert (
        "warning: the last purchase is of 1998-01-01; all the time to 1999-01-01 counts as silence"
        in late.stderr
    )
    assert "silence" not in values(alerting, "orders.csv", end="1998-01-20").stderr


BAD = """customer,date,amount
A,1997-01-01,10
A,1997-02-01,ten
,1997-02-01,10
A,1997-02-30,10
A,02/03/1997,10
A,1997-03-01
A,1997-03-02,10,00
"A,1997-03-03,10
A,1997-03-04,-10
A,1997-03-05,0
B,1997-01-01,
C,1997-05-05,5
C,1997-06-05,5
"""


def test_each_bad_row_is_named_with_its_line_and_the_rest_counts(
    alerting: Run, tmp_path: Path
) -> None:
    (tmp_path / "orders.csv").write_text(BAD)
    done = values(alerting, "orders.csv")
    assert frequencies(done) == {"A": 1, "C": 1}
    lines = done.stderr.splitlines()
    assert [line.partition(": ")[0] for line in lines[:8]] == [
        f"orders.csv:{n}" for n in (3, 4, 5, 6, 7, 8, 9, 12)
    ]
    for line, words in zip(
        lines,
        [
            "amount: 'ten'",
            "customer: is empty",
            "date: '1997-02-30' is not a date",
            "write 1997-01-31",
            "2 cells",
            "4 cells",
            "not closed",
            "amount: ''",
            "left out: 8 bad rows",
            "left out: 1 row with a negative amount",
        ],
        strict=False,
    ):
        assert words in line


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        (
            "customer,date,amount\n",
            (),
            "orders.csv has no purchase up to 1997-09-30; no row can be read",
        ),
        ("", (), "orders.csv is empty"),
        (
            text("customer,date,amount"),
            ("custmer", "date", "amount"),
            "no column 'custmer'; did you mean 'customer'?",
        ),
        (
            text("customer,date,amount"),
            ("custmer", "date", "amount"),
            "the columns are: 1 customer, 2 date, 3 amount",
        ),
        (
            text("customer,date,amount"),
            ("1", "2", "4"),
            "there is no column 4; they are counted from 1 to 3",
        ),
        (text("customer,date,amount"), ("0", "2", "3"), "there is no column 0"),
        (text(None, " ", compact()), ("customer", "2", "3"), "there is no column 'customer'"),
        (text("customer,customer,date,amount"), (), "several columns 'customer'; give its number"),
        (
            text("customer,date,amount"),
            ("1", "3", "2"),
            "no row can be read by its columns 1, 3, 2",
        ),
        (text("customer,date,amount", ",", ROWS[:2]), (), "nobody bought a second time"),
        (
            text("customer,date,amount", ",", ROWS[-1:]),
            (),
            "they lie between 1998-01-01 and 1998-01-01",
        ),
        ("PK\x03\x04", (), "is a spreadsheet"),
    ],
)
def test_a_file_of_which_nothing_can_be_said_is_refused_in_plain_words(
    alerting: Run, tmp_path: Path, content: str, columns: tuple[str, ...], message: str
) -> None:
    (tmp_path / "orders.csv").write_text(content)
    done = values(alerting, "orders.csv", *columns)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr


@pytest.mark.parametrize("end", ["30/9/1997", "soon", "1997-02-30", ""])
def test_an_end_that_is_no_day_is_refused(alerting: Run, tmp_path: Path, end: str) -> None:
    (tmp_path / "orders.csv").write_text(text("customer,date,amount"))
    done = values(alerting, "orders.csv", end=end)
    assert done.returncode == 2
    assert "is not a date; write 1997-01-31" in done.stderr


@pytest.mark.parametrize("weeks", ["0", "-1", "nan", "inf", "1e9", "many"])
def test_a_horizon_that_is_no_number_of_weeks_is_refused(
    alerting: Run, tmp_path: Path, weeks: str
) -> None:
    (tmp_path / "orders.csv").write_text(text("customer,date,amount"))
    done = values(alerting, "orders.csv", more=("--json", "--horizon", weeks))
    assert done.returncode == 2
    assert "no number of weeks" in done.stderr


def test_people_read_parameters_bands_the_best_and_what_came_of_it(
    alerting: Run, cdnow_sample: Path
) -> None:
    done = values(alerting, cdnow_sample, "2", "3", "5", more=())
    assert done.returncode == 0
    assert done.stderr == ""
    for words in (
        "2357 customers up to 1997-09-30, 946 of them bought again: 2457 repeat purchases.",
        "r 0.2426, alpha 4.414, a 0.7929, b 2.426; log likelihood -9582.4",
        "Expected in 39 weeks, customers by band:",
        "The file itself shows 1882 purchases of these customers in those 39 weeks.",
    ):
        assert words in done.stdout
    assert any(line.split()[:2] == ["1516", "26"] for line in done.stdout.splitlines())


def test_the_whole_of_cdnow_can_be_valued(alerting: Run, cdnow_master: Path) -> None:
    done = values(alerting, cdnow_master, "customer_id", "date", "dollar_value")
    found = json.loads(done.stdout)
    assert len(found["customers"]) == 23_570
    assert found["log_likelihood"] == pytest.approx(-95_368.44, abs=0.01)
    assert sum(one["expected_purchases"] for one in found["customers"]) == pytest.approx(
        16_873.7, abs=0.5
    )


def test_without_the_extra_the_rest_works_and_this_says_what_to_install(installation: Path) -> None:
    """An environment without scipy: its place is taken by a module that is not found."""
    (installation / "scipy.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'scipy'\", name='scipy')\n"
    )
    (installation / "orders.csv").write_text(text("customer,date,amount"))
    columns = ["--customer", "1", "--date", "2", "--amount", "3"]
    arguments = [
        "segments",
        "value",
        "--orders",
        "orders.csv",
        *columns,
        "--train-end",
        "1997-09-30",
    ]
    script = (
        f"import sys; sys.path.insert(0, '.'); from alerting.cli import main; main({arguments!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=installation, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "error: this needs scipy; install it: pip install 'alerting[discover]'\n"


def test_the_command_line_starts_without_loading_what_only_the_extra_needs() -> None:
    script = "import sys, alerting.cli; print({'numpy', 'scipy', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
