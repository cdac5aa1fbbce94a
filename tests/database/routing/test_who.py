"""`alerting who`: who is responsible and every step that led there; and the territories behind
it.
"""

import json
from datetime import timedelta
from typing import Any

import pytest

from alerting.services.cases.case_view import case_view
from alerting.services.routing.who import RoleLine, who
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import changed
from tests.support.installation import Run
from tests.support.world import World


def line(world: World, key: str, role: str, **options: Any) -> RoleLine:
    (found,) = who(world.app.ctx, key, role=role, **options).roles
    return found


def test_every_role_has_its_person_the_steps_and_who_comes_next(world: World) -> None:
    world.known_customers()
    found = who(world.app.ctx, "ALPENWERK")
    assert (found.customer["name"], found.customer["segment"]) == ("Alpenwerk", "high_potential")
    held = {role.role: role.party for role in found.roles}
    assert held == {
        "default": "service_desk_lead",
        "vp_sales": "vp_sales",
        "account_owner": "owner_north",
        "local_office": "office_munich",
        "territory_lead": "lead_central",
        "industry_lead": "service_desk_lead",
        "segment_lead": "head_of_service",
    }
    owner = line(world, "ALPENWERK", "account_owner")
    assert owner.why == ["account owner: Olga Sample"]
    assert owner.next == ["Lena Sample", "Hugo Sample", "Dora Sample", "Cora Sample"]
    assert line(world, "ALPENWERK", "local_office").why == [
        "local_office (territory DE, Bavaria): Munich office"
    ]
    assert line(world, "ALPENWERK", "industry_lead").why == [
        "industry_lead (industry): nobody",
        "nobody holds industry_lead: goes to default",
        "default: Dora Sample",
    ]


def test_it_answers_as_of_a_moment_by_the_facts_and_rules_of_then(world: World) -> None:
    world.known_customers()
    before = world.now()
    world.pass_time(days=1)
    world.take(
        world.envelope("customer.updated", {"customer_id": "ALPENWERK", "owner": "owner_west"})
    )
    world.take(world.envelope("person.updated", {"person_id": "vp_sales", "name": "Vera Married"}))
    files = changed(routing=("vp_sales: {person: vp_sales}", "vp_sales: {person: ceo}"))
    activate_rulebook(world.app.ctx, files, {}, author="test", reason="another one")
    assert line(world, "ALPENWERK", "account_owner").party == "owner_west"
    assert line(world, "ALPENWERK", "vp_sales").party == "ceo"
    assert line(world, "ALPENWERK", "account_owner", moment=before).party == "owner_north"
    assert line(world, "ALPENWERK", "vp_sales", moment=before).name == "Vera Sample"


def test_an_absence_ahead_can_be_asked_for(world: World) -> None:
    world.known_customers()
    absence = {"from": "2026-03-20", "to": "2026-03-27", "substitute": "owner_west"}
    world.take(
        world.envelope("person.updated", {"person_id": "owner_north", "absences": [absence]})
    )
    assert line(world, "ALPENWERK", "account_owner").party == "owner_north"
    later = who(world.app.ctx, "ALPENWERK", world.now() + timedelta(days=14), "account_owner")
    assert later.roles[0].why == [
        "account owner: Olga Sample is absent from 2026-03-20 to 2026-03-27, Otto Sample stands in"
    ]
    assert later.notes == ["this lies ahead: it holds if nothing changes until then"]


def test_an_unknown_customer_is_explained_too(world: World) -> None:
    world.known_customers()
    found = who(world.app.ctx, "ALPENWERX")
    assert (found.customer["known"], found.customer["segment"]) == (False, "unverified")
    assert found.notes == [
        "nobody has told us of a customer 'ALPENWERX' (did you mean 'ALPENWERK'?); an event about "
        "it would go to these people"
    ]
    assert {role.party for role in found.roles} == {"service_desk_lead", "vp_sales"}


def test_a_role_nobody_has_declared_is_named_with_the_nearest(small_world: World) -> None:
    with pytest.raises(
        LookupError, match="no role is called 'acount_owner'; did you mean 'account_owner'"
    ):
        who(small_world.app.ctx, "X", role="acount_owner")


def test_the_command_says_it_in_lines_and_in_json(migrated: Run) -> None:
    told = migrated("who", "ACME", "--role", "account_owner")
    assert told.returncode == 0
    assert told.stdout.splitlines()[1:] == [
        "  segment unverified: we know nothing of this customer yet",
        "  owner unknown, territory unknown, industry unknown",
        "account_owner: Dora Sample (service_desk_lead)",
        "  - account owner: nobody",
        "  - territory_lead (territory): nobody",
        "  - industry_lead (industry): nobody",
        "  - segment_lead (segment unverified): nobody",
        "  - default: Dora Sample",
        "  if mail is refused: Hugo Sample, then Cora Sample",
        "Note: nobody has told us of a customer 'ACME'; an event about it would go to these people",
    ]
    found = json.loads(migrated("who", "ACME", "--json", "--at", "2026-03-06").stdout)
    assert found["at"] == "2026-03-06T23:59:59.999999+00:00"
    assert found["roles"][0]["role"] == "default"
    wrong = migrated("who", "ACME", "--at", "yesterday")
    assert (wrong.returncode, "is not a time; write 2026-03-06" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("owner", "away", "why"),
    [
        (None, (), "the role territory lead, as there is no account owner"),
        ("owner_north", (), "the role account owner"),
        (
            "owner_north",
            ("owner_north",),
            "the role account owner, as Olga Sample is absent from 2026-03-05 to 2026-03-15, "
            "Lena Sample stands in",
        ),
    ],
)
def test_whoever_calls_is_told_why_in_words_of_the_role(
    world: World, owner: str | None, away: tuple[str, ...], why: str
) -> None:
    world.take(world.customer("NOBODYS", owner=owner, country="DE", region="Bavaria"))
    for person in away:
        begin = (world.now() - timedelta(days=1)).date().isoformat()
        end = (world.now() + timedelta(days=9)).date().isoformat()
        facts = {"person_id": person, "absences": [{"from": begin, "to": end}]}
        world.take(world.envelope("person.updated", facts))
    world.take(world.survey("NOBODYS", id="bad"))
    case = world.case("NOBODYS")
    assert case.id is not None
    with world.app.ctx.db.read() as tx:
        view = case_view(tx, world.app.ctx.shelf.active(tx), case.id)
    assert view.why_caller == [why]
