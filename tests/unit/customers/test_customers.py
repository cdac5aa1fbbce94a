"""Customers: dated changes add up to the same states, whichever of them arrives first."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from alerting.database.customers import customers
from alerting.database.engine import Database
from alerting.database.migrate import migrate
from alerting.database.tables import customer_version
from alerting.domain.customers.customers import Customer, CustomerChange, apply_change, states_after
from tests.support.builders import NOW, STRANGER, customer, unhurried


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


VALUES = st.one_of(st.none(), st.sampled_from(["x", "y"]))
INNER = st.one_of(
    st.none(),
    st.dictionaries(st.sampled_from("ab"), st.one_of(st.none(), st.integers(0, 2)), max_size=2),
)
GIVEN = st.fixed_dictionaries(
    {}, optional={"name": VALUES, "owner": VALUES, "attributes": INNER, "contract": INNER}
)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[CustomerChange], list[list[CustomerChange]]]:
    """Changes in their own order, and the same in batches as they happen to arrive."""
    orders = draw(
        st.lists(
            st.tuples(st.integers(0, 3), st.sampled_from("st"), st.sampled_from("123")),
            unique=True,
            max_size=9,
        )
    )
    changes = [
        CustomerChange(
            valid_from=NOW + timedelta(hours=h), source=s, event_id=e, changes=draw(GIVEN)
        )
        for h, s, e in sorted(orders)
    ]
    shuffled = draw(st.permutations(changes))
    cuts = sorted(draw(st.lists(st.integers(0, len(changes)), max_size=3)))
    edges = [0, *cuts, len(changes)]
    return changes, [list(shuffled[a:b]) for a, b in pairwise(edges)]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder: Path = tmp_path_factory.mktemp("customers")
    found = Database(f"sqlite:///{folder / 'alerting.db'}")
    migrate(found)
    yield found
    found.close()


def test_changes_in_any_order_of_arrival_lead_to_the_same_states(database: Database) -> None:
    @settings(unhurried, max_examples=60)
    @given(drawn=arrivals())
    def same(drawn: tuple[list[CustomerChange], list[list[CustomerChange]]]) -> None:
        in_order, batches = drawn
        with database.write() as tx:
            tx.execute(customer_version.delete())
            customers.lock_customers(tx, ["ACME"], NOW)
            for batch in batches:
                customers.add_changes(tx, {"ACME": batch}, NOW)
                customers.add_changes(
                    tx, {"ACME": batch[:1]}, NOW
                )  # what comes again changes nothing
            v = customer_version.c
            rows = tx.execute(
                select(customer_version).order_by(v.valid_from, v.source, v.event_id)
            ).all()
            history = customers.histories(tx, ["ACME"])["ACME"]
        expected = states_after(in_order)
        assert [row.state for row in rows] == expected
        assert [change.order for change, _ in history.versions] == [
            change.order for change in in_order
        ]
        for moment in range(-1, 5):
            known = [
                s
                for c, s in zip(in_order, expected, strict=True)
                if c.valid_from <= NOW + timedelta(hours=moment)
            ]
            found = history.as_of(NOW + timedelta(hours=moment))
            assert found.known is bool(in_order)
            # what was first heard also counts for the time before
            assert found.state == (known[-1] if known else expected[0] if expected else {})

    same()


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
