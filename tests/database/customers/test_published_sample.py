"""BG/NBD: the figures published about the CDNOW sample, which pip fetches once."""

from dataclasses import astuple
from pathlib import Path

import pytest

from alerting.adapters.imports.order_files import OrderColumns, read_orders
from alerting.discover.bgnbd import Histories, Parameters, fit, log_likelihood
from alerting.discover.forecast import forecast
from alerting.discover.purchases import Buyer, buyers
from tests.support.customers.purchases import END, PUBLISHED


@pytest.fixture(scope="session")
def sample(cdnow_sample: Path) -> list[Buyer]:
    return buyers(
        read_orders(str(cdnow_sample), OrderColumns(customer="2", date="3", amount="5")).purchases,
        END,
    )


def test_the_sample_has_the_published_parameters_and_likelihood(sample: list[Buyer]) -> None:
    assert len(sample) == 2_357
    found = fit(Histories.of(sample))
    assert found.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert astuple(found.parameters) == pytest.approx(
        astuple(PUBLISHED), abs=0.0006
    )  # as they were rounded
    assert not found.undetermined


def test_the_sample_s_first_customer_has_the_published_history_and_forecast(
    sample: list[Buyer],
) -> None:
    first = sample[0]
    assert (first.customer, first.frequency) == ("0001", 2)
    assert (first.recency, first.age) == pytest.approx((30.43, 38.86), abs=0.005)
    expected = forecast(PUBLISHED, Histories.of([first]), weeks=39).expected_purchases
    assert expected == pytest.approx(
        1.226, abs=0.0005
    )  # Fader, Hardie and Lee: Implementing the BG/NBD Model in Excel


def test_the_parameters_are_the_top_of_the_likelihood(sample: list[Buyer]) -> None:
    every = Histories.of(sample)
    found = fit(every)
    for name in ("r", "alpha", "a", "b"):
        for factor in (0.99, 1.01):
            moved = {**vars(found.parameters), name: getattr(found.parameters, name) * factor}
            assert log_likelihood(Parameters(**moved), every) < found.log_likelihood - 1e-3
