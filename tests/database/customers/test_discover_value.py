"""`alerting segments value` on files as people have them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.customers.orders import ROWS, compact, frequencies, text, values
from tests.support.installation import Run

EXPECTED = {"00001": 0, "00002": 0, "00003": 2, "00004": 2, "00005": 1, "00006": 0}


def stamped(end: str, between: str = "T") -> Any:
    return [(customer, f"{day}{between}23:30:00{end}", amount) for customer, day, amount in ROWS]


def german() -> Any:
    return [
        (customer, day, f"{float(amount):,.2f}".translate(str.maketrans(",.", ".,")))
        for customer, day, amount in ROWS
    ]


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
