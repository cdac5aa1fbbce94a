"""Files of orders: bad rows, files of which nothing can be said, ends and horizons."""

from pathlib import Path

import pytest

from tests.support.customers.orders import ROWS, compact, frequencies, text, values
from tests.support.installation import Run

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
