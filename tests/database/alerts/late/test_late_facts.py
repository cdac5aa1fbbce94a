"""Facts that arrive late or are corrected: what was judged without them is judged again."""

from datetime import timedelta

from sqlalchemy import select

from alerting.database.tables import alert, audit_entry, clock, notification, timer
from alerting.services.alerts.explain_event import explain
from alerting.services.alerts.explanation import Explanation
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files
from tests.support.intake.late_facts import lumen
from tests.support.world import BEGIN, World, recipients


def standing(world: World) -> list[tuple[str, str]]:
    """Rule and segment of the alerts as they stand."""
    rows = world.rows(select(alert).where(alert.c.superseded_at.is_(None)).order_by(alert.c.id))
    return sorted(
        (row.rule, row.segment)
        for row in rows
        if row.state != "withdrawn" and row.suppressed is None
    )


def versions(world: World) -> list[tuple[str, int, str]]:
    return [
        (row.rule, row.revision, row.state)
        for row in world.rows(select(alert).order_by(alert.c.id))
    ]


def test_an_unknown_customer_turns_out_to_be_a_key_account_before_anybody_was_told(
    world: World,
) -> None:
    world.take(world.survey("LUMEN"))
    before = world.case("LUMEN")
    world.take(lumen(world, 2_000_000))
    after = world.case("LUMEN")
    assert (before.caller, after.caller) == ("service_desk_lead", "vp_sales")
    assert (after.id, after.severity, after.segment) == (before.id, "critical", "key")
    assert versions(world) == [
        ("unhappy-customer", 1, "raised"),
        ("key-account-unhappy", 1, "upgraded"),
        ("unhappy-customer", 2, "withdrawn"),
    ]
    assert recipients(world.deliver()) == ["office.berlin", "owner.north", "vp.sales"]
    skipped = [row for row in world.rows(select(notification)) if row.status == "skipped"]
    assert [(row.recipient, row.reason) for row in skipped] == [
        ("service_desk_lead", "facts that arrived later changed the alert")
    ]


def test_who_was_told_to_call_hears_who_calls_instead_and_nobody_hears_twice(world: World) -> None:
    world.take(world.survey("LUMEN"))
    assert recipients(world.deliver()) == ["service.desk"]
    world.take(lumen(world, 2_000_000))
    mails = {recipients([mail])[0]: mail for mail in world.deliver()}
    assert sorted(mails) == ["office.berlin", "owner.north", "service.desk", "vp.sales"]
    assert mails["service.desk"].subject.startswith("For information: Lumen")
    assert "what we know of this customer has changed" in mails["service.desk"].text
    world.take(lumen(world, 3_000_000, time=(BEGIN - timedelta(days=1)).isoformat()))
    assert world.deliver() == []


def test_the_clocks_of_the_new_promise_count_from_when_the_customer_wrote(world: World) -> None:
    world.take(world.survey("LUMEN"))
    sent = world.case("LUMEN").starts.customer_sent
    world.pass_time(hours=2)
    world.take(lumen(world, 2_000_000))
    clocks = world.clocks("LUMEN")
    assert clocks["contact"].due_at == sent + timedelta(hours=24)
    assert clocks["acknowledge"].due_at == sent + timedelta(hours=4)
    superseded = [row for row in world.rows(select(clock)) if row.superseded_at is not None]
    assert [(row.kind, row.policy) for row in superseded] == [("contact", "call_in_3d")]
    waiting = [row for row in world.rows(select(timer)) if row.cancelled_at is None]
    assert {row.data["plan"] for row in waiting if row.data["clock"] == "contact"} == {2}


def test_a_case_somebody_has_touched_stays_with_that_person_and_says_what_changed(
    world: World,
) -> None:
    world.take(world.survey("LUMEN"))
    world.deliver()
    world.acknowledged("LUMEN", "service_desk_lead")
    world.take(lumen(world, 900))
    after = world.case("LUMEN")
    assert (after.caller, after.status) == ("service_desk_lead", "acknowledged")
    assert standing(world) == [("unhappy-customer", "low_potential")]
    assert recipients(world.deliver()) == ["owner.north"]  # for information


def test_a_graver_promise_takes_a_touched_case_to_its_own_caller(world: World) -> None:
    world.take(world.survey("LUMEN"))
    world.deliver()
    world.acknowledged("LUMEN", "service_desk_lead")
    world.take(lumen(world, 2_000_000))
    after = world.case("LUMEN")
    assert (after.caller, after.severity, after.status) == ("vp_sales", "critical", "open")
    assert "vp.sales" in recipients(world.deliver())


