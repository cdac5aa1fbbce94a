"""Customers: dated changes add up to the same states, whichever of them arrives first."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from alerting.domain.customers.customers import Customer, apply_change
from tests.support.builders import STRANGER, customer


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ({}, {"name": "Acme"}, {"name": "Acme"}),
        ({"name": "Acme", "owner": "ann"}, {"owner": "ben"}, {"name": "Acme", "owner": "ben"}),
        ({"name": "Acme", "owner": "ann"}, {"owner": None}, {"name": "Acme"}),
        ({"name": "Acme"}, {"owner": None}, {"name": "Acme"}),
        ({"name": "Acme"}, {}, {"name": "Acme"}),
        ({"employees": 5}, {"employees": 0}, {"employees": 0}),
        (
            {"contacts": [{"name": "Ada"}]},
            {"contacts": [{"name": "Bea"}]},
            {"contacts": [{"name": "Bea"}]},
        ),
        ({"contacts": [{"name": "Ada"}]}, {"contacts": []}, {"contacts": []}),
        (
            {"attributes": {"a": 1, "b": 2}},
            {"attributes": {"b": 3}},
            {"attributes": {"a": 1, "b": 3}},
        ),
        ({"attributes": {"a": 1, "b": 2}}, {"attributes": {"b": None}}, {"attributes": {"a": 1}}),
        ({"attributes": {"a": 1}}, {"attributes": {}}, {"attributes": {"a": 1}}),
        ({"attributes": {"a": 1}, "name": "Acme"}, {"attributes": None}, {"name": "Acme"}),
        ({}, {"contract": {"sla": "gold"}}, {"contract": {"sla": "gold"}}),
        (
            {"contract": {"sla": "gold"}},
            {"contract": {"sla": {"call": "2h"}}},
            {"contract": {"sla": {"call": "2h"}}},
        ),
    ],
)
def test_what_is_given_replaces_null_clears_and_the_rest_stays(
    before: dict[str, Any], change: dict[str, Any], after: dict[str, Any]
) -> None:
    untouched = repr(before)
    assert apply_change(before, change) == after
    assert repr(before) == untouched


def test_conditions_see_fractions_as_decimals_and_days_as_days() -> None:
    fields = customer(revenue_with_us=1240000.5, renewal_date="2026-05-31", employees=12).fields()
    assert fields["revenue_with_us"] == Decimal("1240000.5")
    assert fields["renewal_date"] == date(2026, 5, 31)
    assert fields["employees"] == 12
    assert fields["id"] == "ACME"
    assert fields["country"] is None


def test_a_stranger_goes_by_the_key_and_a_respondents_hash_is_shown_to_nobody() -> None:
    assert STRANGER.name == "NEVER-HEARD-OF"
    assert customer(name="Acme Aerospace").name == "Acme Aerospace"
    assert (
        Customer(key="respondent:0123abcd", known=False, state={}).name == "an unknown respondent"
    )


ADA = {"name": "Ada", "email": "ada@example.com"}


BEA = {"name": "Bea", "email": "bea@example.com"}


@pytest.mark.parametrize(
    ("name", "email", "found"),
    [
        (None, "BEA@example.com", BEA),
        ("bea", None, BEA),
        ("Ada", "bea@example.com", BEA),  # the address is surer than the name
        ("Nobody", "nobody@example.com", ADA),  # the first one stands for the customer
        (None, None, ADA),
    ],
)
def test_the_contact_who_wrote_is_found_by_address_then_by_name(
    name: str | None, email: str | None, found: dict[str, str]
) -> None:
    assert customer(contacts=[ADA, BEA]).contact_named(name, email) == found
    assert customer().contact_named(name, email) is None
