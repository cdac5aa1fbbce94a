"""Intake: from a record to alerts and cases; bad input; nothing lost, nothing twice."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from alerting.database.alerts import unknown_conditions
from alerting.database.intake import positions
from alerting.database.intake.positions import Partition
from alerting.database.tables import (
    alert,
    case_file,
    customer_version,
    dead_letter,
    event,
    notification,
    position_gap,
    signal_point,
)
from alerting.domain.errors import PositionMoved
from alerting.services.customers.prune_points import prune_points
from alerting.services.intake.take_records import Batch, take_batch
from tests.support.world import BEGIN, World, recipients

PARTITION = Partition(cluster="c", topic="surveys", topic_id="t", partition=0)


def test_a_key_accounts_bad_survey_reaches_the_vp_the_office_and_the_owner(world: World) -> None:
    world.known_customers()
    world.take(world.survey("ACME-AERO", score=2))
    mails = world.deliver()
    assert recipients(mails) == ["office.berlin", "owner.north", "vp.sales"]
    call = next(mail for mail in mails if "vp.sales" in mail.to)
    assert call.subject == "Call Acme Aerospace by Sat 7 Mar 09:30 - key account, NPS 2"
    assert "It still leaks." in call.text


def test_calls_in_vain_alert_on_the_third_call_and_a_solved_call_starts_anew(world: World) -> None:
    world.known_customers()
    assert world.take(world.call()).alerts == 0
    assert world.take(world.call(outcome=None)).alerts == 0
    assert world.take(world.call(outcome="resolved")).alerts == 0
    assert world.take(world.call(), world.call()).alerts == 0
    assert world.take(world.call()).alerts == 1
    assert recipients(world.deliver()) == ["office.munich", "owner.north", "vp.sales"]


def test_a_small_unhappy_customer_reaches_the_owner_and_no_vp(world: World) -> None:
    world.known_customers()
    world.take(world.survey("KIOSK-7", score=0))
    assert recipients(world.deliver()) == ["lead.central"]
    world.pass_time(days=4)
    world.tick()
    assert recipients(world.deliver()) == [
        "lead.central",
        "service.desk",
    ]  # not called in time: the desk hears, no VP


def test_an_unknown_customer_is_unverified_and_goes_to_default_which_the_mail_says(
    world: World,
) -> None:
    world.take(world.survey("NOBODY-KNOWS", score=1))
    (mail,) = world.deliver()
    assert recipients([mail]) == ["service.desk"]
    assert "unverified" in mail.subject
    assert "default" in mail.text
    assert world.case("NOBODY-KNOWS").segment == "unverified"


def test_an_answer_known_only_by_address_has_a_case_of_its_own(world: World) -> None:
    world.take(world.survey(None, score=1, respondent={"email": "Ann@Example.com", "name": "Ann"}))
    world.take(world.survey(None, score=1, respondent={"email": "ann@example.COM"}))
    (case,) = world.rows(select(case_file))
    assert case.customer_key.startswith("respondent:")
    assert "ann" not in case.customer_key


def test_a_second_alert_joins_the_one_open_case(world: World) -> None:
    world.known_customers()
    world.take(world.survey(score=2), world.survey(score=1))
    world.take(world.survey(score=0))
    assert len(world.rows(select(case_file))) == 1
    assert len(world.rows(select(alert).where(alert.c.case_id.is_not(None)))) == 3


def test_the_customer_of_the_same_batch_is_known_before_the_survey_is_judged(world: World) -> None:
    survey = world.survey("NEW-CO", score=1)
    world.take(
        survey,
        world.customer(
            "NEW-CO", name="New Co", revenue_with_us=900_000, country="DE", owner="owner_north"
        ),
    )
    assert world.case("NEW-CO").segment == "high_potential"


def test_facts_are_as_of_the_events_time(world: World) -> None:
    world.known_customers()
    later = (BEGIN - timedelta(hours=1)).isoformat()
    world.take(world.customer("KIOSK-7", revenue_with_us=500_000, time=later))
    world.take(world.survey("KIOSK-7", score=1, time=(BEGIN - timedelta(hours=2)).isoformat()))
    assert world.case("KIOSK-7").segment == "low_potential"


@pytest.mark.parametrize("on_time", [True, False])
def test_events_from_before_go_live_or_too_old_are_recorded_and_never_mailed(
    world: World, on_time: bool
) -> None:
    world.known_customers()
    old = BEGIN - timedelta(days=8) if on_time else BEGIN - timedelta(days=90)
    assert world.take(world.survey(time=old.isoformat())).alerts == 1
    (found,) = world.rows(select(alert))
    assert found.suppressed == ("too_old" if on_time else "before_go_live")
    assert world.deliver() == []
    assert world.rows(select(case_file)) == []


def test_a_time_ahead_of_ours_is_clamped_and_marked(world: World) -> None:
    world.known_customers()
    world.take(world.survey(time=(BEGIN + timedelta(days=400)).isoformat()))
    (found,) = world.rows(select(event).where(event.c.type == "survey.answered"))
    assert found.clamped
    assert abs(found.time - world.now()) < timedelta(minutes=1)
    assert recipients(world.deliver()) == ["office.berlin", "owner.north", "vp.sales"]


def test_an_event_repeated_changes_nothing_and_one_with_other_content_is_a_dead_letter(
    world: World,
) -> None:
    world.known_customers()
    first = world.survey(id="same", score=2)
    again = json.loads(json.dumps(first))
    other = {**first, "data": {**first["data"], "score": 3}}
    assert world.take(first, again).duplicates == 1
    taken = world.take(again, other)
    assert (taken.events, taken.duplicates, taken.dead) == (0, 1, 1)
    (letter,) = world.rows(select(dead_letter))
    assert letter.reason == "conflicting duplicate"
    assert len(world.rows(select(alert))) == 1


def _batch(world: World, expected: int, *found: dict[str, object] | bytes) -> Batch:
    records = [world.record(e) for e in found]
    placed = [
        type(r)(
            place=f"surveys/0@{expected + i}",
            offset=expected + i,
            value=r.value,
            headers={},
            timestamp=r.timestamp,
        )
        for i, r in enumerate(records)
    ]
    return Batch(
        partition=PARTITION, expected=expected, next=expected + len(placed), records=placed
    )


def test_the_position_moves_with_the_batch_and_a_second_consumer_is_told(world: World) -> None:
    world.known_customers()
    with world.app.ctx.db.write() as tx:
        positions.begin_position(tx, PARTITION, 7)
    batch = _batch(world, 7, world.survey(score=2))
    assert take_batch(world.app.ctx, batch).alerts == 1
    with pytest.raises(PositionMoved):
        take_batch(world.app.ctx, batch)
    with world.app.ctx.db.read() as tx:
        assert positions.stored_position(tx, PARTITION) == 8
    assert world.rows(select(func.count()).select_from(notification))[0][0] == 3


def test_one_event_that_cannot_be_handled_is_found_by_bisecting_and_the_others_go_on(
    world: World,
) -> None:
    world.known_customers()
    with world.app.ctx.db.write() as tx:
        positions.begin_position(tx, PARTITION, 0)
        # A customer whose stored state no code can read stands for any defect that only one event
        # meets.
        tx.execute(
            customer_version.insert().values(
                customer_key="POISON",
                valid_from=BEGIN,
                recorded_at=BEGIN,
                source="s",
                event_id="e",
                changes={},
                state="no object at all",
            )
        )
    found = [world.survey("KIOSK-7", score=9) for _ in range(6)]
    found[3] = world.survey("POISON", score=1)
    found[5] = world.survey("ACME-AERO", score=1)
    taken = take_batch(world.app.ctx, _batch(world, 0, *found))
    assert (taken.events, taken.dead, taken.alerts) == (5, 1, 1)
    (letter,) = world.rows(select(dead_letter))
    assert (letter.place, letter.reason) == ("surveys/0@3", "cannot be handled")
    with world.app.ctx.db.read() as tx:
        assert positions.stored_position(tx, PARTITION) == 6


def test_a_gap_before_a_batch_is_recorded(world: World) -> None:
    with world.app.ctx.db.write() as tx:
        positions.begin_position(tx, PARTITION, 3)
    inner = _batch(world, 9, world.survey("KIOSK-7", score=9))
    take_batch(
        world.app.ctx,
        Batch(partition=PARTITION, expected=3, next=inner.next, records=inner.records),
    )
    (gap,) = world.rows(select(position_gap))
    assert (gap.expected, gap.found) == (3, 9)


def test_a_condition_that_cannot_be_decided_is_counted_and_fires_nothing(
    small_world: World,
) -> None:
    small_world.known_customers()
    data = {"survey_id": "relationship", "comment": "no score given"}
    taken = small_world.take(
        small_world.envelope("survey.answered", {"customer_id": "ACME-AERO", **data})
    )
    assert taken.alerts == 0
    with small_world.app.ctx.db.read() as tx:
        assert unknown_conditions.unknown_by_rule(tx) == {"key-account-unhappy": 1}


def test_points_that_left_every_window_are_pruned_and_no_judgement_misses_them(
    world: World,
) -> None:
    world.known_customers()
    for _ in range(4):
        world.take(world.call(), world.survey("ALPENWERK", score=9))
        world.pass_time(days=5)
    before = len(world.rows(select(signal_point)))
    gone = prune_points(world.app.ctx)
    left = world.rows(select(signal_point))
    assert gone == before - len(left) > 0
    assert prune_points(world.app.ctx) == 0
    ages = [
        (world.now() - point.time).days for point in left if not point.definition.startswith("@")
    ]
    assert max(ages) < 7 + 7  # the window, and as late as an event may ring
    assert sum(point.definition == "@answer" for point in left) >= 2
    taken = world.take(world.call(), world.call())
    assert taken.alerts == 1  # the call of five days ago and these two


def test_calls_of_one_millisecond_without_a_time_count_in_the_order_of_the_log(
    world: World,
) -> None:
    """In batches of their own, and with ids that would order them the other way round."""
    world.known_customers()
    with world.app.ctx.db.write() as tx:
        positions.begin_position(tx, PARTITION, 0)
    moment = world.now()
    for offset, name in enumerate("cba"):
        made = {
            key: value for key, value in world.call("ALPENWERK", id=name).items() if key != "time"
        }
        batch = _batch(world, offset, made)
        records = [replace(record, timestamp=moment) for record in batch.records]
        taken = take_batch(world.app.ctx, replace(batch, records=records))
    assert taken.alerts == 1
