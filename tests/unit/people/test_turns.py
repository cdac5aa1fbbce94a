"""Teams that take turns, by the week or by the case."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.people.people import Party, Team
from alerting.domain.routing.fill_role import Assignment, fill_role
from alerting.domain.routing.routing import Role, Routing
from tests.support.builders import NOW, customer, party, unhurried
from tests.support.people.staff import DESK, absent, at, team


def turns(
    team: Team, *members: Party, moment: datetime = NOW, taken: dict[str, int] | None = None
) -> Assignment:
    roles = {"desk": Role(team=team.id), "default": Role(person="desk")}
    staff = at(team, *members, DESK, moment=moment, taken={team.id: taken or {}})
    return fill_role("desk", customer(), "key", Routing(roles=roles), staff, to_call=True)


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
