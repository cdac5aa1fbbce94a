"""Territories: what each lacks comes from the one around it."""

from typing import Any

import pytest

from alerting.domain.routing.fill_role import fill_role
from alerting.domain.routing.routing import Role, Routing, Territory
from tests.support.builders import changed, customer, party, problems_of, staff

PARTIES = staff(*(party(name) for name in ("land", "bavaria", "munich", "desk")))


def led(what: str, territories: tuple[Territory, ...], **state: Any) -> list[str]:
    roles = {
        "lead": Role(territory="lead"),
        "office": Role(territory="office"),
        "default": Role(person="desk"),
    }
    found = fill_role(
        what, customer(**state), "key", Routing(roles=roles, territories=territories), PARTIES
    )
    return [found.party.id, *found.why]


TREE = (
    Territory(country="DE", office="land", lead="land"),
    Territory(country="DE", region="Bavaria", lead="bavaria"),
    Territory(country="DE", region="Bavaria", city="München", office="munich"),
)


IN_MUNICH = {"country": "DE", "region": "Bavaria", "city": "Munchen"}


def test_a_territory_has_what_it_lacks_from_the_one_around_it() -> None:
    assert led("office", TREE, **IN_MUNICH) == [
        "munich",
        "office (territory DE, Bavaria, München): Munich",
    ]
    assert led("lead", TREE, **IN_MUNICH) == ["bavaria", "lead (territory DE, Bavaria): Bavaria"]
    assert led("office", TREE, country="DE", region="bavaria ") == [
        "land",
        "office (territory DE): Land",
    ]


def test_where_the_nearest_lead_has_left_the_one_around_it_is_asked() -> None:
    gone = (TREE[0], Territory(country="DE", region="Bavaria", lead="gone"))
    assert led("lead", gone, country="DE", region="Bavaria") == [
        "land",
        "lead (territory DE, Bavaria): gone is not in people.yaml",
        "lead (territory DE): Land",
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Baden-Württemberg", "baden wurttemberg"),
        ("Île de France", "ile-de-france"),
        ("São Paulo", "SAO  PAULO"),
    ],
)
def test_regions_are_the_same_however_they_are_written(written: str, said: str) -> None:
    place = Territory(country="de", region=written, office="land")
    assert place.fits(customer(country="DE", region=said)) == 2
    assert place.fits(customer(country="DE", region="Hesse")) == 0


def test_a_country_may_be_written_by_its_name() -> None:
    assert [
        Territory(country=name, lead="land").country
        for name in ("Germany", "de", "Österreich", "USA")
    ] == ["DE", "DE", "AT", "US"]


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (
            ("- {country: US,", "- {country: Germny,"),
            "no ISO 3166 alpha-2 code; did you mean 'DE'?",
        ),
        (
            ("office: office_berlin, lead: lead_central}", "city: Berlin}"),
            "a territory has an office, a lead or both",
        ),
        (("vp_sales: {person: vp_sales}", "vp_sales: {team: crewe}"), "no team is called 'crewe'"),
        (("open_cases: move", "open_cases: drop"), "must be 'move' or 'keep'"),
        (
            ("vp_sales: {person: vp_sales}", "vp_sales: {person: vp_sales, team: a}"),
            "a role has exactly one of",
        ),
    ],
)
def test_a_routing_that_does_not_fit_is_refused(edit: tuple[str, str], problem: str) -> None:
    assert any(problem in str(found) for found in problems_of(changed(routing=edit)))
