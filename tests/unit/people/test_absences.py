"""Absences and refused addresses: who is asked instead, with the reason."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alerting.domain.cases.escalations import reach
from alerting.domain.people.people import Party
from alerting.domain.routing.fill_role import Assignment, fill_role
from alerting.domain.routing.routing import Role, Routing
from alerting.domain.routing.staff import Staff
from tests.support.builders import customer, party, unhurried
from tests.support.people.staff import DESK, NAMES, absent, at, open_case_of


def owner_of(staff: Staff, owner: str = "ann", **options: Any) -> Assignment:
    roles = {"owner": Role(first_of=["customer.owner", "default"]), "default": Role(person="desk")}
    return fill_role("owner", customer(owner=owner), "key", Routing(roles=roles), staff, **options)


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
