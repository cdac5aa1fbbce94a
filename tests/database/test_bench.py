"""`make bench` is no part of the tests; that its files still fit the product is."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from alerting.services.reports import report as product
from alerting.services.reports.report_lines import as_json
from bench import report
from bench.backtest import installation


@pytest.mark.parametrize(
    "name",
    [
        *(
            "rule_index",
            "backtest",
            "importing",
            "recomputing",
            "live_join",
            "sweep",
            "due_timers",
            "cdnow",
        ),
        *("report", "hundred_rules", "many_cases", "measuring", "postgres"),
    ],
)
def test_every_bench_still_finds_what_it_measures(name: str) -> None:
    """`conditions` also needs the engines it is compared with, which only `make bench` installs."""
    found = importlib.import_module(f"bench.{name}")
    assert found.__doc__


def test_what_the_report_is_measured_on_is_what_the_product_writes(
    tmp_path: Path, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are written by SQL of its own, which a new column would break."""
    monkeypatch.setattr(report, "CASES", 40)
    app = installation(tmp_path, new_database())
    with app.ctx.db.write() as tx:
        report.fill(tx)
    found = as_json(product.report(app.ctx))
    app.close()
    assert (found["cases"], found["population"]["measured"]) == (40, 120)
