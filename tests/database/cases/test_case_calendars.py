"""Promises on calendars, acknowledgements that go stale, policies that move open cases."""

import pytest
from sqlalchemy import select

from alerting.database.tables import clock
from alerting.domain.cases.cases import Status
from alerting.services.cases import acts
from alerting.services.rulebook.move_open_cases import move_open_cases
from tests.support.builders import changed, starter_people
from tests.support.cases.work import (
    BERLIN,
    OF_FIXER,
    H,
    activated,
    do,
    due,
    hours,
    let_wait,
    with_file,
)
from tests.support.world import BEGIN, World, recipients


def test_pauses_count_only_where_they_overlap_working_time(world: World) -> None:
    """Two waits on a calendar: over the week-end, and over Tuesday noon. 24 working hours end on
    Thursday at 12:30.
    """
    activated(
        world,
        with_file("calendars", BERLIN, sla=("within: 24h", "within: 24h\n      calendar: berlin")),
    )
    world.known_customers()
    world.take(
        world.survey(score=2)
    )  # Friday 09:30 in Berlin: 24 h would end on Wednesday at 09:30
    assert due(world) == 120
    world.pass_time(hours=8)  # Friday 17:30
    let_wait(world)
    world.pass_time(days=2, hours=12)  # Monday 05:30
    do(world, acts.GoOn())
    assert due(world) == 120
    world.pass_time(days=1, hours=6)  # Tuesday 11:30
    let_wait(world)
    world.pass_time(hours=3)
    do(world, acts.GoOn())
    assert due(world) == 123
    world.pass_time(hours=1)  # Tuesday 15:30
    world.reached("ACME-AERO", "vp_sales")
    kept = world.clocks("ACME-AERO")["contact"]
    assert (hours(kept.worked or H), kept.met, kept.calendar) == (7.5 + 8 + 2.5 + 1, True, "berlin")


# Whose calendar, and policies that are edited


LATE = 'late: {time_zone: Europe/Berlin, hours: {mon-fri: ["12:00-20:00"]}}\n'


@pytest.mark.parametrize(
    ("own", "calendar", "length"),
    [(None, "berlin", 72), ("late", "late", 10.5), ("gone", "berlin", 72)],
)
def test_a_promise_on_the_calendar_of_whoever_owes_it(
    world: World, own: str | None, calendar: str, length: float
) -> None:
    """From Friday at 09:30 in Berlin; whoever has no calendar works by that of the settings."""
    people = dict(starter_people())
    people["office_berlin"] = people["office_berlin"].model_copy(update={"calendar": own})
    activated(world, with_file("calendars", BERLIN + LATE, **OF_FIXER), people)
    world.known_customers()
    world.take(world.survey(score=2))
    assert (due(world, "resolve"), world.clocks("ACME-AERO")["resolve"].calendar) == (
        length,
        calendar,
    )
    assert due(world) == 24


@pytest.mark.parametrize(("moves", "length"), [(True, 8), (False, 24)])
def test_open_cases_move_with_their_policy_where_it_says_so(
    unhappy: World, moves: bool, length: int
) -> None:
    word = "open_cases: move\n    starts" if moves else "starts"
    files = changed(sla=("within: 24h", "within: 8h"))
    files["rules/sla.yaml"] = (
        files["rules/sla.yaml"].replace("starts", word, 1).replace("before: 12h", "before: 2h", 1)
    )
    unhappy.pass_time(hours=1)
    activated(unhappy, files)
    assert move_open_cases(unhappy.app.ctx) == int(moves)
    assert move_open_cases(unhappy.app.ctx) == 0
    assert due(unhappy) == length
    assert unhappy.clocks("ACME-AERO")["contact"].plan == 1 + moves
    unhappy.pass_time(hours=5)
    unhappy.tick()
    subjects = [mail.subject for mail in unhappy.deliver() if mail.subject.startswith("Reminder")]
    assert len(subjects) == int(moves)


