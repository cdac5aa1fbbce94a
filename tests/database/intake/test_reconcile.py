"""Completeness: what a source says it sent, against what arrived."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from alerting.database.tables import reconciliation
from alerting.domain.reports.selection import selection
from alerting.services.intake.reconciliation import Reconciled, Sent, reconcile
from alerting.services.reports.report import as_json, report
from tests.support.installation import Run
from tests.support.world import BEGIN, World

UTC = ZoneInfo("UTC")


SOURCE = "/forms/sample"


@pytest.fixture
def answered(world: World) -> World:
    """Four answers of a source over two days, one of them twice, one unreadable, one of another
    source.
    """
    for n, hours in enumerate((-30, -29, -2, -1)):
        at = (BEGIN + timedelta(hours=hours)).isoformat()
        world.take(world.survey("ACME-AERO", id=f"a{n}", source=SOURCE, time=at))
    world.take(
        world.survey(
            "ACME-AERO", id="a0", source=SOURCE, time=(BEGIN - timedelta(hours=30)).isoformat()
        )
    )
    world.take(world.survey("ACME-AERO", id="bad", source=SOURCE, score=99))
    world.take(world.survey("ACME-AERO", id="a9", source="/elsewhere"), b"nonsense")
    return world


def found(world: World, sent: Sent, zone: ZoneInfo = UTC) -> Reconciled:
    return reconcile(world.app.ctx, SOURCE, sent, zone)


def lines(given: Reconciled) -> list[tuple[int, int, int, int, int]]:
    return [(c.sent, c.received, c.unreadable, c.missing, c.surplus) for c in given.counts]


def test_days_are_compared_with_what_arrived(answered: World) -> None:
    days = {date(2026, 3, 5): 2, date(2026, 3, 6): 5, date(2026, 3, 4): 1}
    given = found(answered, Sent(days=days))
    assert lines(given) == [(1, 0, 0, 1, 0), (2, 2, 0, 0, 0), (5, 2, 1, 2, 0)]
    assert (given.missing, given.is_complete) == (3, False)
    assert found(answered, Sent(days={date(2026, 3, 5): 2})).is_complete
    assert lines(found(answered, Sent(days={date(2026, 3, 5): 1}))) == [(1, 2, 0, 0, 1)]
    assert not found(
        answered, Sent(days={date(2026, 3, 6): 3})
    ).is_complete  # nothing is missing, one cannot be read


def test_a_day_is_one_of_the_sources_own_zone(answered: World) -> None:
    zone = ZoneInfo(
        "Pacific/Kiritimati"
    )  # half past eight in the morning is half past ten in the evening there
    assert lines(found(answered, Sent(days={date(2026, 3, 6): 2}), zone)) == [(2, 2, 1, 0, 1)]


def test_ids_name_what_is_missing(answered: World) -> None:
    given = found(answered, Sent(ids=["a0", "a1", "a7", "bad", "a9"]))
    assert lines(given) == [(5, 2, 1, 2, 0)]
    assert given.missing_ids == ["a7", "a9"]


def in_report(world: World, first: date | None = None, last: date | None = None) -> Any:
    """What the report of a period says that the source sent."""
    sources = as_json(report(world.app.ctx, selection(first, last, {})))["sources"]
    return next((one["said"] for one in sources if one["source"] == SOURCE), None)


def test_a_comparison_by_ids_counts_for_the_days_of_those_that_are_here(answered: World) -> None:
    found(answered, Sent(days={date(2026, 3, 6): 5, date(2026, 3, 7): 0}))
    found(answered, Sent(ids=["a0", "a1", "a7"]))  # both of the fifth
    said = in_report(answered)
    assert (said["by_id"], said["first_day"], said["last_day"], said["missing"]) == (
        True,
        "2026-03-05",
        "2026-03-05",
        1,
    )
    assert (
        in_report(answered, date(2026, 3, 6), date(2026, 3, 7))["by_id"] is False
    )  # it hides nothing of the sixth
    assert in_report(answered, date(2026, 3, 4), date(2026, 3, 5))["by_id"] is True
    found(answered, Sent(ids=["nobody", "knows"]))  # today, the sixth
    assert in_report(answered, date(2026, 3, 6), date(2026, 3, 6))["missing"] == 2
    assert in_report(answered, date(2026, 3, 7), date(2026, 3, 7))["by_id"] is False
    assert in_report(answered, date(2026, 3, 5), date(2026, 3, 5))["missing"] == 1
    assert in_report(answered, date(2026, 3, 8), None) is None


def test_a_source_nothing_came_from_is_said_and_kept(
    migrated: Run, own_world: World, tmp_path: Path
) -> None:
    own_world.take(
        own_world.survey("ACME-AERO", source="/forms/typeform"),
        own_world.survey("ACME-AERO", source="/b"),
    )
    Path("sent.csv").write_text("2026-03-06,1\n")
    done = migrated("reconcile", "--source", "/form/typefrom", "--count", "sent.csv")
    assert done.returncode == 1
    assert (
        "Nothing ever came from /form/typefrom; known sources are /forms/typeform, /b."
        in done.stderr
    )
    with own_world.app.ctx.db.read() as tx:
        assert [row.source for row in tx.execute(select(reconciliation))] == ["/form/typefrom"]
    assert (
        "Nothing ever" not in migrated("reconcile", "--source", "/b", "--count", "sent.csv").stderr
    )
    assert (
        "no source has more than 200 signs"
        in migrated("reconcile", "--source", "x" * 201, "--count", "sent.csv").stderr
    )
    assert migrated("reconcile", "--source", "\udc80", "--count", "sent.csv").returncode == 2


def test_what_a_dead_letter_says_of_itself_may_be_anything(world: World) -> None:
    world.take(json.dumps({"source": SOURCE, "id": 5, "time": "soon"}).encode(), b"[1]", b"\xff")
    given = found(world, Sent(days={date(2026, 3, 6): 1}))
    assert lines(given) == [(1, 0, 1, 0, 0)]
