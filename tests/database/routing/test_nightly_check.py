"""The check of every night: one mail a day at most, and only where something has changed."""

from typing import Any

import pytest
from sqlalchemy import select

from alerting.database.tables import audit_entry, notification, people_check
from alerting.services.routing.nightly_check import check_of_the_night
from tests.support.mail.smtp_post import over_smtp
from tests.support.world import World, recipients


def night(world: World) -> int | None:
    return check_of_the_night(world.app.ctx)


@pytest.fixture
def watched(world: World) -> World:
    """The sample's customers, in order."""
    world.known_customers()
    return world


def test_where_all_is_well_nobody_hears_anything(watched: World) -> None:
    assert night(watched) == 0
    assert watched.deliver() == []


def test_whoever_holds_default_hears_once_what_is_new_and_later_what_is_mended(
    watched: World,
) -> None:
    watched.take(watched.envelope("person.removed", {"person_id": "owner_north"}))
    problems = night(watched)
    assert problems
    (mail,) = watched.deliver()
    assert recipients([mail]) == ["service.desk"]
    assert mail.subject == f"Who is responsible: {problems} problem{'s' if problems != 1 else ''}"
    new = "- owner gone: Olga Sample has left and owns 2 customers (such as ACME-AERO, ALPENWERK)"
    assert mail.text.splitlines()[2:4] == ["NEW", new]
    assert night(watched) is None  # once a day
    watched.pass_time(days=1)
    assert night(watched) == problems
    assert watched.deliver() == []  # nothing new
    watched.pass_time(days=1)
    watched.take(watched.envelope("person.updated", {"person_id": "owner_north", "active": True}))
    assert night(watched) == 0
    (mended,) = watched.deliver()
    assert mended.subject == "Who is responsible: all problems mended"
    assert mended.text.splitlines()[2:4] == ["MENDED", new]


def test_before_the_night_is_late_enough_nothing_is_checked(watched: World) -> None:
    watched.pass_time(hours=17)  # 01:30 in UTC
    assert night(watched) is None
    assert watched.rows(select(people_check)) == []


def test_with_the_admin_absent_whoever_stands_in_hears(watched: World) -> None:
    absences = [{"from": "2026-03-01", "to": "2026-03-31"}]
    watched.take(
        watched.envelope("person.removed", {"person_id": "owner_north"}),
        watched.envelope(
            "person.updated", {"person_id": "service_desk_lead", "absences": absences}
        ),
    )
    night(watched)
    assert recipients(watched.deliver()) == ["head.of.service"]


def test_a_refused_notice_ends_there_and_the_address_is_remembered(
    watched: World, smtp: Any
) -> None:
    over_smtp(watched, smtp)
    smtp.refuse["service.desk@example.com"] = "550 no such user"
    watched.take(watched.envelope("person.removed", {"person_id": "owner_north"}))
    night(watched)
    watched.deliver()
    (row,) = watched.rows(select(notification))
    assert (row.status, row.case_id) == ("failed", None)
    actions = [
        (e.action, e.subject_kind)
        for e in watched.rows(select(audit_entry).order_by(audit_entry.c.id))
    ]
    assert ("notification.refused", "check") in actions and (
        "person.unreachable",
        "person",
    ) in actions
    watched.pass_time(days=1)
    watched.take(watched.envelope("person.updated", {"person_id": "ceo", "name": "Cora"}))
    night(watched)  # the refused address itself is something new
    watched.deliver()
    assert [m.rcpt_tos[0] for m in smtp.messages] == ["head.of.service@example.com"]


def test_quiet_hours_and_a_digest_of_the_reader_hold_and_do_not_lose_it(small_world: World) -> None:
    small_world.known_customers()
    desk = {"person_id": "service_desk_lead", "quiet_hours": "09:00-11:00", "digest": "2h"}
    small_world.take(
        small_world.envelope("person.updated", desk),
        small_world.envelope("person.removed", {"person_id": "owner_north"}),
    )
    night(small_world)
    assert small_world.deliver() == []
    small_world.pass_time(hours=2)
    assert recipients(small_world.deliver()) == ["service.desk"]
