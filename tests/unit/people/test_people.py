"""People: who holds a role for a customer, why, and who comes next when somebody cannot be
reached.
"""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alerting.domain.people.people import Party
from alerting.domain.routing.fill_role import Assignment, fill_role
from alerting.domain.routing.routing import Role, Routing, Territory
from alerting.domain.routing.staff import Staff
from tests.support.builders import (
    STRANGER,
    customer,
    party,
    rulebook,
    staff,
    starter_people,
    unhurried,
)

EVERYBODY = Staff(parties=starter_people())
ROUTING = rulebook().routing


def filled(
    role: str, segment: str = "low_potential", routing: Routing = ROUTING, **state: Any
) -> Assignment:
    return fill_role(role, customer(**state), segment, routing, EVERYBODY)


@pytest.mark.parametrize(
    ("state", "segment", "who"),
    [
        ({"owner": "owner_west", "country": "DE"}, "key", "owner_west"),
        (
            {"owner": "Owner.West@Example.com"},
            "key",
            "owner_west",
        ),  # an owner may be written as a mail address
        ({"owner": "gone", "country": "US"}, "key", "lead_america"),
        (
            {"country": "US", "industry": "healthcare"},
            "key",
            "lead_america",
        ),  # first of: the territory comes first
        ({"country": "FR", "industry": "healthcare"}, "key", "specialist_healthcare"),
        ({"country": "FR", "industry": "Healthcare"}, "key", "specialist_healthcare"),
        ({"country": "FR"}, "key", "vp_sales"),
        ({"country": "FR"}, "low_potential", "service_desk_lead"),
        ({}, "unverified", "service_desk_lead"),
    ],
)
def test_the_account_owner_is_the_first_who_can_be_found(
    state: dict[str, Any], segment: str, who: str
) -> None:
    assert filled("account_owner", segment, **state).party.id == who


def test_the_reasons_tell_every_step_that_led_there() -> None:
    assert filled("account_owner", "low_potential", owner="gone", country="FR").why == (
        "account owner: gone is not in people.yaml",
        "territory_lead (territory): nobody",
        "industry_lead (industry): nobody",
        "segment_lead (segment low_potential): nobody",
        "default: Dora Sample",
    )
    assert filled("vp_sales").why == ("vp_sales: Vera Sample",)


def test_what_nobody_holds_goes_to_default_and_says_so() -> None:
    nobody = fill_role("local_office", STRANGER, "unverified", ROUTING, EVERYBODY)
    assert nobody.party.id == "service_desk_lead"
    assert nobody.role == "local_office"
    assert nobody.why[-2:] == ("nobody holds local_office: goes to default", "default: Dora Sample")
    unheard_of = filled("no_such_role")
    assert unheard_of.party.id == "service_desk_lead"
    assert unheard_of.why[0] == "no_such_role: no such role"


def test_a_default_that_names_nobody_is_an_error_with_its_reasons() -> None:
    with pytest.raises(LookupError, match=r"ghost is not in people\.yaml"):
        filled("default", routing=Routing(roles={"default": Role(person="ghost")}))


@pytest.mark.parametrize(
    ("state", "office"),
    [
        ({"country": "DE"}, "country"),
        ({"country": "de", "region": "bavaria"}, "region"),
        ({"country": "DE", "region": "Bavaria", "city": "Munich"}, "city"),
        ({"country": "DE", "region": "Bavaria", "city": "Augsburg"}, "region"),
        (
            {"country": "DE", "city": "Munich"},
            "country",
        ),  # a city alone does not say which region it means
        ({"country": "FR", "region": "Bavaria"}, "default"),
        ({}, "default"),
    ],
)
def test_the_most_specific_territory_counts(state: dict[str, Any], office: str) -> None:
    territories = (
        Territory(country="DE", office="country"),
        Territory(country="DE", region="Bavaria", city="Munich", office="city"),
        Territory(country="DE", region="Bavaria", office="region"),
    )
    roles = {"local_office": Role(territory="office"), "default": Role(person="default")}
    everybody = staff(*(party(name) for name in ("country", "region", "city", "default")))
    routing = Routing(roles=roles, territories=territories)
    assert (
        fill_role("local_office", customer(**state), "key", routing, everybody).party.id == office
    )


@pytest.mark.parametrize(
    ("already", "heir"),
    [
        (set(), "stand_in"),
        ({"stand_in"}, "desk"),
        ({"stand_in", "desk"}, "boss"),
        ({"stand_in", "desk", "boss"}, "chief"),
        ({"stand_in", "desk", "boss", "chief"}, None),
        ({"boss"}, "stand_in"),
    ],
)
def test_whoever_cannot_be_reached_is_replaced_by_substitute_then_default_then_managers(
    already: set[str], heir: str | None
) -> None:
    ann = party("ann", substitute="stand_in", manager="boss")
    everybody = staff(
        ann, party("stand_in"), party("desk"), party("boss", manager="chief"), party("chief")
    )
    found = everybody.next_responsible(ann, "desk", {"ann", *already})
    assert (found.id if found else None) == heir


