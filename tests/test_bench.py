"""`make bench` is no part of the tests; that its files still fit the product is."""

import importlib

import pytest


@pytest.mark.parametrize(
    "name",
    [
        *("rule_index", "backtest", "importing", "recomputing", "live_join", "sweep", "due_timers", "cdnow"),
        *("report", "hundred_rules", "many_cases", "measuring", "postgres"),
    ],
)
def test_every_bench_still_finds_what_it_measures(name: str) -> None:
    """`conditions` also needs the engines it is compared with, which only `make bench` installs."""
    found = importlib.import_module(f"bench.{name}")
    assert found.__doc__
