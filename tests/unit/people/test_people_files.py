"""Absences and teams as people.yaml says them."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.adapters.rulebook.people_file import read_people
from alerting.domain.errors import RulebookInvalid
from alerting.domain.people.circles import circles
from tests.support.people.staff import NAMES, absent, team

PEOPLE = """people:
  - {id: ann, name: Ann, email: ann@example.com}
  - {id: ben, name: Ben, email: ben@example.com, time_zone: Europe/Berlin}
offices:
  - {id: berlin, name: Berlin, email: berlin@example.com}
"""


def read(folder: Path, text: str) -> dict[str, Any]:
    (folder / "people.yaml").write_text(PEOPLE + text)
    return read_people(folder / "people.yaml")


def test_absences_and_teams_are_read_from_people_yaml(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "teams:\n  - {id: service, name: Service, members: [ann, ben], turn: day, begins: "
        "2026-03-02}\n"
        "absences:\n  - {person: ann, from: 2026-03-02, to: 2026-03-08, substitute: ben}\n"
        "  - {person: ann, from: 2026-04-02, to: 2026-04-02}\n",
    )
    assert found["service"] == team("day", members=("ann", "ben"), begins="2026-03-02")
    assert found["ann"].absences == (absent(substitute="ben"), absent("2026-04-02", "2026-04-02"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "absences:\n  - {person: anne, from: 2026-03-02, to: 2026-03-08}\n",
            ":7:6: no person is called 'anne'",
        ),
        (
            "absences:\n  - {person: berlin, from: 2026-03-02, to: 2026-03-08}\n",
            ":7:6: no person is called 'berlin'",
        ),
        (
            "absences:\n  - {person: ann, from: 2026-03-08, to: 2026-03-02}\n",
            ":7:5: to: 2026-03-02 lies before",
        ),
        ("absences:\n  - {person: ann, from: 2026-03-02}\n", ":7:5: 'to' is missing"),
        ("absences:\n  - {person: ann, from: 3, to: 2026-03-02}\n", ":7:19: must be a day"),
        (
            "absences:\n  - {person: ann, from: 2026-03-02, to: 2026-03-08, substitute: ann}\n",
            ":7:53: nobody is their own substitute",
        ),
        (
            "absences:\n  - {person: ann, from: 2026-03-02, to: 2026-03-08, substitute: ben}\n"
            "  - {person: ben, from: 2026-03-05, to: 2026-03-05, substitute: ann}\n",
            ":7:5: on 2026-03-05 those who stand in are absent, too: ann, ben, ann",
        ),
        ("teams:\n  - {id: t, name: T, members: [ann, cid]}\n", ":7:37: no person is called 'cid'"),
        (
            "teams:\n  - {id: t, name: T, members: [ann, ann]}\n",
            ":7:5: members: 'ann' stands here twice",
        ),
        ("teams:\n  - {id: t, name: T, members: []}\n", ":7:22: this is empty"),
        (
            "teams:\n  - {id: t, name: T, members: [ann], turn: month}\n",
            ":7:38: must be 'day', 'week' or 'case'",
        ),
        ("teams:\n  - {id: ann, name: T, members: [ann]}\n", ":7:6: 'ann' stands here twice"),
    ],
)
def test_absences_and_teams_that_do_not_fit_are_refused_at_their_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(RulebookInvalid) as caught:
        read(tmp_path, text)
    assert str(caught.value.problems[0]).startswith("rules/people.yaml" + problem), (
        caught.value.problems
    )


@pytest.mark.parametrize("key", ["manager", "substitute"])
def test_circles_of_managers_and_of_substitutes_are_refused(tmp_path: Path, key: str) -> None:
    text = PEOPLE.replace("ann@example.com", f"ann@example.com, {key}: ben")
    (tmp_path / "people.yaml").write_text(
        text.replace("ben@example.com", f"ben@example.com, {key}: ann")
    )
    with pytest.raises(RulebookInvalid, match=f"the {key}s go round in a circle: ann, ben, ann"):
        read_people(tmp_path / "people.yaml")


@given(st.dictionaries(NAMES, NAMES))
def test_circles_are_found_once_each_and_are_circles(named: dict[str, str]) -> None:
    for circle in circles(named):
        assert [named[name] for name in circle] == [*circle[1:], circle[0]]
        assert circle[0] == min(circle)
    everybody = [name for circle in circles(named) for name in circle]
    assert len(everybody) == len(set(everybody))
