"""Segments: exactly one at any moment, and missing data never makes a customer look worse."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.conditions import Type
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.customers.customers import Customer
from alerting.domain.customers.segments import UNVERIFIED, Membership, Segment, segment_of
from alerting.domain.customers.vocabulary import Vocabulary
from tests.support.builders import STRANGER, customer, rulebook, unhurried

STARTER = rulebook().segments


SCOPE = Vocabulary(signals={"calls_in_vain": Type.BIGINT}).for_segments()


def segment_in(who: Customer, signals: dict[str, int], segments: tuple[Segment, ...]) -> Membership:
    facts = {f"customer.{name}": value for name, value in who.fields().items()}
    return segment_of(
        who, {**facts, **{f"signal.{name}": value for name, value in signals.items()}}, segments
    )


def when(id_: str, sql: str) -> Segment:
    return Segment(id=id_, rank=None, title=id_, when=compile_condition(sql, SCOPE))


OTHERWISE = Segment(id="rest", rank=0, title="rest", otherwise=True)


LISTED = Segment(id="listed", rank=9, title="listed", members=frozenset({"ACME", "NEVER-HEARD-OF"}))


@pytest.mark.parametrize(
    ("key", "state", "segment"),
    [
        ("ACME-AERO", {"revenue_with_us": 1}, "key"),  # the list stands first
        ("ACME-AERO", {}, "key"),
        ("OTHER", {"revenue_with_us": 250_000}, "high_potential"),
        ("OTHER", {"revenue_with_us": 249_999.99}, "low_potential"),
        ("OTHER", {"revenue_with_us": 0}, "low_potential"),
        ("OTHER", {}, "unverified"),
    ],
)
def test_the_starter_segments(key: str, state: dict[str, Any], segment: str) -> None:
    assert segment_in(customer(key, **state), {}, STARTER).segment == segment


def test_a_customer_nobody_has_told_us_about_is_unverified_unless_listed() -> None:
    assert segment_in(STRANGER, {}, STARTER).segment == UNVERIFIED
    assert segment_in(STRANGER, {}, (OTHERWISE,)).segment == UNVERIFIED
    assert (
        segment_in(STRANGER, {}, (when("small", "employees IS NULL"), OTHERWISE)).segment
        == UNVERIFIED
    )
    assert segment_in(STRANGER, {}, (OTHERWISE, LISTED)).segment == "listed"
    assert "know nothing" in segment_in(STRANGER, {}, (OTHERWISE,)).why


def test_the_first_that_matches_wins_and_says_why() -> None:
    segments = (when("big", "employees >= 10"), when("bigger", "employees >= 100"), OTHERWISE)
    found = segment_in(customer(employees=1_000), {}, segments)
    assert (found.segment, found.why) == ("big", "employees >= 10")


def test_who_reaches_otherwise_past_an_unknown_condition_is_unverified() -> None:
    segments = (when("big", "employees >= 10"), OTHERWISE)
    assert segment_in(customer(employees=1), {}, segments).segment == "rest"
    found = segment_in(customer(), {}, segments)
    assert found.segment == UNVERIFIED
    assert "whether big" in found.why


def test_a_later_condition_that_is_true_still_counts_after_an_unknown_one() -> None:
    segments = (when("big", "employees >= 10"), when("german", "country = 'DE'"), OTHERWISE)
    assert segment_in(customer(country="DE"), {}, segments).segment == "german"
    assert segment_in(customer(country="FR"), {}, segments).segment == UNVERIFIED


def test_signals_may_decide() -> None:
    segments = (when("annoyed", "calls_in_vain >= 3"), OTHERWISE)
    assert segment_in(customer(), {"calls_in_vain": 3}, segments).segment == "annoyed"
    assert segment_in(customer(), {"calls_in_vain": 2}, segments).segment == "rest"


def test_without_a_fitting_segment_a_customer_is_unverified() -> None:
    found = segment_in(customer(employees=1), {}, (when("big", "employees >= 10"),))
    assert (found.segment, found.why) == (UNVERIFIED, "no segment fits")


KNOWN = st.fixed_dictionaries(
    {}, optional={"employees": st.integers(0, 20), "country": st.sampled_from(["DE", "FR"])}
)


@unhurried
@given(state=KNOWN, hidden=st.sets(st.sampled_from(["employees", "country"])))
def test_taking_facts_away_never_moves_a_customer_to_the_rest(
    state: dict[str, Any], hidden: set[str]
) -> None:
    segments = (when("big", "employees >= 10"), when("german", "country = 'DE'"), OTHERWISE)
    whole = Customer(key="X", known=True, state=state)
    less = Customer(key="X", known=True, state={k: v for k, v in state.items() if k not in hidden})
    if segment_in(whole, {}, segments).segment != "rest":
        assert segment_in(less, {}, segments).segment != "rest"
