"""Forgetting a customer: nothing personal is left anywhere, figures and the audit stay, and it
survives what comes again.
"""

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import inspect, select, text

from alerting.bootstrap import forget, prepare, web_parts
from alerting.database.tables import alert, audit_entry, event, metadata, personal_value
from alerting.domain.intake.events import parse_event
from alerting.entrypoints.web.app import create_app
from alerting.services.alerts.explain_event import explain
from alerting.services.alerts.explanation import Explanation
from alerting.services.intake.accept_events import record_of
from alerting.services.reports.report import as_json, report
from tests.support.installation import Run
from tests.support.world import BEGIN, World

SECRETS = (
    "Zacharias",
    "zach@secret.example",
    "5559876",
    "flooded cellar",
    "pump of his",
    "phoned his wife",
)
CONTACT = {"name": "Zacharias Secret", "email": "zach@secret.example", "phone": "+49 30 5559876"}


@pytest.fixture
def known(world: World) -> World:
    """A customer with a name, a contact, words of his own, a case, notes, mails and a dead
    letter.
    """
    world.take(
        world.customer(
            "LUMEN",
            name="Zacharias & Sons",
            revenue_with_us=400_000,
            owner="owner_north",
            country="DE",
            contacts=[CONTACT],
            attributes={"nickname": "Zacharias"},
        )
    )
    world.take(world.survey("LUMEN", score=2, comment="The flooded cellar again.", id="bad"))
    world.take(world.call("LUMEN", text="The pump of his broke.", agent="Kim"))
    world.take(
        json.dumps({"specversion": "1.0", "customer": "LUMEN", "note": "Zacharias"}).encode()
    )
    world.deliver()
    world.reached("LUMEN", "owner_north")
    with world.app.ctx.db.write() as tx:
        tx.execute(text("UPDATE contact_attempt SET note = 'phoned his wife'"))
    return world


def everything(world: World) -> str:
    """All that the database holds, as one text."""
    found = []
    with world.app.ctx.db.read() as tx:
        for name in sorted(set(metadata.tables) & set(inspect(tx.connection).get_table_names())):
            for row in tx.connection.execute(select(metadata.tables[name])):
                found += [
                    value.decode(errors="replace") if isinstance(value, bytes) else str(value)
                    for value in row
                ]
    return "\n".join(found)


def left(world: World) -> list[str]:
    text_ = everything(world)
    return [word for word in SECRETS if word in text_]


def test_what_is_left_can_still_be_looked_at(known: World) -> None:
    forget(known.app, "LUMEN", "the data protection officer")
    admin = {"authorization": "Bearer test-admin-token-0123"}
    with TestClient(create_app(web_parts(known.app))) as client:
        for page in (
            "/cases",
            "/cases/1",
            "/explain?event=bad",
            "/reports",
            "/reports?format=csv",
            "/segments",
        ):
            answer = client.get(page, headers=admin)
            assert answer.status_code == 200, page
            assert not [word for word in SECRETS if word in answer.text]
        assert client.get("/v1/cases/1", headers=admin).status_code == 200


def test_nothing_personal_is_left_in_any_table(known: World) -> None:
    assert left(known) == list(SECRETS)
    forget(known.app, "LUMEN", "the data protection officer")
    assert left(known) == []
    assert not [mail for mail in known.mails() if any(word in mail.text for word in SECRETS)]


def test_figures_and_the_story_of_the_case_stay(known: World) -> None:
    before = report(known.app.ctx)
    forget(known.app, "LUMEN", "dpo")
    after = report(known.app.ctx)
    assert [
        (line.kind, line.attainment.met) for line in after.overall if line.kind == "contact"
    ] == [(line.kind, line.attainment.met) for line in before.overall if line.kind == "contact"]
    found = explain(known.app.ctx, "bad")
    assert isinstance(found, Explanation)
    assert (found.event["fields"]["score"], found.customer["segment"]) == (2, "high_potential")
    assert [one["rule"] for one in found.alerts] == ["unhappy-customer"]


def test_the_audit_still_holds_what_was_committed_to(known: World) -> None:
    before = {row.id: bytes(row.body) for row in known.rows(select(audit_entry))}
    words = {(row.entry_id, row.name): row.value for row in known.rows(select(personal_value))}
    with known.app.ctx.db.read() as tx:
        key = bytes(
            tx.execute(
                text("SELECT key FROM personal_key WHERE customer_key = 'LUMEN'")
            ).scalar_one()
        )
    forget(known.app, "LUMEN", "dpo")
    after = {row.id: bytes(row.body) for row in known.rows(select(audit_entry))}
    assert {number: after[number] for number in before} == before
    assert words
    for (
        number,
        name,
    ), value in words.items():  # whoever kept the words and the key can still prove them
        mac = hmac.new(key, f"{name}\n{value}".encode(), hashlib.sha256).hexdigest()
        assert json.loads(after[number])["personal"][name] == f"hmac-sha256:{mac}"
    assert known.rows(select(personal_value)) == []


def test_an_open_case_ends_and_nothing_more_is_sent(known: World) -> None:
    known.take(known.survey("LUMEN", score=1))
    forget(known.app, "LUMEN", "dpo")
    case = known.case("LUMEN")
    assert (case.status, case.withdrawn_at) == ("resolved", None) and case.forgotten_at is not None
    assert known.deliver() == []
    known.pass_time(days=9)
    assert known.tick() == 0