def test_moving_a_policy_makes_nothing_late_after_the_fact(unhappy: World) -> None:
    files = changed(sla=("within: 24h", "within: 1h"))
    edited = files["rules/sla.yaml"].replace("starts", "open_cases: move\n    starts", 1)
    edited = edited.replace("before: 12h", "before: 30m", 1).replace("before: 4h", "before: 10m", 1)
    unhappy.pass_time(hours=3)
    activated(unhappy, {**files, "rules/sla.yaml": edited})
    move_open_cases(unhappy.app.ctx)
    assert due(unhappy) == 24


# Words that nothing follows


def test_an_acknowledgement_followed_by_nothing_is_taken_back(world: World) -> None:
    activated(world, changed(sla=("within: 4h", "within: 4h\n      stale_after: 6h")))
    world.known_customers()
    world.take(world.survey(score=2))
    world.deliver()
    world.acknowledged("ACME-AERO", "vp_sales")
    world.pass_time(hours=5)
    world.reached("ACME-AERO", "vp_sales", outcome="voicemail")
    world.pass_time(hours=1)
    world.tick()
    assert world.case("ACME-AERO").status is Status.ACKNOWLEDGED  # an attempt has followed
    world.pass_time(hours=5)
    world.tick()
    assert world.case("ACME-AERO").status is Status.OPEN
    again = world.clocks("ACME-AERO")["acknowledge"]
    assert (again.plan, again.running, hours(again.due_at - BEGIN)) == (2, True, 15)
    subjects = [mail.subject for mail in world.deliver()]
    assert "You said you would call Acme Aerospace: is it still yours? - C-1" in subjects
    world.acknowledged("ACME-AERO", "vp_sales")
    assert world.clocks("ACME-AERO")["acknowledge"].met
    world.reached("ACME-AERO", "vp_sales")
    world.pass_time(days=2)
    world.tick()
    assert world.case("ACME-AERO").status is Status.CONTACTED


def test_steps_wait_for_their_readers_working_hours_unless_they_are_urgent(world: World) -> None:
    steps = (
        "{before: 12h, notify: caller}",
        "{before: 12h, notify: caller}\n        - {before: 11h, notify: ceo, urgent: true}",
    )
    files = with_file("calendars", BERLIN, sla=steps)
    files["rules/escalations/key_accounts.yaml"] = files[
        "rules/escalations/key_accounts.yaml"
    ].replace("critical", "high")
    files["rules/routing.yaml"] = files["rules/routing.yaml"].replace(
        "roles:\n", "roles:\n  ceo: {person: ceo}\n", 1
    )
    people = {p.id: p.model_copy(update={"calendar": "berlin"}) for p in starter_people().values()}
    activated(world, files, people)
    world.known_customers()
    world.take(world.survey(score=2))
    world.acknowledged("ACME-AERO", "vp_sales")
    world.deliver()
    world.pass_time(hours=13)  # 22:30 in Berlin
    world.tick()
    assert recipients(world.deliver()) == ["ceo"]
    world.pass_time(hours=7)
    world.tick()
    assert world.deliver() == []
    world.pass_time(days=2, hours=4)  # Monday 09:30
    world.tick()
    assert "vp.sales" in recipients(world.deliver())


def test_a_late_acknowledgement_stays_late_when_it_goes_stale(world: World) -> None:
    activated(world, changed(sla=("within: 4h", "within: 4h\n      stale_after: 6h")))
    world.known_customers()
    world.take(world.survey(score=2))
    world.pass_time(hours=10)
    world.acknowledged("ACME-AERO", "vp_sales")
    world.pass_time(hours=6)
    world.tick()
    world.acknowledged("ACME-AERO", "vp_sales")
    rows = world.rows(select(clock).where(clock.c.kind == "acknowledge").order_by(clock.c.plan))
    assert [(row.stopped_at <= row.due_at, row.superseded_at) for row in rows] == [
        (False, None),
        (True, None),
    ]


def test_a_contract_nobody_can_keep_leaves_the_policys_promise(world: World) -> None:
    world.known_customers()
    far = {"contact": "87840h", "calendar": "berlin"}
    activated(
        world,
        with_file(
            "calendars", 'berlin: {time_zone: Europe/Berlin, hours: {mon: ["09:00-09:05"]}}\n'
        ),
    )
    world.take(world.customer("ACME-AERO", contract=far))
    world.take(world.survey(score=2))
    assert due(world) == 24
