"""Moves between segments: noted when facts, the calendar, a group or a new rulebook make them, and
told.
"""

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from alerting.adapters.intake.local_log import LocalLog, _record
from alerting.database.engine import Database
from alerting.database.tables import alert, membership, review
from alerting.services.alerts.review_due import review_due
from alerting.services.intake.event_log import SEGMENTS as TOPIC
from alerting.services.intake.publisher import publish_moves
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files
from tests.support.installation import Run
from tests.support.world import BEGIN, World, recipients

SEGMENTS = "rules/segments.yaml"
RENEWAL = """tags:
  renewal_90d: "days_to_renewal BETWEEN 0 AND 90"
  at_risk: "(last_sentiment = 'negative' OR calls_in_vain >= 2) AND days_to_renewal BETWEEN 0 AND 90"
"""  # noqa: E501
UNHAPPY = "tags:\n  unhappy: \"last_sentiment = 'negative'\"\n"
MOVED = """rules:
  - id: became-at-risk
    title: A customer is at risk
    on: segment.changed
    when:
      is newly at risk: "'at_risk' = ANY(tags_added)"
    severity: normal
    caller: account_owner
    policy: call_in_3d
  - id: left-high-potential
    title: A customer lost potential
    on: segment.changed
    when:
      left: "from_segment = 'high_potential' AND to_segment <> 'key'"
    severity: low
    caller: account_owner
    policy: call_in_3d
"""


def activate(world: World, **more: str) -> None:
    files = {**starter_files(), "rules/escalations/moves.yaml": MOVED}
    files[SEGMENTS] += RENEWAL
    activate_rulebook(world.app.ctx, files | more, {}, author="test", reason="tags")


@pytest.fixture
def tagged(world: World) -> World:
    activate(world)
    return world


def moves(world: World, customer: str) -> list[tuple[str | None, str, list[str], str]]:
    rows = world.rows(
        select(membership).where(membership.c.customer_key == customer).order_by(membership.c.n)
    )
    return [(row.former, row.segment, row.tags, row.cause.split(" ")[0]) for row in rows]


def day(days: int) -> str:
    return (BEGIN + timedelta(days=days)).date().isoformat()


def test_entering_and_leaving_a_segment_is_noted_with_its_cause(tagged: World) -> None:
    tagged.take(tagged.customer("ALP", revenue_with_us=900))
    tagged.take(tagged.customer("ALP", revenue_with_us=300_000, time=BEGIN.isoformat()))
    tagged.take(tagged.survey("ALP", score=9))
    assert moves(tagged, "ALP") == [
        (None, "low_potential", [], "event:/test"),
        ("low_potential", "high_potential", [], "event:/test"),
    ]


def test_a_tag_comes_and_goes_by_the_calendar_alone(tagged: World) -> None:
    tagged.take(tagged.customer("ALP", revenue_with_us=900, renewal_date=day(92)))
    assert moves(tagged, "ALP")[-1][2] == []
    for _ in range(4):
        tagged.pass_time(days=1)
        review_due(tagged.app.ctx)
    assert moves(tagged, "ALP")[1:] == [
        ("low_potential", "low_potential", ["renewal_90d"], "calendar")
    ]
    tagged.pass_time(days=95)
    review_due(tagged.app.ctx)
    assert moves(tagged, "ALP")[-1] == ("low_potential", "low_potential", [], "calendar")


def test_only_who_has_a_date_is_looked_at_every_night(tagged: World) -> None:
    tagged.take(
        tagged.customer("ALP", revenue_with_us=900, renewal_date=day(400)), tagged.customer("KIOSK")
    )
    assert [(row.customer_key, row.cause) for row in tagged.rows(select(review))] == [
        ("ALP", "calendar")
    ]
    assert review_due(tagged.app.ctx) == 0
    tagged.pass_time(days=1)
    assert review_due(tagged.app.ctx) == 1


def test_a_rule_rings_when_a_customer_becomes_at_risk(tagged: World) -> None:
    tagged.take(
        tagged.customer(
            "ALP", name="Alp", revenue_with_us=900, owner="owner_north", renewal_date=day(30)
        )
    )
    tagged.take(tagged.call("ALP"), tagged.call("ALP"))
    assert moves(tagged, "ALP")[-1][2] == ["at_risk", "renewal_90d"]
    assert [row.rule for row in tagged.rows(select(alert))] == ["became-at-risk"]
    (mail,) = tagged.deliver()
    assert recipients([mail]) == ["owner.north"]
    assert "now at risk" in mail.subject


def test_another_rulebook_moves_everybody_it_concerns(tagged: World) -> None:
    tagged.take(
        tagged.customer("ALP", revenue_with_us=300_000, owner="owner_north"),
        tagged.customer("B", revenue_with_us=900),
    )
    files = {**starter_files(), "rules/escalations/moves.yaml": MOVED}
    files[SEGMENTS] = files[SEGMENTS].replace(">= 250000", ">= 500000") + RENEWAL
    activate_rulebook(tagged.app.ctx, files, {}, author="test", reason="fewer")
    assert review_due(tagged.app.ctx) == 2
    assert moves(tagged, "ALP")[-1][:3] == ("high_potential", "low_potential", [])
    assert len(moves(tagged, "B")) == 1
    assert [row.rule for row in tagged.rows(select(alert))] == ["left-high-potential"]