def test_a_promise_that_was_missed_stays_so_and_the_report_says_why_a_case_is_left_out(
    known: World,
) -> None:
    known.take(known.survey("LUMEN", score=1))
    known.pass_time(hours=80)
    known.tick()
    before = as_json(report(known.app.ctx))
    forget(known.app, "LUMEN", "dpo")
    after = as_json(report(known.app.ctx))
    assert before["breaches_total"] == after["breaches_total"] > 0
    missed = [
        {line["clock"]: line["late"] + line["overdue"] for line in found["overall"]}
        for found in (before, after)
    ]
    assert missed[0] == missed[1]
    assert before["population"]["joined"] == after["population"]["joined"]
    excluded = [(x["of"], x["words"], x["count"]) for x in after["population"]["excluded"]]
    assert ("cases", "the customer was forgotten", 1) in excluded


def test_what_comes_again_from_before_is_erased_again_and_rings_nobody(known: World) -> None:
    forget(known.app, "LUMEN", "dpo")
    late = (known.now() - timedelta(hours=1)).isoformat()
    known.take(known.survey("LUMEN", score=1, comment="The flooded cellar.", time=late, id="late"))
    assert left(known) == []
    assert [row.suppressed for row in known.rows(select(alert).order_by(alert.c.id))][
        -1
    ] == "forgotten"
    assert known.deliver() == []


def test_what_happens_afterwards_is_a_customers_like_any_others(known: World) -> None:
    forget(known.app, "LUMEN", "dpo")
    known.pass_time(minutes=1)
    known.take(known.survey("LUMEN", score=1, comment="Zacharias is back."))
    assert left(known) == ["Zacharias"]
    assert len(known.deliver()) >= 1


def test_a_restored_database_forgets_again_when_it_starts(known: World) -> None:
    rows: dict[str, Any] = {}
    with known.app.ctx.db.read() as tx:
        rows["event"] = list(tx.connection.execute(select(event)).mappings())
    forget(known.app, "LUMEN", "dpo")
    with (
        known.app.ctx.db.write() as tx
    ):  # an older state comes back: the words, and nothing of the wish
        for row in rows["event"]:
            tx.connection.execute(
                event.update()
                .where(event.c.seq == row["seq"])
                .values(payload=row["payload"], raw=row["raw"])
            )
        tx.connection.execute(text("DELETE FROM forgotten"))
        tx.connection.execute(event.delete().where(event.c.type == "customer.forgotten"))
    assert "flooded cellar" in left(known)
    prepare(known.app)
    assert left(known) == []


def test_an_unknown_respondent_can_be_forgotten_by_the_address(
    migrated: Run, installation: Path, own_world: World
) -> None:
    own_world.take(
        own_world.survey(
            None, score=2, comment="flooded cellar", respondent={"email": "zach@secret.example"}
        )
    )
    done = migrated("forget", "ZACH@secret.example", "--respondent", "--by", "dpo", "--yes")
    assert (
        done.returncode,
        done.stdout.startswith("Forgotten: ZACH@secret.example (1 event, 1 case)"),
    ) == (0, True)
    assert left(own_world) == []
    own_world.deliver()
    assert migrated("forget", "NOBODY", "--by", "dpo", "--yes").returncode == 1


def test_it_asks_first(migrated: Run, own_world: World) -> None:
    own_world.take(own_world.customer("A-1", name="Zacharias", time=BEGIN.isoformat()))
    assert migrated("forget", "A-1", "--by", "dpo").returncode == 1
    assert left(own_world) == ["Zacharias"]


def test_no_byte_is_left_of_answers_that_were_matched_by_an_address(small_world: World) -> None:
    """One before we knew the contact, one after; in the database, in the log of events, in mails,
    and in files beside them.
    """
    world, me = (
        small_world,
        {"name": "Zacharias", "email": "zach@secret.example", "phone": "+49 30 5559876"},
    )
    before = world.survey(None, score=1, comment="flooded cellar", respondent=me)
    after = world.survey(None, score=2, comment="pump of his", respondent=me)
    contact = world.customer(
        "LUMEN", name="Lumen", contacts=[CONTACT], time=world.now().isoformat()
    )
    for envelope in (before, contact, after):
        event_ = parse_event(json.dumps(envelope).encode(), {}, world.now())
        world.app.event_log.append([record_of(event_)])
        world.take(envelope)
        world.deliver()
    assert any(word.encode() in held for word in SECRETS for held in bytes_in(world.folder))
    assert forget(world.app, "LUMEN", "dpo") > 0
    held = {file.name: file.read_bytes() for file in world.folder.rglob("*") if file.is_file()}
    for word in SECRETS:
        assert [name for name, one in held.items() if word.encode() in one] == [], word


def bytes_in(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.rglob("*") if file.is_file()]


def test_an_address_of_a_customer_leads_to_the_customer(migrated: Run, own_world: World) -> None:
    own_world.take(own_world.customer("LUMEN", name="Lumen", contacts=[CONTACT]))
    own_world.take(own_world.survey(None, score=2, respondent={"email": "zach@secret.example"}))
    done = migrated("forget", "zach@secret.example", "--respondent", "--by", "dpo", "--yes")
    assert (done.returncode, "`alerting forget LUMEN`" in done.stderr) == (1, True)
