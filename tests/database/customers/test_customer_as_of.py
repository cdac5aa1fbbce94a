"""A customer as of any past time: facts, segment and tags, by the naive computation and by the
product.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.bootstrap import web_parts
from alerting.database.tables import metadata
from alerting.entrypoints.web.app import create_app
from alerting.services.customers.customer_as_of import life_of, segment_as_of
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files, unhurried
from tests.support.installation import Run
from tests.support.world import BEGIN, World, make_world

TAGS = """tags:
  renewal_90d: "days_to_renewal BETWEEN 0 AND 90"
  unhappy: "last_sentiment = 'negative'"
"""


def activate(world: World, more: str = TAGS, **replaced: str) -> None:
    files = starter_files()
    text = files["rules/segments.yaml"] + more
    for old, new in replaced.items():
        text = text.replace({"threshold": "250000"}[old], new)
    activate_rulebook(
        world.app.ctx, files | {"rules/segments.yaml": text}, {}, author="test", reason="test"
    )


def ago(days: float) -> datetime:
    return BEGIN - timedelta(days=days)


def segment(world: World, key: str, days_ago: float) -> str:
    return segment_as_of(world.app.ctx, key, ago(days_ago)).segment


def test_a_segment_follows_the_facts_through_the_past_in_whatever_order_they_came(
    world: World,
) -> None:
    world.take(world.customer("A", revenue_with_us=500_000, time=ago(10).isoformat()))
    world.take(world.customer("A", name="Ay", revenue_with_us=5, time=ago(30).isoformat()))
    world.take(world.customer("A", revenue_with_us=None, time=ago(20).isoformat()))
    found = {days: segment(world, "A", days) for days in (40, 30, 25, 20, 15, 10, 0)}
    assert found == {
        40: "low_potential",  # what we first heard counts for the time before
        30: "low_potential",
        25: "low_potential",
        20: "unverified",
        15: "unverified",
        10: "high_potential",
        0: "high_potential",
    }
    assert segment_as_of(world.app.ctx, "A", ago(40)).assumed
    assert segment_as_of(world.app.ctx, "NOBODY", ago(1)).segment == "unverified"


def test_tags_read_the_answers_and_the_calendar_of_that_time(world: World) -> None:
    activate(world)
    world.take(
        world.customer(
            "A", name="Ay", revenue_with_us=5, renewal_date="2026-05-01", time=ago(200).isoformat()
        ),
        world.survey("A", score=1, time=ago(50).isoformat()),
        world.survey("A", score=10, time=ago(5).isoformat()),
    )
    tags = {
        days: segment_as_of(world.app.ctx, "A", ago(days), by_active=True).tags
        for days in (190, 60, 50, 6, 5)
    }
    assert tags == {
        190: (),
        60: (),
        50: ("unhappy",),
        6: ("renewal_90d", "unhappy"),
        5: ("renewal_90d",),
    }


def test_a_group_lifts_its_members_while_they_are_part_of_it(world: World) -> None:
    world.take(
        world.customer("ACME-AERO", name="Acme", revenue_with_us=1, time=ago(90).isoformat()),
        world.customer("PLANT", name="Plant", revenue_with_us=1, time=ago(90).isoformat()),
        world.customer("PLANT", parent="ACME-AERO", time=ago(60).isoformat()),
        world.customer("PLANT", parent=None, time=ago(30).isoformat()),
    )
    assert [segment(world, "PLANT", days) for days in (70, 50, 10)] == [
        "low_potential",
        "key",
        "low_potential",
    ]
    assert "its group Acme" in segment_as_of(world.app.ctx, "PLANT", ago(50)).why


def test_the_rulebook_of_the_time_decides(world: World) -> None:
    world.take(world.customer("A", name="Ay", revenue_with_us=300_000, time=ago(90).isoformat()))
    world.pass_time(days=1)
    activate(world, threshold="400000")
    after = world.now()
    world.pass_time(days=1)
    assert segment(world, "A", 0) == "high_potential"
    now = segment_as_of(world.app.ctx, "A", after + timedelta(hours=1))
    assert (now.segment, now.why) == ("low_potential", "none of the others")
    assert segment_as_of(world.app.ctx, "A", ago(0), by_active=True).segment == "low_potential"


# The naive computation


def naive(
    changes: list[tuple[int, dict[str, Any]]], answers: list[tuple[int, int]], hour: int
) -> tuple[str, bool]:
    """By hand: the last given value of each field up to the hour, else the first change of all; the
    last answer.
    """
    valid = [change for at, change in sorted(changes, key=lambda c: c[0]) if at <= hour] or [
        change for _, change in sorted(changes, key=lambda c: c[0])[:1]
    ]
    state: dict[str, Any] = {}
    for change in valid:
        state |= change
    revenue = state.get("revenue_with_us")
    if not changes or revenue is None:
        found = "unverified"
    else:
        found = "high_potential" if revenue >= 250_000 else "low_potential"
    given = [score for at, score in sorted(answers) if at <= hour]
    return found, bool(changes) and bool(given) and given[-1] <= 6


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("segmentation"))
    activate(made)
    yield made
    made.app.close()


REVENUE = st.sampled_from([None, 1, 249_999, 250_000, 10**6])


def test_any_past_time_is_what_one_would_reckon_by_hand(tagged: World) -> None:
    @settings(unhurried, max_examples=60)
    @given(
        changes=st.lists(
            st.tuples(st.integers(0, 20), REVENUE), unique_by=lambda c: c[0], max_size=6
        ),
        answers=st.lists(
            st.tuples(st.integers(0, 20), st.integers(0, 10)), unique_by=lambda a: a[0], max_size=4
        ),
        order=st.randoms(use_true_random=False),
    )
    def same(
        changes: list[tuple[int, int | None]], answers: list[tuple[int, int]], order: Any
    ) -> None:
        forget_everything(tagged)
        told = [(at, {"revenue_with_us": revenue}) for at, revenue in changes]
        arriving = [
            tagged.customer("A", **change, time=ago(20 - at).isoformat()) for at, change in told
        ]
        arriving += [
            tagged.survey("A", score=score, time=ago(20 - at).isoformat()) for at, score in answers
        ]
        order.shuffle(arriving)
        for one in arriving:
            tagged.take(one)
        for day in range(-1, 22):
            found = segment_as_of(tagged.app.ctx, "A", ago(20 - day), by_active=True)
            assert (found.segment, "unhappy" in found.tags) == naive(told, answers, day), day

    same()


def forget_everything(world: World) -> None:
    with world.app.ctx.db.write() as tx:
        tx.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for table in reversed(metadata.sorted_tables):
            kept = table.name in {
                "instance",
                "rulebook",
                "active_rulebook",
                "activation",
                "party_fact",
            }
            if not kept and not table.name.startswith("audit_"):  # which nobody can empty
                tx.execute(table.delete())


# Told


def test_a_customer_is_shown_as_of_a_time_with_both_dates_of_every_change(world: World) -> None:
    world.take(world.customer("A", name="Ay", city="Ulm", time=ago(30).isoformat()))
    world.pass_time(hours=1)
    world.take(world.customer("A", city="Bonn", time=ago(10).isoformat()))
    life = life_of(world.app.ctx, "A", ago(20)).as_json()
    assert (life["state"], life["segment"], life["at"]) == (
        {"name": "Ay", "city": "Ulm"},
        "unverified",
        ago(20).isoformat(),
    )
    first, second = life["history"]
    assert (first["valid_from"], second["valid_from"]) == (ago(30).isoformat(), ago(10).isoformat())
    assert first["recorded_at"] < second["recorded_at"]
    assert second["fields"] == [{"field": "city", "before": "Ulm", "after": "Bonn"}]
    with TestClient(create_app(web_parts(world.app))) as client:
        admin = {"Authorization": "Bearer test-admin-token-0123"}
        answer = client.get("/v1/customers/A", params={"at": ago(20).isoformat()}, headers=admin)
        assert answer.json() == life
        assert client.get("/v1/customers/A", headers=admin).json()["state"]["city"] == "Bonn"
        assert client.get("/v1/customers/A").status_code == 401
        assert (
            client.get("/v1/customers/A", headers={"X-API-Key": "test-ingest-key-0123"}).status_code
            == 401
        )
        assert client.get("/v1/customers/NOBODY", headers=admin).status_code == 404
        wrong = client.get("/v1/customers/A?at=2026-01-01T00:00", headers=admin)
        assert (wrong.status_code, wrong.json()["field"]) == (422, "at")
        assert "no time zone" in wrong.json()["detail"]


def test_the_command_shows_a_customer_of_a_day(migrated: Run, installation: Path) -> None:
    (installation / "x.csv").write_text("customer_id,name,revenue_with_us\nA,Ay,300000\n")
    migrated("import", "x.csv")
    done = migrated("customers", "show", "A")
    assert "segment high_potential: revenue_with_us >= 250000" in done.stdout
    assert "by import:x.csv" in done.stdout
    assert "revenue_with_us: nothing -> 300000" in done.stdout
    past = migrated("customers", "show", "A", "--at", "2020-01-31")
    assert "A" in past.stdout and "at 2020-01-31 23:59:59Z" in past.stdout
    assert "before all we know" in past.stdout
    assert (
        json.loads(migrated("customers", "show", "A", "--json").stdout)["segment"]
        == "high_potential"
    )
    assert migrated("customers", "show", "B").stderr == "error: no customer 'B' is known\n"
    assert (
        "is not a time; write 2026-03-06T14:30+01:00"
        in migrated("customers", "show", "A", "--at", "noon").stderr
    )
