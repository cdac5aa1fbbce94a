"""BG/NBD: the likelihood and the forecast against integrals done by somebody else."""

import math
from dataclasses import astuple
from datetime import date, timedelta
from decimal import Decimal

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import dblquad

from alerting.discover.bgnbd import Histories, Parameters, fit, log_likelihood
from alerting.discover.forecast import expected_while_active, forecast, p_alive
from alerting.discover.purchases import Purchase, bought_between, buyers
from alerting.domain.errors import NoEstimate
from tests.support.builders import unhurried
from tests.support.customers.purchases import END, PUBLISHED


def bought(customer: str, *days: str, amount: str = "10") -> list[Purchase]:
    return [
        Purchase(customer=customer, day=date.fromisoformat(day), amount=Decimal(amount))
        for day in days
    ]


def histories(*rows: tuple[float, float, float]) -> Histories:
    x, tx, T = np.array(rows, dtype=float).T
    return Histories(x=x, tx=tx, T=T)


@pytest.mark.parametrize("x", [0, 1, 4])
def test_the_likelihood_is_the_integral_over_rates_and_chances_to_stop(x: int) -> None:
    p, tx, T = Parameters(r=1.4, alpha=4.4, a=1.8, b=2.4), 20.0 if x else 0.0, 38.9

    def given_both(chance: float, rate: float) -> float:
        going = (1 - chance) ** x * rate**x * math.exp(-rate * T)
        stopped = chance * (1 - chance) ** (x - 1) * rate**x * math.exp(-rate * tx) if x else 0.0
        beta = (
            chance ** (p.a - 1)
            * (1 - chance) ** (p.b - 1)
            * math.gamma(p.a + p.b)
            / math.gamma(p.a)
            / math.gamma(p.b)
        )
        gamma = p.alpha**p.r * rate ** (p.r - 1) * math.exp(-rate * p.alpha) / math.gamma(p.r)
        return (going + stopped) * beta * gamma

    whole, _ = dblquad(given_both, 0, 12, 0, 1, epsabs=1e-14, epsrel=1e-9)
    assert log_likelihood(p, histories((x, tx, T))) == pytest.approx(math.log(whole), rel=1e-7)


def exactly(p: Parameters, x: int, T: float, weeks: float) -> float:
    """The paper's formula with its Gaussian hypergeometric function, with as many digits as it
    takes.
    """
    with mpmath.workdps(80):
        r, alpha, a, b, T_, t = (mpmath.mpf(one) for one in (*astuple(p), T, weeks))
        a = a + mpmath.mpf("1e-30") if a == 1 else a
        c = a + b + x - 1
        whole = mpmath.hyp2f1(r + x, b + x, c, t / (alpha + T_ + t))
        return float(c / (a - 1) * (1 - ((alpha + T_) / (alpha + T_ + t)) ** (r + x) * whole))


@pytest.mark.parametrize("x", [0, 1, 30, 2_000])
@pytest.mark.parametrize("T", [0.0, 38.86, 500.0])
@pytest.mark.parametrize(
    "p",
    [
        PUBLISHED,
        Parameters(r=0.01, alpha=0.02, a=0.01, b=0.02),
        Parameters(r=5.0, alpha=1.0, a=1.0, b=3.0),
        Parameters(r=0.5, alpha=300.0, a=0.3, b=0.7003),
        Parameters(r=40.0, alpha=20.0, a=900.0, b=4_000.0),
        Parameters(r=900.0, alpha=3_000.0, a=1e-6, b=1e4),
    ],
    ids=str,
)
def test_what_is_expected_of_the_active_is_the_paper_s_formula_at_any_size(
    p: Parameters, x: int, T: float
) -> None:
    found = expected_while_active(p, np.array([float(x)]), np.array([T]), 39.0)[0]
    assert found == pytest.approx(exactly(p, x, T, 39.0), rel=1e-10)


def test_the_forecast_agrees_with_customers_that_are_simulated() -> None:
    p, T, weeks = Parameters(r=0.8, alpha=5.0, a=0.7, b=2.5), 30.0, 39.0
    random = np.random.default_rng(7)
    rows, later, alive = [], [], []
    for _ in range(60_000):
        times, stopped = simulated(random, p, T + weeks)
        before = [time for time in times if time <= T]
        rows.append((len(before), before[-1] if before else 0.0, T))
        later.append(len(times) - len(before))
        alive.append(stopped is None or stopped > T)
    found = forecast(p, histories(*rows), weeks)
    for chosen in (lambda x: x == 0, lambda x: x == 2, lambda x: x >= 5):
        some = np.array([chosen(row[0]) for row in rows])
        assert found.expected_purchases[some].mean() == pytest.approx(
            np.array(later)[some].mean(), rel=0.05
        )
        assert found.p_alive[some].mean() == pytest.approx(np.array(alive)[some].mean(), abs=0.01)


