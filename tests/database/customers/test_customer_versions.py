"""A customer's stored versions, in whatever order the changes arrive."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from alerting.database.customers import customers
from alerting.database.engine import Database
from alerting.database.migrate import migrate
from alerting.database.tables import customer_version
from alerting.domain.customers.customers import CustomerChange, states_after
from tests.support.builders import NOW, unhurried

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
            assert found.state == (known[-1:] or expected[:1] or [{}])[0]

    same()
