"""Completeness: what a source says it sent, against what arrived."""

import json
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerting.adapters.source_counts import read_sent
from alerting.domain.errors import ActionRefused
from alerting.services.reconciling import Reconciled, Sent, reconcile
from tests.world import BEGIN, World

UTC = ZoneInfo("UTC")
SOURCE = "/forms/sample"


@pytest.fixture
def answered(world: World) -> World:
    """Four answers of a source over two days, one of them twice, one unreadable, one of another source."""
    for n, hours in enumerate((-30, -29, -2, -1)):
        at = (BEGIN + timedelta(hours=hours)).isoformat()
        world.take(world.survey("ACME-AERO", id=f"a{n}", source=SOURCE, time=at))
    world.take(world.survey("ACME-AERO", id="a0", source=SOURCE, time=(BEGIN - timedelta(hours=30)).isoformat()))
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
    assert not found(answered, Sent(days={date(2026, 3, 6): 3})).is_complete  # nothing is missing, one cannot be read


def test_a_day_is_one_of_the_sources_own_zone(answered: World) -> None:
    zone = ZoneInfo("Pacific/Kiritimati")  # half past eight in the morning is half past ten in the evening there
    assert lines(found(answered, Sent(days={date(2026, 3, 6): 2}), zone)) == [(2, 2, 1, 0, 1)]


def test_ids_name_what_is_missing(answered: World) -> None:
    given = found(answered, Sent(ids=["a0", "a1", "a7", "bad", "a9"]))
    assert lines(given) == [(5, 2, 1, 2, 0)]
    assert given.missing_ids == ["a7", "a9"]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("day,count\n2026-03-05,2\n2026-03-06,0\n", Sent(days={date(2026, 3, 5): 2, date(2026, 3, 6): 0})),
        ("2026-03-05;2\n", Sent(days={date(2026, 3, 5): 2})),
        ("id\na\n\nb\na\n", Sent(ids=["a", "b"])),
        ("\ufeffa\nb\n", Sent(ids=["a", "b"])),
        ("response_id,at\na,2026\n", Sent(ids=["a"])),
    ],
)
def test_a_source_counts_by_day_or_by_id(tmp_path: Path, text: str, sent: Sent) -> None:
    file = tmp_path / "sent.csv"
    file.write_text(text)
    assert read_sent(file) == sent


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "sent.csv is empty; write day,count or one id a line"),
        ("day,count\n2026-03-05,two\n", "sent.csv:2: '2026-03-05, two' is no day with its count; write 2026-03-06,12"),
        ("day,count\n5.3.2026,2\n", "sent.csv:2: '5.3.2026, 2' is no day"),
        ("day,count\n2026-03-05\n", "sent.csv:2: '2026-03-05' is no day"),
        ("2026-03-05,-1\n", "is no day with its count"),
        ("2026-03-05,1\n2026-03-05,2\n", "sent.csv:2: 2026-03-05 stands here twice; add the counts up"),
        ('"2026-03-05,1\n', "sent.csv:1: "),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "sent.csv"
    file.write_text(text)
    with pytest.raises(ActionRefused, match=said.replace("(", r"\(")):
        read_sent(file)


def test_what_a_dead_letter_says_of_itself_may_be_anything(world: World) -> None:
    world.take(json.dumps({"source": SOURCE, "id": 5, "time": "soon"}).encode(), b"[1]", b"\xff")
    given = found(world, Sent(days={date(2026, 3, 6): 1}))
    assert lines(given) == [(1, 0, 1, 0, 0)]
