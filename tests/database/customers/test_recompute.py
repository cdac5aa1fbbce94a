"""Everybody looked at again: in several processes as in one, and right while the world goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from alerting.database.customers import memberships
from alerting.database.tables import membership, review
from alerting.services.alerts import recompute_all
from alerting.services.alerts.recompute_all import recompute
from alerting.services.customers.memberships import look_at
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files
from tests.support.world import World

TAGS = (
    'tags:\n  renewal_soon: "days_to_renewal BETWEEN 0 AND 90"\n  buyer: "customer.purchases > 0"\n'
)


@pytest.fixture
def many(world: World) -> World:
    """Nine customers, four of whom have bought, and rules that nobody has been looked at by."""
    for n in range(9):
        renewal = (world.now() + timedelta(days=40 * n)).date().isoformat()
        world.take(
            world.customer(
                f"C-{n}", name=f"Customer {n}", revenue_with_us=n * 60_000, renewal_date=renewal
            )
        )
    for n in range(4):
        world.take(
            world.envelope("purchase.recorded", {"customer_id": f"C-{n}", "amount": 10 * n + 1})
        )
    files = {
        **starter_files(),
        "rules/segments.yaml": starter_files()["rules/segments.yaml"] + TAGS,
    }
    activate_rulebook(world.app.ctx, files, {}, author="test", reason="tags")
    return world


def standings(world: World) -> dict[str, tuple[str, list[str]]]:
    with world.app.ctx.db.read() as tx:
        return {
            row.customer_key: (row.segment, row.tags) for row in memberships.members(tx, None, None)
        }


def would_move(world: World) -> list[str]:
    """Who would move if everybody were looked at by hand."""
    with world.app.ctx.db.read() as tx:
        book, keys = world.app.ctx.shelf.active(tx), [f"C-{n}" for n in range(9)]
        return [
            move.customer_key
            for move in look_at(tx, book, tx.now(), dict.fromkeys(keys, "by hand")).moves
        ]


@pytest.mark.parametrize("processes", [1, 2])
def test_several_processes_come_to_the_same_as_one(
    many: World, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(recompute_all, "CHUNK", 2)
    done: list[tuple[int, int]] = []
    found = recompute(many.app.ctx, processes, lambda *step: done.append(step))
    assert (found.customers, found.moves, found.renewed) == (9, 4, True)
    assert (sum(step for step, _ in done), done[-1][1]) == (9, 9)
    assert standings(many)["C-0"] == ("low_potential", ["buyer", "renewal_soon"])
    assert standings(many)["C-5"] == ("high_potential", [])
    assert would_move(many) == []
    assert recompute(many.app.ctx, processes).moves == 0


def test_the_next_look_is_planned_and_what_was_due_is_done(many: World) -> None:
    with many.app.ctx.db.read() as tx:
        assert len(memberships.due_reviews(tx, tx.now(), 100)) == 9, "activation has asked for it"
    recompute(many.app.ctx)
    planned = {row.customer_key: row.due_at for row in many.rows(select(review))}
    midnight = many.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert planned == dict.fromkeys(planned, midnight)
    assert len(planned) == 9
    recompute(many.app.ctx)
    assert {row.customer_key: row.due_at for row in many.rows(select(review))} == planned


def test_what_happens_between_looking_and_writing_counts(many: World) -> None:
    """SQLite: we look before it is our turn to write. PostgreSQL: the customers are locked all the
    while.
    """

    @contextmanager
    def busy_turn() -> Iterator[None]:
        many.take(many.customer("C-1", revenue_with_us=900_000, time=many.now().isoformat()))
        yield

    recompute_all._look(many.app.ctx, [f"C-{n}" for n in range(9)], busy_turn())
    assert standings(many)["C-1"][0] == "high_potential"
    assert would_move(many) == []
    numbers = [row.n for row in many.rows(select(membership)) if row.customer_key == "C-1"]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
