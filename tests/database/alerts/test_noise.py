"""Noise control that loses nothing: shadow rules, silences, cool-down, a stronger rule in place of
a weaker one.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from alerting.database.people import staff_facts
from alerting.database.tables import alert, audit_entry
from alerting.domain.errors import ActionRefused
from alerting.services.alerts.mutes import add_mute, end_mute
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files
from tests.support.world import BEGIN, World, recipients

UNHAPPY = "rules/escalations/unhappy_customers.yaml"


def activate(world: World, **edits: str) -> None:
    """The starter rules with lines added after `id:` of a rule: `unhappy_customer="cooldown:
    7d"`.
    """
    files = dict(starter_files())
    for name, line in edits.items():
        rule = name.replace("_", "-")
        path = next(p for p, text in files.items() if f"id: {rule}\n" in text)
        files[path] = files[path].replace(f"id: {rule}\n", f"id: {rule}\n    {line}\n")
    activate_rulebook(world.app.ctx, files, {}, author="test", reason="noise")


def suppressed(world: World) -> list[tuple[str, str | None]]:
    return [(row.rule, row.suppressed) for row in world.rows(select(alert).order_by(alert.c.id))]


def test_a_shadow_rule_is_recorded_and_tells_nobody(world: World) -> None:
    world.known_customers()
    activate(world, key_account_unhappy="mode: shadow")
    world.take(world.survey("ACME-AERO"))
    assert suppressed(world) == [("key-account-unhappy", "shadow")]
    assert world.deliver() == []


def test_a_cool_down_keeps_a_rule_quiet_about_one_customer_for_a_while(world: World) -> None:
    world.known_customers()
    activate(world, unhappy_customer="cooldown: 7d")
    world.take(world.survey("KIOSK-7"))
    world.pass_time(days=3)
    world.take(world.survey("KIOSK-7"), world.survey("ALPENWERK"))
    world.pass_time(days=5)
    world.take(world.survey("KIOSK-7"))
    quiet = [
        row.suppressed
        for row in world.rows(
            select(alert).where(alert.c.customer_key == "KIOSK-7").order_by(alert.c.id)
        )
    ]
    assert quiet == [None, "cooldown", None]  # a suppressed alert does not make the quiet longer
    assert [
        row.suppressed
        for row in world.rows(select(alert).where(alert.c.customer_key == "ALPENWERK"))
    ] == [None]


def test_a_stronger_rule_on_the_same_event_takes_the_weakers_place(world: World) -> None:
    world.known_customers()
    files = dict(starter_files())
    files["rules/escalations/more.yaml"] = (
        files[UNHAPPY]
        .replace("id: unhappy-customer", "id: anybody")
        .replace("customer.segment <> 'key'", "score < 5")
    )
    activate_rulebook(world.app.ctx, files, {}, author="test", reason="two rules")
    world.take(world.survey("ACME-AERO", score=2))
    assert suppressed(world) == [("key-account-unhappy", None), ("anybody", "outranked")]
    mails = world.deliver()
    assert len(mails) == len(set(recipients(mails))) == 3


@pytest.mark.parametrize(
    ("scope", "name"),
    [("rule", "unhappy-customer"), ("customer", "KIOSK-7"), ("segment", "low_potential")],
)
def test_a_mute_is_over_by_itself_or_ended_and_both_are_on_record(
    world: World, scope: Any, name: str
) -> None:
    world.known_customers()
    number = add_mute(world.app.ctx, scope, name, timedelta(days=2), "ann", "trade fair")
    world.take(world.survey("KIOSK-7"), world.survey("ACME-AERO"))
    assert suppressed(world) == [("unhappy-customer", "silenced"), ("key-account-unhappy", None)]
    world.pass_time(days=3)
    world.take(world.survey("KIOSK-7"))
    assert suppressed(world)[-1] == ("unhappy-customer", None)
    with pytest.raises(ActionRefused, match=f"no mute {number} is in force"):
        end_mute(world.app.ctx, number, "ben")
    again = add_mute(world.app.ctx, scope, name, timedelta(days=2), "ann", "once more")
    end_mute(world.app.ctx, again, "ben")
    world.take(world.survey("KIOSK-7"))
    assert suppressed(world)[-1] == ("unhappy-customer", None)
    actions = [row.action for row in world.rows(select(audit_entry).order_by(audit_entry.c.id))]
    assert actions.count("silence.added") == 2
    assert actions.count("silence.ended") == 1


@pytest.mark.parametrize(
    ("scope", "name", "days", "words"),
    [
        ("rule", "nope", 1, "there is no rule 'nope'; known are"),
        ("segment", "nope", 1, "there is no segment 'nope'; known are"),
        ("customer", "ACME-AERO", 91, "lasts up to 90 days"),
        ("customer", "ACME-AERO", 0, "lasts up to 90 days"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(
    small_world: World, scope: Any, name: str, days: int, words: str
) -> None:
    with pytest.raises(ActionRefused, match=words):
        add_mute(small_world.app.ctx, scope, name, timedelta(days=days), "ann", "x")


def test_on_the_command_line(migrated: Any, own_world: World) -> None:
    own_world.known_customers()
    done = migrated("mute", "add", "--customer", "KIOSK-7", "--for", "2d", "--reason", "trade fair")
    assert (done.returncode, done.stderr) == (0, "")
    misspelt = migrated(
        "mute", "add", "--customer", "KIOSK7", "--for", "1h", "--reason", "trade fair"
    )
    assert "nobody has told us of a customer KIOSK7 yet" in misspelt.stderr
    assert migrated("mute", "end", "2").returncode == 0
    own_world.take(own_world.survey("KIOSK-7"))
    listed = migrated("suppressed").stdout
    assert "KIOSK-7" in listed
    assert "1 alert silenced: somebody has muted it" in listed
    assert "trade fair" in migrated("mute", "list").stdout
    assert migrated("mute", "end", "1").returncode == 0
    assert "trade fair" not in migrated("mute", "list").stdout
    assert "trade fair" in migrated("mute", "list", "--all").stdout
    assert migrated("mute", "end", "1").returncode == 1
    assert "trade fair" in migrated("silence", "list", "--all").stdout  # its former name
    assert migrated("mute", "add", "--for", "2d", "--reason", "x").returncode == 2
    assert migrated("mute", "add", "--rule", "a", "--for", "long", "--reason", "x").returncode == 2


def test_quiet_hours_hold_what_can_wait_and_let_through_what_is_critical(world: World) -> None:
    world.known_customers()
    with world.app.ctx.db.write() as tx:
        staff = staff_facts.staff_at(tx, tx.now()).parties
        asleep = {
            name: p.model_copy(update={"quiet_hours": "20:00-07:00"}) for name, p in staff.items()
        }
        staff_facts.import_people(tx, asleep, tx.now())
    world.pass_time(hours=13)  # half past ten in the evening in Berlin
    world.take(world.survey("KIOSK-7"), world.survey("ACME-AERO"))
    assert set(recipients(world.deliver())) == {
        "vp.sales",
        "office.berlin",
        "owner.north",
    }  # a key account is critical
    world.pass_time(hours=8)
    assert world.deliver() == []
    world.pass_time(hours=1)
    assert recipients(world.deliver()) == ["lead.central"]
    held = [row for row in world.rows(select(audit_entry)) if row.action == "notification.held"]
    assert len(held) == 1


def test_a_silence_that_is_over_rings_nothing_because_of_a_late_fact(world: World) -> None:
    world.known_customers()
    add_mute(world.app.ctx, "customer", "KIOSK-7", timedelta(days=2), "ann", "trade fair")
    world.take(world.survey("KIOSK-7", score=1))
    world.pass_time(days=3)
    world.take(world.customer("KIOSK-7", city="Bonn", owner="owner_north"))
    assert [why for _, why in suppressed(world) if why is None] == []
    assert world.deliver() == []


def test_which_complaint_comes_first_does_not_decide_how_often_the_phone_rings(
    world: World,
) -> None:
    world.known_customers()
    activate(world, unhappy_customer="cooldown: 7d")
    early, late = ((BEGIN - timedelta(hours=hours)).isoformat() for hours in (5, 1))
    world.take(world.survey("KIOSK-7", time=early), world.survey("ALPENWERK", time=late))
    world.take(world.survey("KIOSK-7", time=late), world.survey("ALPENWERK", time=early))
    assert sorted(str(why) for _, why in suppressed(world)) == [
        "None",
        "None",
        "cooldown",
        "cooldown",
    ]
