"""Silence as a signal: a rule that fires because nothing came for a while."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from alerting.database.tables import alert, event, silence_watch
from alerting.services.alerts.customer_silence import notice_silences
from alerting.services.alerts.explain_event import explain
from alerting.services.alerts.explanation import Explanation
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files
from tests.support.rulebook.silence_rules import RULE, files
from tests.support.world import World, recipients


def activate(world: World, text: str = RULE) -> None:
    activate_rulebook(world.app.ctx, files(text), {}, author="test", reason="silence")


def rung(world: World) -> list[Any]:
    return world.rows(
        select(alert).where(alert.c.rule == "key-account-silent").order_by(alert.c.id)
    )


def test_a_customer_who_falls_silent_is_noticed_once_and_again_after_the_next_silence(
    world: World,
) -> None:
    world.known_customers()
    activate(world)
    world.take(world.survey("ACME-AERO", score=9), world.survey("KIOSK-7", score=9))
    world.pass_time(days=29, hours=23)
    notice_silences(world.app.ctx)
    assert rung(world) == []
    world.pass_time(hours=2)
    assert (
        notice_silences(world.app.ctx) == 2
    )  # the small customer's, too, whom the rule does not concern
    assert notice_silences(world.app.ctx) == 0
    (first,) = rung(world)
    assert first.customer_key == "ACME-AERO"
    mails = world.deliver()
    assert recipients(mails) == ["owner.north"]
    assert "Acme Aerospace" in mails[0].subject
    assert "silent for 30 days" in mails[0].subject
    assert "Not heard of for 30 days." in (mails[0].html or "")
    world.pass_time(days=1)
    world.take(world.survey("ACME-AERO", score=9))
    world.pass_time(days=31)
    notice_silences(world.app.ctx)
    assert len(rung(world)) == 2


def test_whoever_answers_in_time_is_left_alone_in_whatever_order_the_answers_come(
    world: World,
) -> None:
    world.known_customers()
    activate(world)
    early, late = world.survey("ACME-AERO", score=9), world.now() + timedelta(days=20)
    world.pass_time(days=21)
    world.take(world.survey("ACME-AERO", score=9, time=late.isoformat()))
    world.take(early)  # arrives last, happened first
    world.pass_time(days=15)
    notice_silences(world.app.ctx)
    assert rung(world) == []


def test_a_new_rule_watches_from_what_is_stored_and_rings_for_nothing_old(world: World) -> None:
    world.known_customers()
    world.take(world.survey("ACME-AERO", score=9))
    world.pass_time(days=60)
    activate(world)
    notice_silences(world.app.ctx)
    (found,) = rung(world)
    assert found.suppressed == "too_old"  # full for thirty days already: recorded, nobody is told
    assert world.deliver() == []


def test_who_never_answered_is_silent_since_we_know_him(world: World) -> None:
    activate(world)
    world.known_customers()  # as of thirty days ago
    notice_silences(world.app.ctx)
    assert [row.customer_key for row in rung(world)] == ["ACME-AERO"]


def test_an_edited_rule_is_watched_for_anew_and_one_that_is_gone_not_at_all(
    small_world: World,
) -> None:
    small_world.known_customers()
    activate(small_world)
    activate(small_world, RULE.replace("30d", "60d"))
    watches = small_world.rows(
        select(silence_watch.c.watch, func.count().label("n")).group_by(silence_watch.c.watch)
    )
    assert [(row.watch, row.n) for row in watches] == [
        ("key-account-silent survey.answered 5184000", 3)
    ]
    activate_rulebook(small_world.app.ctx, starter_files(), {}, author="test", reason="no silence")
    assert small_world.rows(select(silence_watch)) == []


def test_a_silence_is_explained_like_any_event(small_world: World) -> None:
    small_world.known_customers()
    activate(small_world)
    small_world.pass_time(hours=1)
    notice_silences(small_world.app.ctx)
    number = small_world.rows(
        select(event.c.seq).where(event.c.type == "silence", event.c.customer_key == "ACME-AERO")
    )[0]
    found = explain(small_world.app.ctx, f"#{number.seq}")
    assert isinstance(found, Explanation)
    assert [(c.name, c.truth) for c in found.rules[0].conditions] == [
        ("is a key account", "true"),
        ("answered no survey for 30d", "true"),
    ]


def test_nobody_can_post_a_silence(small_world: World) -> None:
    small_world.take(
        small_world.envelope("silence", {"customer_id": "X", "rule": "r", "of": "o", "days": 1})
    )
    assert small_world.rows(select(event).where(event.c.type == "silence")) == []


def test_a_silence_that_was_none_is_taken_back_when_the_late_answer_comes(world: World) -> None:
    world.known_customers()
    activate(world)
    world.take(world.survey("ACME-AERO", score=9))
    sent = world.now()
    world.pass_time(days=30, hours=1)
    notice_silences(world.app.ctx)
    assert recipients(world.deliver()) == ["owner.north"]
    world.take(world.survey("ACME-AERO", score=9, time=(sent + timedelta(days=27)).isoformat()))
    assert world.case("ACME-AERO").withdrawn_at is not None
    assert [mail.subject[:17] for mail in world.deliver()] == ["No longer needed:"]