def simulated(
    random: np.random.Generator, p: Parameters, until: float
) -> tuple[list[float], float | None]:
    """When one customer buys again, and the moment after which they never will, if it comes."""
    rate, chance = random.gamma(p.r) / p.alpha, random.beta(p.a, p.b)
    times: list[float] = []
    while (
        time := (times[-1] if times else 0.0) + random.exponential(1 / max(rate, 1e-12))
    ) <= until:
        times.append(time)
        if random.random() < chance:
            return times, time
    return times, None


sizes = st.floats(-5, 5).map(lambda power: 10**power)


@unhurried
@given(
    p=st.builds(Parameters, r=sizes, alpha=sizes, a=sizes, b=sizes),
    x=st.integers(0, 5_000),
    T=st.floats(0, 5_000),
    share=st.floats(0, 1),
    weeks=st.floats(0.01, 5_200),
)
def test_whatever_the_numbers_are_the_forecast_is_finite_and_between_its_bounds(
    p: Parameters, x: int, T: float, share: float, weeks: float
) -> None:
    one = histories((x, share * T if x else 0.0, T))
    assert math.isfinite(log_likelihood(p, one))
    found = forecast(p, one, weeks)
    never_stopping = (p.r + x) * weeks / (p.alpha + T)
    assert 0 <= found.p_alive[0] <= 1
    assert 0 <= found.expected_purchases[0] <= never_stopping * (1 + 1e-9)
    assert forecast(p, one, weeks * 2).expected_purchases[0] >= found.expected_purchases[0] * (
        1 - 1e-9
    )


def test_nobody_stops_before_a_second_purchase_and_a_long_silence_tells_against_a_frequent_buyer() -> (  # noqa: E501
    None
):
    found = p_alive(PUBLISHED, histories((0, 0, 500), (20, 38, 39), (20, 20, 39), (400, 20, 39)))
    assert found[0] == 1.0
    assert found[1] > 0.9
    assert found[2] < 0.01
    assert 0 <= found[3] < 1e-20


def test_purchases_of_a_day_are_one_and_the_last_day_counts() -> None:
    purchases = bought(
        "A", "1997-01-01", "1997-01-01", "1997-01-08", "1997-09-30", "1997-10-01"
    ) + bought("B", "1997-10-01")
    (only,) = buyers(purchases, END)
    assert (only.customer, only.frequency, only.spent) == ("A", 2, Decimal(40))
    assert (only.recency, only.age) == (272 / 7, 272 / 7)


def test_purchases_after_the_end_are_counted_only_where_the_list_goes_on_long_enough() -> None:
    purchases = bought("A", "1997-09-30", "1997-10-07", "1997-10-07", "1997-10-08") + bought(
        "B", "1997-10-05", "1997-10-31"
    )
    assert bought_between(purchases, ["A"], END, 1) == 1
    assert bought_between(purchases, ["A"], END, 4) == 2
    assert bought_between(purchases, ["A"], END, 39) is None


def test_without_a_repeat_buyer_nothing_is_estimated() -> None:
    with pytest.raises(NoEstimate, match="nobody bought a second time"):
        fit(Histories.of(buyers(bought("A", "1997-01-01") + bought("B", "1997-02-01"), END)))
    with pytest.raises(NoEstimate, match="no customer"):
        fit(Histories.of([]))


def test_customers_who_are_all_alike_leave_the_parameters_open_and_the_forecast_sound() -> None:
    weekly = [str(date(1997, 1, 1) + timedelta(weeks=n)) for n in range(39)]
    every = Histories.of(buyers([p for n in range(50) for p in bought(f"C{n}", *weekly)], END))
    found = fit(every)
    assert {"r", "a"} & set(found.undetermined)
    expected = forecast(found.parameters, every, 10).expected_purchases
    assert expected == pytest.approx(
        np.full(50, 38 / every.T[0] * 10), rel=0.02
    )  # once a week, as before


def test_parameters_are_found_again_in_what_they_made() -> None:
    true, random = Parameters(r=0.9, alpha=6.0, a=0.9, b=3.0), np.random.default_rng(3)
    rows = []
    for _ in range(8_000):
        T = random.uniform(20, 60)
        times, _ = simulated(random, true, T)
        rows.append((len(times), times[-1] if times else 0.0, T))
    assert astuple(fit(histories(*rows)).parameters) == pytest.approx(astuple(true), rel=0.2)