def test_a_call_that_solved_it_and_arrives_late_withdraws_the_alert(world: World) -> None:
    world.take(lumen(world, 410_000))
    hours = [timedelta(hours=h) for h in (30, 20, 2)]
    world.take(*(world.call("LUMEN", time=(BEGIN - h).isoformat()) for h in hours))
    assert standing(world) == [("calls-in-vain", "high_potential")]
    told = recipients(world.deliver())
    world.take(
        world.call("LUMEN", outcome="resolved", time=(BEGIN - timedelta(hours=10)).isoformat())
    )
    case = world.case("LUMEN")
    assert standing(world) == []
    assert (case.status, case.withdrawn_at is not None) == ("resolved", True)
    mails = world.deliver()
    assert recipients(mails) == told
    assert mails[0].subject.startswith("No longer needed: ")
    world.pass_time(days=10)
    assert world.tick() == 0
    assert world.deliver() == []
    assert not [row for row in world.rows(select(clock)) if row.superseded_at is None]


def test_a_withdrawal_before_anything_was_sent_tells_nobody(world: World) -> None:
    world.take(lumen(world, 410_000))
    hours = [timedelta(hours=h) for h in (30, 20, 2)]
    world.take(*(world.call("LUMEN", time=(BEGIN - h).isoformat()) for h in hours))
    world.take(
        world.call("LUMEN", outcome="resolved", time=(BEGIN - timedelta(hours=10)).isoformat())
    )
    assert world.deliver() == []


def test_a_touched_case_whose_alert_is_withdrawn_is_only_annotated(world: World) -> None:
    world.take(lumen(world, 410_000))
    hours = [timedelta(hours=h) for h in (30, 20, 2)]
    world.take(*(world.call("LUMEN", time=(BEGIN - h).isoformat()) for h in hours))
    world.deliver()
    world.acknowledged("LUMEN", "owner_north")
    world.take(
        world.call("LUMEN", outcome="resolved", time=(BEGIN - timedelta(hours=10)).isoformat())
    )
    case = world.case("LUMEN")
    assert (case.status, case.withdrawn_at) == ("acknowledged", None)
    assert world.deliver() == []
    assert "alert.withdrawn" in [row.action for row in world.rows(select(audit_entry))]


def test_the_call_that_makes_the_third_raises_the_alert_of_a_later_one(world: World) -> None:
    world.take(lumen(world, 410_000))
    for hours in (1, 2, 3):
        assert standing(world) == []
        world.take(
            world.call(
                "LUMEN", id=f"call-{hours}", time=(BEGIN - timedelta(hours=hours)).isoformat()
            )
        )
    assert standing(world) == [("calls-in-vain", "high_potential")]
    (row,) = world.rows(select(alert))
    found = explain(world.app.ctx, "call-1")
    assert isinstance(found, Explanation)
    assert [one["rule"] for one in found.alerts] == ["calls-in-vain"]
    assert row.event_seq == found.event["number"]


def test_a_case_that_was_called_and_fixed_is_not_opened_anew_by_a_late_fact(world: World) -> None:
    world.take(lumen(world, 2_000_000))
    world.take(world.survey("LUMEN", score=1))
    world.deliver()
    world.pass_time(hours=2)
    world.reached("LUMEN", "vp_sales")
    world.fixed("LUMEN")
    handled, before = world.case("LUMEN"), len(world.deliver())
    assert (handled.status, before > 0) == ("resolved", True)
    world.pass_time(hours=1)
    world.take(
        lumen(world, 2_000_000, owner="owner_west", time=(BEGIN - timedelta(days=1)).isoformat())
    )
    world.take(lumen(world, 900, time=(BEGIN - timedelta(hours=20)).isoformat()))
    assert world.deliver() == []
    after = world.case("LUMEN")
    assert (after.id, after.status, after.withdrawn_at) == (handled.id, "resolved", None)
    assert ("key-account-unhappy", 2, "withdrawn") in versions(world)


def test_beyond_the_declared_lateness_nothing_is_judged_again(world: World) -> None:
    world.take(world.survey("LUMEN"))
    world.pass_time(days=8)
    world.take(lumen(world, 2_000_000, time=BEGIN.isoformat()))
    assert versions(world) == [("unhappy-customer", 1, "raised")]


def test_each_event_is_judged_again_by_the_rulebook_that_judged_it_first(world: World) -> None:
    world.take(world.survey("LUMEN"))
    files = dict(starter_files())
    path = "rules/escalations/key_accounts.yaml"
    files[path] = files[path].replace("sentiment = 'negative'", "score < 1")
    activate_rulebook(world.app.ctx, files, {}, author="test", reason="only the worst")
    world.take(lumen(world, 2_000_000))
    assert standing(world) == [("key-account-unhappy", "key")]


def test_explain_tells_how_an_alert_came_to_be_another_one(world: World) -> None:
    world.take(world.survey("LUMEN", id="answer-1"))
    world.take(lumen(world, 2_000_000))
    found = explain(world.app.ctx, "answer-1")
    assert isinstance(found, Explanation)
    assert [(one["rule"], one["state"]) for one in found.alerts] == [
        ("unhappy-customer", "raised"),
        ("key-account-unhappy", "upgraded"),
        ("unhappy-customer", "withdrawn"),
    ]
    assert [note.split(" at 2026")[0] for note in found.notes] == [
        "facts that arrived later: key-account-unhappy was upgraded",
        "facts that arrived later: unhappy-customer was withdrawn",
    ]
