"""An address that was refused is remembered until it changes."""

from typing import Any

import pytest

from alerting.domain.errors import ActionRefused
from alerting.services.people.import_people import mark_reachable
from tests.support.mail.smtp_post import over_smtp
from tests.support.people.facts import person, staff
from tests.support.world import World


def test_a_refused_address_is_remembered_and_the_next_case_goes_to_whoever_stands_in(
    world: World, smtp: Any
) -> None:
    world.known_customers()
    over_smtp(world, smtp)
    smtp.refuse["owner.north@example.com"] = "550 5.1.1 no such user"
    world.take(world.survey("ALPENWERK"))
    world.deliver()
    away = staff(world).away["owner_north"]
    assert away.words == "cannot be reached (mail to this address was refused on 2026-03-06)"
    world.take(world.survey("KIOSK-9"), world.customer("KIOSK-9", owner="owner_north"))
    assert world.case("KIOSK-9").caller == "lead_central"
    assert mark_reachable(world.app.ctx, "owner_north", "admin").name == "Olga Sample"
    assert staff(world).away == {}
    with pytest.raises(ActionRefused, match="no mail to Olga Sample was refused"):
        mark_reachable(world.app.ctx, "owner_north", "admin")


def test_a_new_address_is_tried_again(small_world: World, smtp: Any) -> None:
    small_world.known_customers()
    over_smtp(small_world, smtp)
    smtp.refuse["owner.north@example.com"] = "550 no such user"
    small_world.take(small_world.survey("ALPENWERK"))
    small_world.deliver()
    small_world.take(person(small_world, "owner_north", email="olga@example.com"))
    assert staff(small_world).away == {}


@pytest.mark.parametrize("answer", ["550 5.7.1 relaying denied", "451 try later"])
def test_what_the_server_says_of_us_says_nothing_of_the_address(
    small_world: World, smtp: Any, answer: str
) -> None:
    small_world.known_customers()
    over_smtp(small_world, smtp)
    smtp.refuse["owner.north@example.com"] = answer
    small_world.take(small_world.survey("ALPENWERK"))
    small_world.deliver()
    assert staff(small_world).away == {}
