"""Absences, turns and refused addresses: who is asked instead, with the reason."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alerting.adapters.rulebook.people_file import read_people
from alerting.domain.cases.escalations import reach
from alerting.domain.errors import RulebookInvalid
from alerting.domain.people.circles import circles
from alerting.domain.people.people import Absence, Party, Team, dated
from alerting.domain.routing.routing import Assignment, Role, Routing, fill_role
from alerting.domain.routing.staff import Staff, staff_of
from tests.support.builders import NOW, customer, party, unhurried
from tests.unit.people.test_people import open_case_of

FRIDAY = date(2026, 3, 6)


def absent(
    begin: str = "2026-03-02", end: str = "2026-03-08", substitute: str | None = None
) -> Absence:
    return Absence(begin=begin, end=end, substitute=substitute)


def at(
    *known: Party | Team,
    moment: datetime = NOW,
    taken: dict[str, dict[str, int]] | None = None,
    **more: Any,
) -> Staff:
    """The staff by facts, `ann={...}` adding to what is known of Ann."""
    states = {one.id: dated(one) | more.get(one.id, {}) for one in known}
    return staff_of(states, moment, taken or {})


def owner_of(staff: Staff, owner: str = "ann", **options: Any) -> Assignment:
    roles = {"owner": Role(first_of=["customer.owner", "default"]), "default": Role(person="desk")}
    return fill_role("owner", customer(owner=owner), "key", Routing(roles=roles), staff, **options)


DESK = party("desk")


@pytest.mark.parametrize(
    ("ann", "others", "who", "why"),
    [
        ({}, [], "ann", "account owner: Ann"),
        (
            {"absences": (absent(substitute="ben"),)},
            [party("ben")],
            "ben",
            "account owner: Ann is absent from 2026-03-02 to 2026-03-08, Ben stands in",
        ),
        (
            {"absences": (absent("2026-03-06", "2026-03-06"),), "substitute": "ben"},
            [party("ben")],
            "ben",
            "account owner: Ann is absent on 2026-03-06, Ben stands in",
        ),
        (
            {"absences": (absent(substitute="ben"),), "substitute": "cid"},
            [party("ben", absences=(absent(),)), party("cid")],
            "cid",
            "account owner: Ann is absent from 2026-03-02 to 2026-03-08, Ben is absent from "
            "2026-03-02 to 2026-03-08, "
            "Cid stands in",
        ),
        (
            {"absences": (absent(substitute="ben"),)},
            [party("ben", absences=(absent(substitute="ann"),))],
            "desk",
            "account owner: Ann is absent from 2026-03-02 to 2026-03-08, Ben is absent from "
            "2026-03-02 to 2026-03-08, "
            "nobody stands in",
        ),
        (
            {"absences": (absent(substitute="gone"),)},
            [],
            "desk",
            "account owner: Ann is absent from 2026-03-02 to 2026-03-08, gone is not in "
            "people.yaml, nobody stands in",
        ),
        (
            {"absences": (absent("2026-03-07", "2026-03-08"),), "substitute": "ben"},
            [party("ben")],
            "ann",
            "account owner: Ann",
        ),
    ],
)
def test_whoever_is_absent_is_passed_over_and_the_reason_says_who_stands_in(
    ann: dict[str, Any], others: list[Party], who: str, why: str
) -> None:
    found = owner_of(at(party("ann", **ann), *others, DESK))
    assert (found.party.id, found.why[0]) == (who, why)


@pytest.mark.parametrize(
    ("moment", "here"),
    [
        ("2026-03-05T23:59:59+01:00", True),
        ("2026-03-06T00:00:00+01:00", False),
        ("2026-03-07T23:59:59+01:00", False),
        ("2026-03-08T00:00:00+01:00", True),
    ],
)
def test_the_days_of_an_absence_are_those_of_the_persons_own_zone_both_included(
    moment: str, here: bool
) -> None:
    ann = party("ann", time_zone="Europe/Berlin", absences=(absent("2026-03-06", "2026-03-07"),))
    assert (ann.absence_at(datetime.fromisoformat(moment).astimezone(UTC)) is None) == here


def test_an_absence_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValidationError, match="2026-03-01 lies before 2026-03-02"):
        absent("2026-03-02", "2026-03-01")


def test_an_office_does_not_stand_in_where_somebody_must_call() -> None:
    ann = party("ann", absences=(absent(substitute="berlin"),), substitute="ben")
    staff = at(ann, party("berlin", kind="office"), party("ben"), DESK)
    assert owner_of(staff, to_call=True).party.id == "ben"
    assert owner_of(staff).party.id == "berlin"


def test_a_refused_address_is_passed_over_until_it_changes() -> None:
    refused = {"refused": {"address": "ann@example.com", "on": "2026-03-05"}}
    found = owner_of(at(party("ann", substitute="ben"), party("ben"), DESK, ann=refused))
    assert found.party.id == "ben"
    assert found.why == (
        "account owner: Ann cannot be reached (mail to this address was refused on 2026-03-05), "
        "Ben stands in",
    )
    moved = party("ann", substitute="ben", email="ann.new@example.com")
    assert owner_of(at(moved, party("ben"), DESK, ann=refused)).party.id == "ann"


def test_somebody_who_has_left_is_named_and_never_chosen() -> None:
    staff = at(party("ann", substitute="ben"), party("ben"), DESK, ann={"active": False})
    found = owner_of(staff)
    assert (found.party.id, found.why[0]) == ("desk", "account owner: Ann has left")
    assert owner_of(staff, "ANN@example.com").why[0] == "account owner: Ann has left"


@pytest.mark.parametrize(
    ("desk", "who"),
    [({}, "boss"), ({"manager": "boss"}, "boss"), ({"active": False, "manager": "boss"}, "boss")],
)
def test_with_default_away_the_managers_are_asked_before_anything_is_lost(
    desk: dict[str, Any], who: str
) -> None:
    away = party("desk", absences=(absent(),))
    found = owner_of(at(away, party("boss", kind="person"), desk=desk), "nobody")
    assert found.party.id == who
    everybody_away = at(away, desk={})
    last = owner_of(everybody_away, "nobody")
    assert (last.party.id, last.why[-1]) == (
        "desk",
        "nobody else is left: goes to Desk all the same",
    )


# Steps of a clock


@pytest.mark.parametrize(
    ("word", "ann", "boss", "who", "template"),
    [
        ("caller", {}, {}, "ann", "reminder"),
        ("caller", {"absences": (absent(),)}, {}, "ben", "stand_in"),
        ("caller", {"absences": (absent(),), "substitute": None}, {}, "boss", "overdue"),
        ("substitute", {}, {}, "ben", "stand_in"),
        ("substitute", {"absences": (absent(substitute="chief"),)}, {}, "chief", "stand_in"),
        ("manager of caller", {}, {}, "boss", "overdue"),
        ("manager of caller", {}, {"absences": (absent(),)}, "chief", "overdue"),
        ("manager of caller", {}, {"absences": (absent(substitute="ben"),)}, "ben", "overdue"),
        ("manager of caller", {}, {"absences": (absent(substitute="ann"),)}, "chief", "overdue"),
    ],
)
def test_the_steps_of_a_clock_pass_over_whoever_is_absent(
    word: str, ann: dict[str, Any], boss: dict[str, Any], who: str, template: str
) -> None:
    staff = at(
        party("ann", **{"substitute": "ben", "manager": "boss", **ann}),
        party("ben"),
        party("boss", **{"manager": "chief", **boss}),
        party("chief"),
        DESK,
    )
    routing = Routing(roles={"default": Role(person="desk")})
    found = reach(word, open_case_of("ann"), customer(), routing, staff)
    assert (found.party.id, found.template) == (who, template)


NAMES = st.sampled_from("abcde")


@unhurried
@given(
    substitutes=st.dictionaries(NAMES, NAMES),
    managers=st.dictionaries(NAMES, NAMES),
    absences=st.dictionaries(NAMES, st.none() | NAMES),
    bounced=st.sets(NAMES),
    gone=st.sets(NAMES),
)
def test_a_search_always_ends_and_finds_nobody_who_is_away_while_somebody_is_there(
    substitutes: dict[str, str],
    managers: dict[str, str],
    absences: dict[str, str | None],
    bounced: set[str],
    gone: set[str],
) -> None:
    parties = [
        party(
            name,
            substitute=substitutes.get(name),
            manager=managers.get(name),
            absences=(absent(substitute=absences[name]),) if name in absences else (),
        )
        for name in "abcde"
    ]
    more: dict[str, dict[str, Any]] = {name: {"active": False} for name in gone}
    more |= {
        name: {"refused": {"address": f"{name}@example.com", "on": "2026-03-05"}}
        for name in bounced - gone
    }
    staff = at(*parties, DESK, **more)
    for owner in "abcde":
        found = owner_of(staff, owner).party
        assert found.id not in staff.away and found.id not in staff.former
        assert found.id in {"desk", owner} or found.id in {
            *substitutes.values(),
            *absences.values(),
        }
        for word in ("caller", "substitute", "manager of caller"):
            reached = reach(
                word,
                open_case_of(owner),
                customer(),
                Routing(roles={"default": Role(person="desk")}),
                staff,
            )
            assert reached.party.id not in staff.away


# Turns


def turns(
    team: Team, *members: Party, moment: datetime = NOW, taken: dict[str, int] | None = None
) -> Assignment:
    roles = {"desk": Role(team=team.id), "default": Role(person="desk")}
    staff = at(team, *members, DESK, moment=moment, taken={team.id: taken or {}})
    return fill_role("desk", customer(), "key", Routing(roles=roles), staff, to_call=True)


def team(turn: str = "week", **more: Any) -> Team:
    return Team(
        **{
            "id": "service",
            "name": "Service",
            "members": ("ann", "ben", "cid"),
            "turn": turn,
            **more,
        }
    )


MEMBERS = (party("ann"), party("ben"), party("cid"))


def test_a_team_takes_turns_by_the_week_from_a_declared_day_on() -> None:
    weekly = team(begins="2026-03-02")
    asked = [turns(weekly, *MEMBERS, moment=NOW + timedelta(weeks=n)).party.id for n in range(4)]
    assert asked == ["ann", "ben", "cid", "ann"]
    assert turns(weekly, *MEMBERS).why == (
        "desk (team Service): it is the turn of Ann (week 1 since 2026-03-02)",
    )
    before = turns(weekly, *MEMBERS, moment=NOW - timedelta(weeks=1))
    assert before.party.id == "cid"


def test_a_day_of_a_team_begins_at_its_own_midnight() -> None:
    daily = team("day", begins="2026-03-06", time_zone="Europe/Berlin")
    last = datetime(2026, 3, 6, 22, 59, 59, tzinfo=UTC)
    assert [
        turns(daily, *MEMBERS, moment=moment).party.id
        for moment in (last, last + timedelta(seconds=1))
    ] == ["ann", "ben"]


def test_by_case_it_is_whoever_had_one_the_longest_ago() -> None:
    by_case = team("case")
    assert turns(by_case, *MEMBERS).why == (
        "desk (team Service): it is the turn of Ann (who has had no case yet)",
    )
    later = turns(by_case, *MEMBERS, taken={"ann": 3, "ben": 1, "cid": 2})
    assert later.party.id == "ben"
    assert later.why == (
        "desk (team Service): it is the turn of Ben (whose last case is the longest ago)",
    )


def test_members_who_are_away_or_have_left_are_skipped_and_the_reason_says_so() -> None:
    ann = party("ann", absences=(absent(),), substitute="desk")
    found = turns(team(begins="2026-03-02", members=("ann", "gone", "cid")), ann, party("cid"))
    assert found.party.id == "cid"
    assert found.why == (
        "desk (team Service): it is the turn of Ann (week 1 since 2026-03-02), "
        "Ann is absent from 2026-03-02 to 2026-03-08, gone is not in people.yaml, Cid is next",
    )
    nobody = turns(team(members=("ann",)), ann)
    assert nobody.party.id == "desk"
    assert nobody.why[0].endswith("Ann is absent from 2026-03-02 to 2026-03-08: nobody is left")


@unhurried
@given(away=st.sets(st.sampled_from("abcdef"), max_size=5), cases=st.integers(1, 30))
def test_by_case_everybody_who_is_there_gets_the_same_number_of_cases(
    away: set[str], cases: int
) -> None:
    members = tuple("abcdef")
    parties = [party(name, absences=(absent(),) if name in away else ()) for name in members]
    taken: dict[str, int] = {}
    had: dict[str, int] = {name: 0 for name in members if name not in away}
    for number in range(1, cases + 1):
        found = turns(team("case", members=members), *parties, taken=taken).party.id
        taken[found] = number
        had[found] += 1
    assert max(had.values()) - min(had.values()) <= 1


# The file


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