def test_managers_in_a_circle_end_the_search() -> None:
    ann, ben = party("ann", manager="ben"), party("ben", manager="ann")
    assert staff(ann, ben).next_responsible(ann, None, {"ann", "ben"}) is None
    alone = party("alone", manager="gone", substitute="gone")
    assert staff(alone).next_responsible(alone, None, {"alone"}) is None


NAMES = st.sampled_from("abcde")


@unhurried
@given(managers=st.dictionaries(NAMES, NAMES), substitutes=st.dictionaries(NAMES, NAMES))
def test_passing_on_always_ends_and_meets_nobody_twice(
    managers: dict[str, str], substitutes: dict[str, str]
) -> None:
    everybody = staff(
        *(
            party(name, manager=managers.get(name), substitute=substitutes.get(name))
            for name in "abcde"
        )
    )
    met: list[str] = ["a"]
    current: Party | None = everybody.parties["a"]
    while current is not None:
        current = everybody.next_responsible(current, "c", set(met))
        met += [current.id] if current else []
        assert len(met) <= 5
    assert len(set(met)) == len(met)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "a@b@c",
        "a b@c.de",
        "Ann <a@b.de>",
        "a@b.de, c@d.de",
        "a@b.de\nBcc: x@y.z",
        "jürgen@b.de",
    ],
)
def test_a_person_has_one_plain_mail_address(email: str) -> None:
    with pytest.raises(ValidationError, match="email"):
        party("ann", email=email)


def test_a_persons_time_zone_exists() -> None:
    with pytest.raises(ValidationError, match="Europe/Berln"):
        party("ann", time_zone="Europe/Berln")
    assert party("ann", time_zone="Asia/Tokyo").zone.key == "Asia/Tokyo"


def test_an_office_is_passed_over_where_somebody_must_call() -> None:
    """`owner: office_berlin` names no person who could pick up a phone."""
    office, ann, desk = party("berlin", kind="office"), party("ann"), party("desk")
    roles = {"owner": Role(first_of=["customer.owner", "default"]), "default": Role(person="desk")}
    everybody = staff(office, ann, desk)
    for owner, caller in (("berlin", "desk"), ("ann", "ann")):
        found = fill_role(
            "owner", customer(owner=owner), "key", Routing(roles=roles), everybody, to_call=True
        )
        assert found.party.id == caller
    assert (
        fill_role(
            "owner", customer(owner="berlin"), "key", Routing(roles=roles), everybody
        ).party.id
        == "berlin"
    )


@pytest.mark.parametrize(
    "address",
    ["a@b.", "a@b..c", "a@[1", "a@)b", "a..b@c.d", ".a@b.c", "a@-b.c", "a b@c.d", "a@b@c"],
)
def test_an_address_no_mail_server_would_take_is_refused_when_it_is_read(address: str) -> None:
    with pytest.raises(ValidationError, match="is not one mail address"):
        party("ann", email=address)


def test_unusual_addresses_that_are_right_are_taken() -> None:
    for address in ("o'neil+alerts@sub.example.com", "a_b-c@localhost", "1@2.example"):
        assert party("ann", email=address).email == address


@pytest.mark.parametrize(
    ("hours_", "at", "until"),
    [
        ("20:00-07:00", "2026-03-06T22:40+01:00", "2026-03-07T07:00+01:00"),
        ("20:00-07:00", "2026-03-07T03:00+01:00", "2026-03-07T07:00+01:00"),
        ("20:00-07:00", "2026-03-07T07:00+01:00", None),
        ("20:00-07:00", "2026-03-06T19:59+01:00", None),
        ("12:00-13:30", "2026-03-06T12:00+01:00", "2026-03-06T13:30+01:00"),
        (
            "20:00-07:00",
            "2026-03-28T23:00+01:00",
            "2026-03-29T07:00+02:00",
        ),  # the clocks change that night
        (None, "2026-03-06T22:40+01:00", None),
    ],
)
def test_quiet_hours_are_of_the_readers_own_zone(
    hours_: str | None, at: str, until: str | None
) -> None:
    ann = party("ann", time_zone="Europe/Berlin", quiet_hours=hours_)
    found = ann.quiet_until(datetime.fromisoformat(at))
    assert found == (datetime.fromisoformat(until) if until else None)


@pytest.mark.parametrize("wrong", ["20-7", "20:00", "24:00-07:00", "20:00-20:00", "20:00 - 07:00"])
def test_hours_that_are_none_are_refused(wrong: str) -> None:
    with pytest.raises(ValidationError, match="write them as 20:00-07:00"):
        party("ann", quiet_hours=wrong)
