"""Groups of customers, and conditions that put every customer where the groups do."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alerting.discover.found_segments import find_segments, place, sql_name
from alerting.discover.group_conditions import nearest_centre, written
from alerting.discover.groups import Numbers, find_groups
from alerting.discover.subjects import CustomerFacts, FactTable
from alerting.domain.conditions import Type
from alerting.domain.customers.vocabulary import Vocabulary
from alerting.domain.errors import ActionRefused, NoEstimate
from tests.support.builders import unhurried


def subjects(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> FactTable:
    every = [
        CustomerFacts(customer=f"C{n}", facts=dict(zip(names, row, strict=True)))
        for n, row in enumerate(rows)
    ]
    return FactTable(every=every, kinds=dict.fromkeys(names, Type.NUMBER))


def scope(names: Sequence[str]) -> Any:
    return Vocabulary(attributes=dict.fromkeys(names, Type.NUMBER)).for_segments()


def distances(values: Numbers, grouping: Any) -> Numbers:
    """From each customer to each centre, in standard deviations."""
    apart = (
        grouping.scales.bent(values)[:, None, :] - grouping.centres[None, :, :]
    ) / grouping.scales.deviation
    return np.asarray((apart**2).sum(axis=2))


numbers = st.one_of(st.integers(-1_000, 1_000_000), st.decimals(-1_000, 1_000, places=2))


@unhurried
@given(
    rows=st.integers(1, 4).flatmap(
        lambda width: st.lists(st.tuples(*[numbers] * width), min_size=4, max_size=60)
    ),
    groups=st.integers(2, 8),
)
def test_conditions_put_every_customer_where_k_means_does_but_for_those_exactly_between(
    rows: list[tuple[int | Decimal, ...]], groups: int
) -> None:
    values = np.array([[float(cell) for cell in row] for row in rows])
    names = ["one", "two", "three", "four"][: values.shape[1]]
    assume(
        (np.ptp(values, axis=0) > 0).all() and len(np.unique(values, axis=0)) >= groups < len(rows)
    )
    grouping = find_groups(values, names, (), groups)
    assert grouping.count == groups
    placed = place(
        nearest_centre(names, grouping, 17), subjects(rows, names).complete, scope(names)
    )
    away = distances(values, grouping)
    at = np.arange(len(rows))
    assert away[at, placed] == pytest.approx(away.min(axis=1), rel=1e-9, abs=1e-9)
    assert away[at, grouping.labels] == pytest.approx(away.min(axis=1), rel=1e-9, abs=1e-9)


def test_numbers_in_conditions_are_as_short_as_they_may_be() -> None:
    rows = [(value,) for value in (100, 110, 120, 900_000, 910_000, 1_000_000)]
    found = find_segments(subjects(rows, ["revenue"]))
    assert [group.when for group in found.groups] == ["revenue >= 470000", None]
    close = [(value,) for value in (1_000_000, 1_000_001, 1_000_006, 1_000_007)]
    assert (
        find_segments(subjects(close, ["revenue"]), groups=2).groups[0].when
        == "revenue >= 1000003.5"
    )


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234.5, 2, "1200"),
        (0.00012345, 3, "0.000123"),
        (9.0, 2, "9"),
        (-0.5, 1, "-0.5"),
        (1e20, 2, "1" + "0" * 20),
        (0.0, 3, "0"),
    ],
)
def test_numbers_are_written_without_exponents(value: float, digits: int, text: str) -> None:
    assert written(value, digits) == text


def test_a_logarithm_of_one_attribute_still_gives_exact_conditions() -> None:
    rows = [(value,) for value in (0, 1, 2, 3, 100, 110, 130, 90_000, 100_000, 5_000_000)]
    found = find_segments(subjects(rows, ["revenue"]), logged=["revenue"], groups=3)
    assert (found.agreement, [group.size for group in found.groups]) == (1.0, [3, 3, 4])


@pytest.mark.parametrize(
    "name", ["order", "group", "late-payments", "select", "case", "length", "user"]
)
def test_an_attribute_whose_name_means_something_in_sql_can_be_grouped_by(name: str) -> None:
    rows = [(1,), (2,), (900,), (901,)]
    found = find_segments(subjects(rows, [name]), groups=2)
    assert [group.size for group in found.groups] == [2, 2]
    assert sql_name(name, scope([name])) in found.unverified_when


def test_the_same_customers_give_the_same_groups_in_any_order() -> None:
    random = np.random.default_rng(4)
    rows = [
        tuple(row)
        for row in (random.standard_normal((80, 2)) + random.integers(0, 3, 80)[:, None] * 9)
        .round(3)
        .tolist()
    ]
    rows = [tuple(Decimal(str(cell)) for cell in row) for row in rows]
    one = find_segments(subjects(rows, ["x", "y"]))
    again = find_segments(subjects(rows, ["x", "y"]))
    assert one == again
    turned = find_segments(subjects(rows[::-1], ["x", "y"]))
    assert [group.size for group in turned.groups] == [group.size for group in one.groups] and len(
        one.groups
    ) == 3


def test_conditions_that_would_be_too_long_are_refused_before_anything_is_printed() -> None:
    random = np.random.default_rng(2)
    names = [f"attribute_with_a_long_name_{n}" for n in range(30)]
    rows = [
        tuple(Decimal(str(round(cell, 4))) for cell in row)
        for row in random.standard_normal((200, 30)).tolist()
    ]
    with pytest.raises(ActionRefused, match="more than 4000 characters"):
        find_segments(subjects(rows, names), groups=8)


def test_a_small_group_has_a_say_where_silhouettes_are_sampled() -> None:
    values = np.concatenate([np.linspace(0, 1, 6_000), [1e6, 1e6 + 1]])[:, None]
    grouping = find_groups(values, ["x"])
    assert (grouping.labels == 0).sum() == 2
    assert 5_000 <= grouping.sampled < 5_100
    assert all(-1 <= one <= 1 for one in grouping.silhouettes.values())


def test_nothing_to_group_is_said() -> None:
    with pytest.raises(NoEstimate, match="no customer"):
        find_segments(subjects([], ["x"]))