def test_other_rules_alone_look_at_nobody(tagged: World) -> None:
    tagged.take(tagged.customer("ALP", revenue_with_us=300_000))
    activate(
        tagged, **{"rules/escalations/moves.yaml": MOVED.replace("severity: low", "severity: high")}
    )
    assert review_due(tagged.app.ctx) == 0


def test_a_group_that_moves_takes_its_plants_along_soon(tagged: World) -> None:
    tagged.take(
        tagged.customer("HOLDING", revenue_with_us=900),
        tagged.customer("GROUP", revenue_with_us=900, parent="HOLDING"),
        tagged.customer("PLANT", revenue_with_us=900, parent="GROUP"),
        tagged.customer("HOLDING", parent="PLANT"),  # in a circle, by mistake
    )
    tagged.take(tagged.customer("HOLDING", revenue_with_us=400_000, time=BEGIN.isoformat()))
    review_due(tagged.app.ctx)
    assert moves(tagged, "PLANT")[-1] == ("low_potential", "high_potential", [], "group:HOLDING")
    assert tagged.rows(select(review)) == []


def test_a_groups_facts_that_arrive_late_have_its_plants_events_judged_again(tagged: World) -> None:
    tagged.take(tagged.customer("PLANT", revenue_with_us=900, parent="GROUP", owner="owner_north"))
    tagged.take(tagged.survey("PLANT", score=2))
    tagged.take(tagged.customer("GROUP", revenue_with_us=400_000))
    review_due(tagged.app.ctx)
    standing = [row for row in tagged.rows(select(alert)) if row.superseded_at is None]
    assert [(row.rule, row.segment, row.revision) for row in standing] == [
        ("unhappy-customer", "high_potential", 2)
    ]


def test_moves_go_out_numbered_and_once(small_world: World) -> None:
    activate(small_world)
    log = LocalLog(Database(f"sqlite:///{small_world.folder / 'log.db'}"))
    log.prepare()
    small_world.take(small_world.customer("ALP", revenue_with_us=900))
    small_world.take(small_world.customer("ALP", revenue_with_us=300_000, time=BEGIN.isoformat()))
    assert publish_moves(small_world.app.ctx, log) == 2
    assert publish_moves(small_world.app.ctx, log) == 0
    with log._db.read() as tx:
        values = list(tx.execute(select(_record.c.value).where(_record.c.topic == TOPIC)).scalars())
    sent = [json.loads(bytes(value)) for value in values]
    assert [(one["id"], one["sequence"], one["data"]["to_segment"]) for one in sent] == [
        ("ALP#1", "0000000001", "low_potential"),
        ("ALP#2", "0000000002", "high_potential"),
    ]
    assert (
        sent[1]["type"] == "segment.changed" and sent[1]["data"]["from_segment"] == "low_potential"
    )
    log.close()


def test_a_diff_of_edited_segments_says_who_moves_and_what_that_does_to_mails(
    migrated: Run, installation: Path, own_world: World
) -> None:
    own_world.known_customers()
    own_world.take(
        *(own_world.survey(key, score=2) for key in ("ACME-AERO", "ALPENWERK", "KIOSK-7"))
    )
    file = installation / "rules" / "segments.yaml"
    file.write_text(
        file.read_text().replace("members: key_accounts.csv", 'when: "revenue_with_us >= 400000"')
        + UNHAPPY
    )
    shown = migrated("segments", "diff", "--rules", "rules", "--csv", "movers.csv")
    assert shown.returncode == 0, shown.stderr
    assert "3 customers, 1 would move to another segment." in shown.stdout
    assert re.search(r"high_potential +key +1\n", shown.stdout)
    assert "ALPENWERK" in shown.stdout and "+unhappy" in shown.stdout
    assert "1 alert more and 1 fewer" in shown.stdout
    assert "more mails a month for Vera Sample" in shown.stdout
    assert "ALPENWERK,Alpenwerk,high_potential,key," in (installation / "movers.csv").read_text(
        encoding="utf-8-sig"
    )
    found = json.loads(migrated("segments", "diff", "--rules", "rules", "--json").stdout)
    assert found["moves"] == [{"from": "high_potential", "to": "key", "customers": 1}]
    assert own_world.rows(select(membership).where(membership.c.n > 1)) == []


def test_members_say_whom_not_to_survey_and_no_name_becomes_a_formula(
    migrated: Run, installation: Path, own_world: World
) -> None:
    own_world.known_customers()
    own_world.take(
        own_world.customer("EVIL", name="=cmd|'/c calc'!A1", revenue_with_us=1),
        own_world.survey("KIOSK-7"),
    )
    shown = json.loads(migrated("segments", "members", "--do-not-survey", "--json").stdout)
    assert [(one["customer_id"], one["do_not_survey"], one["case"]) for one in shown] == [
        ("KIOSK-7", "yes", "C-1")
    ]
    assert (
        migrated("segments", "members", "--segment", "low_potential", "--csv", "low.csv").returncode
        == 0
    )
    text = (installation / "low.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["customer_id"], row["name"], row["do_not_survey"]) for row in rows] == [
        ("EVIL", "'=cmd|'/c calc'!A1", "no"),
        ("KIOSK-7", "Kiosk Seven", "yes"),
    ]
