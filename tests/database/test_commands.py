"""The command line, as a person types it, on an installation of one's own.

Commands run inside the test, which spares a second each; what starts roles runs as a process.
"""

import base64
import json
import re
import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerting.bootstrap import forget
from alerting.database.audit import audit_entries
from alerting.database.intake import events, positions
from alerting.database.intake.positions import Partition
from alerting.database.tables import customer_version
from alerting.domain.errors import UnreadableEvent
from alerting.services.intake.event_log import NewRecord
from alerting.services.intake.take_records import take_records
from tests.support.installation import Run
from tests.support.world import World

CUSTOMERS = """customer_id,name,revenue_with_us,country,owner,contact_name,contact_phone,attribute.tier
ACME-AERO,Acme Aerospace,"1,240,000",DE,owner_north,Ada Example,+49 30 5550199,gold
ACME-AERO,,,,,Bob Example,,
KIOSK-7,Kiosk Seven,1900,DE,lead_central,,,
BROKEN-1,Broken,many,DE,,,,
,Nobody,1,DE,,,,
"""  # noqa: E501


def test_importing_reports_bad_rows_by_line_and_the_same_file_again_changes_nothing(
    migrated: Run, installation: Path, own_world: World
) -> None:
    (installation / "customers.csv").write_text(CUSTOMERS)
    first = migrated("import", "customers.csv")
    assert first.returncode == 1
    assert "2 new, 0 changed, 0 unchanged, 2 bad rows." in first.stdout
    assert "customers.csv:5: revenue_with_us: 'many' is not a number" in first.stderr
    assert "customers.csv:6: customer_id: is empty" in first.stderr
    assert (
        "0 new, 0 changed, 2 unchanged, 2 bad rows; nothing was changed."
        in migrated("import", "customers.csv").stdout
    )
    from alerting.database.customers import customers

    with own_world.app.ctx.db.read() as tx:
        acme = customers.customer_now(tx, "ACME-AERO")
    assert [contact["name"] for contact in acme.contacts] == ["Ada Example", "Bob Example"]
    assert (acme.state["revenue_with_us"], acme.state["attributes"]) == (
        1_240_000,
        {"tier": "gold"},
    )
    (installation / "customers.csv").write_text(CUSTOMERS.replace("1900", "300000"))
    assert "0 new, 1 changed, 1 unchanged" in migrated("import", "customers.csv").stdout


def test_an_owner_nobody_knows_is_a_warning_and_no_failure(
    migrated: Run, installation: Path
) -> None:
    (installation / "customers.csv").write_text("customer_id,owner\nKIOSK-7,lead_centrl\n")
    done = migrated("import", "customers.csv")
    assert (done.returncode, done.stdout) == (0, "1 new, 0 changed, 0 unchanged, 0 bad rows.\n")
    assert (
        "customers.csv:2: warning: owner: 'lead_centrl' is nobody in people.yaml; did you mean "
        "'lead_central'?" in done.stderr
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("name\nAcme\n", "no column customer_id"),
        ("customer_id,nmae\nA,B\n", "unknown columns nmae (did you mean name?)"),
    ],
)
def test_a_file_that_is_no_table_of_customers_is_refused(
    migrated: Run, installation: Path, text: str, message: str
) -> None:
    (installation / "x.csv").write_text(text)
    done = migrated("import", "x.csv")
    assert done.returncode == 1
    assert message in done.stderr


def _complaint(world: World) -> None:
    take_records(world.app.ctx, [world.record(world.survey("SOMEBODY", score=1))])


def test_a_case_is_worked_on_from_the_command_line(migrated: Run, own_world: World) -> None:
    _complaint(own_world)
    assert "C-1" in migrated("case", "list").stdout
    assert (
        "acknowledged" in migrated("case", "acknowledge", "C-1", "--by", "service_desk_lead").stdout
    )
    voicemail = migrated(
        "case", "contact", "1", "--by", "service_desk_lead", "--outcome", "voicemail"
    )
    assert "is acknowledged" in voicemail.stdout
    handed = migrated(
        "case",
        "hand-over",
        "1",
        "--by",
        "service_desk_lead",
        "--to",
        "ceo",
        "--reason",
        "knows them",
    )
    assert "with Cora Sample from now on" in handed.stdout
    assert (
        "the call is still owed"
        in migrated("case", "resolve", "1", "--by", "ceo", "--note", "mended").stdout
    )
    spoken = migrated(
        "case",
        "contact",
        "1",
        "--by",
        "ceo@example.com",
        "--outcome",
        "reached",
        "--note",
        "all is well",
    )
    assert "C-1 is resolved" in spoken.stdout
    story = json.loads(migrated("case", "show", "1", "--json").stdout)
    assert story["status"] == "resolved"
    assert [clock["met"] for clock in story["clocks"]] == [True]
    report = json.loads(migrated("report", "--json").stdout)
    assert report["overall"][0]["met"] == 1


def test_waits_notes_corrections_and_reviews_from_the_command_line(
    migrated: Run, own_world: World
) -> None:
    _complaint(own_world)

    def say(*words: str) -> str:
        done = migrated("case", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    waits = ("--by", "service_desk_lead", "--for", "customer", "--reason", "away")
    assert say("wait", "C-1", *waits).startswith("C-1 waits until")
    assert "waiting" in say("list", "--status", "waiting")
    assert "paused" in say("show", "C-1")
    assert say("go-on", "C-1", "--by", "service_desk_lead") == "C-1 goes on; it is acknowledged."
    assert say("note", "C-1", "--by", "ceo", "Their buyer is new.") == "Noted on C-1."
    assert (
        say("assign", "C-1", "--by", "ceo", "--to", "lead_central")
        == "C-1 is with Lena Sample from now on."
    )
    assert (
        say("contact", "C-1", "--by", "lead_central", "--outcome", "reached") == "C-1 is contacted."
    )
    at = own_world.now().isoformat()
    assert say(
        "correct", "C-1", "--by", "lead_central", "--at", at, "--reason", "The log."
    ).startswith("Correction 1")
    assert "The log." in say("corrections")
    assert json.loads(say("corrections", "--json"))[0]["number"] == "C-1"
    assert say("decide", "1", "--by", "ceo", "--decline") == "Correction 1 of C-1 is declined."
    resolved = say(
        "resolve", "C-1", "--by", "ceo", "--root-cause", "invoice", "--action", "credited"
    )
    assert resolved == "C-1 is resolved."
    assert "has worked" in say("review", "C-1", "--by", "ceo", "--effective")
    story = say("show", "C-1")
    for words in (
        "Waits for the customer",
        "The wait is over",
        "proposed a correction",
        "(invoice; credited)",
    ):
        assert words in story


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["case", "acknowledge", "99", "--by", "ceo"], "there is no case C-99"),
        (["case", "acknowledge", "1", "--by", "nobody"], "'nobody' is nobody in people.yaml"),
        (
            [
                "case",
                "contact",
                "1",
                "--by",
                "ceo",
                "--outcome",
                "reached",
                "--at",
                "2026-03-06T10:00",
            ],
            "no time zone",
        ),
        (
            ["case", "hand-over", "1", "--by", "ceo", "--to", "office_berlin", "--reason", "x"],
            "is an office",
        ),
        (["dead-letters", "replay", "7"], "no dead letter 7"),
        (["survey", "link", "no-such", "ACME-AERO"], "there is no survey"),
        (["survey", "link", "relationship", "NOBODY-KNOWN"], "`alerting import FILE`"),
        (["dead-letters", "show", "7"], "no dead letter 7"),
        (["dead-letters", "discard", "7", "--reason", "x"], "no dead letter 7"),
        (
            ["positions", "accept", "nope"],
            "no position is stored of a topic 'nope'; none is stored yet",
        ),
        (["report", "--from", "2026-03-31", "--to", "2026-03-01"], "swap the two days"),
        (
            [
                "case",
                "contact",
                "1",
                "--by",
                "ceo",
                "--outcome",
                "reached",
                "--at",
                "0001-01-01T00:00+01:00",
            ],
            "outside the calendar",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    migrated: Run, own_world: World, arguments: list[str], message: str
) -> None:
    _complaint(own_world)
    done = migrated(*arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["case", "show", "²"], "'²' is no case number; write C-12"),
        (["case", "show", "9" * 20], "no case with so large a number"),
        (["case", "show", "9" * 5000], "no case with so large a number"),
        (
            ["case", "list", "--status", "foo"],
            "'unresolved', 'open', 'acknowledged', 'contacted', 'waiting', 'resolved', 'all'",
        ),
        (["dead-letters", "replay", "9" * 20], "no dead letter with so large a number"),
        (["dead-letters", "show", "-1"], "No such option"),
        (["dead-letters", "discard", "1", "--reason", " "], "must not be empty"),
        (["hold", "sends", "--reason", ""], "must not be empty"),
        (["hold", "sends", "--reason", "\udcff"], "is no text in UTF-8"),
        (["survey", "link", "relationship", ""], "must not be empty"),
    ],
)
def test_what_cannot_be_meant_is_refused_as_it_is_typed(
    migrated: Run, arguments: list[str], message: str
) -> None:
    done = migrated(*arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert json.loads(migrated("hold", "status", "--json").stdout)["held"] is False


def test_an_invitation_goes_to_a_contact_the_customer_has(migrated: Run, own_world: World) -> None:
    own_world.known_customers()
    link = ("survey", "link", "relationship", "ACME-AERO", "--contact")
    assert "/f/relationship?i=" in migrated(*link, "ada example").stdout
    refused = migrated(*link, "Bob")
    assert refused.returncode == 1
    assert "ACME-AERO has no contact 'Bob'; known are Ada Example" in refused.stderr


def test_a_report_speaks_of_one_case_and_of_several(migrated: Run, own_world: World) -> None:
    _complaint(own_world)
    assert ", 1 case, " in migrated("report").stdout
    assert ", 0 cases, " in migrated("report", "--to", "2000-01-01").stdout
    assert migrated("report", "--from", "0001-01-01", "--to", "9999-12-31").returncode == 0


def test_accepting_a_topic_needs_one_that_was_read(migrated: Run, own_world: World) -> None:
    partition = Partition(cluster="c", topic="surveys", topic_id="t", partition=0)
    with own_world.app.ctx.db.write() as tx:
        positions.begin_position(tx, partition, 3)
    refused = migrated("positions", "accept", "survey")
    assert (refused.returncode, "known are surveys" in refused.stderr) == (1, True)
    assert "1 position of surveys retired" in migrated("positions", "accept", "surveys").stdout


def test_words_of_customers_do_not_move_the_cursor(migrated: Run, own_world: World) -> None:
    take_records(
        own_world.app.ctx,
        [own_world.record(own_world.survey("SOMEBODY", score=1, comment="a\x1b[2Jb"))],
    )
    shown = migrated("case", "show", "1").stdout
    assert "\x1b" not in shown
    assert "a\\x1b[2Jb" in shown


def test_dead_letters_are_listed_and_replayed(migrated: Run, own_world: World) -> None:
    take_records(own_world.app.ctx, [own_world.record(b"{")])
    (letter,) = json.loads(migrated("dead-letters", "list", "--json").stdout)
    assert (letter["reason"], letter["replayed_at"]) == ("not JSON", None)
    again = migrated("dead-letters", "replay", "--all")
    assert again.returncode == 1
    assert "still not JSON" in again.stdout


def _bury(world: World, value: dict[str, object]) -> None:
    """A dead letter whose bytes could be read by now."""
    with world.app.ctx.db.write() as tx:
        now = tx.now()
        letter = events.DeadLetter(
            place=f"surveys/0@{value['id']}",
            raw=json.dumps(value).encode(),
            headers={},
            received_at=now,
            error=UnreadableEvent("not JSON", "then"),
        )
        events.bury(tx, [letter], now)


def test_a_dead_letter_that_breaks_its_handling_does_not_stop_the_others(
    migrated: Run, own_world: World
) -> None:
    with own_world.app.ctx.db.write() as tx:
        now = tx.now()
        broken = {
            "customer_key": "POISON",
            "valid_from": now,
            "recorded_at": now,
            "source": "s",
            "event_id": "e",
        }
        tx.execute(customer_version.insert().values(**broken, changes={}, state="no object at all"))
    _bury(own_world, own_world.survey("POISON", score=1))
    _bury(own_world, own_world.survey("KIOSK-7", score=9))
    done = migrated("dead-letters", "replay", "1", "77", "2")
    assert done.returncode == 1
    assert re.search(r"^1: still cannot be handled: \w+Error: ", done.stdout)
    assert "there is no dead letter 77" in done.stderr
    assert "2: handled" in done.stdout
    (letter,) = json.loads(migrated("dead-letters", "list", "--json").stdout)
    assert (letter["id"], letter["reason"], letter["attempts"]) == (1, "cannot be handled", 2)


def test_a_dead_letter_is_shown_whole_with_what_is_not_printable_escaped(
    migrated: Run, own_world: World
) -> None:
    record = own_world.record(b'{"x":\n"\xff\x1b[2J"')
    headers = {"ce_id": b"\x00id", "traceparent": b"00-1"}
    take_records(own_world.app.ctx, [replace(record, headers=headers)])
    shown = migrated("dead-letters", "show", "1").stdout
    for words in (
        "dead letter 1: not UTF-8",
        "test@",
        "header    ce_id: \\x00id",
        "header    traceparent: 00-1",
    ):
        assert words in shown
    assert '13 bytes:\n{"x":\n"\\xff\\x1b[2J"' in shown
    for command in (("show", "1", "--json"), ("list", "--json")):
        found = json.loads(migrated("dead-letters", *command).stdout)
        letter = found[0] if isinstance(found, list) else found
        assert base64.b64decode(letter["value"]) == record.value
        assert base64.b64decode(dict(letter["headers"])["ce_id"]) == b"\x00id"


def test_a_dead_letter_nothing_can_be_done_about_is_set_aside(
    migrated: Run, own_world: World
) -> None:
    first = own_world.survey("KIOSK-7", score=9, id="same")
    take_records(own_world.app.ctx, [own_world.record(first)])
    take_records(
        own_world.app.ctx, [own_world.record({**first, "data": {**first["data"], "score": 8}})]
    )
    assert "still conflicting duplicate" in migrated("dead-letters", "replay", "1").stdout
    assert (
        "set aside"
        in migrated("dead-letters", "discard", "1", "--reason", "sent twice", "--by", "ann").stdout
    )
    assert json.loads(migrated("dead-letters", "list", "--json").stdout) == []
    (letter,) = json.loads(migrated("dead-letters", "list", "--all", "--json").stdout)
    assert (letter["discarded_by"], letter["discard_reason"]) == ("ann", "sent twice")
    assert "set aside" in migrated("dead-letters", "list", "--all").stdout
    assert "by ann: sent twice" in migrated("dead-letters", "show", "1").stdout
    with own_world.app.ctx.db.read() as tx:
        assert events.waiting_dead_letters(tx) == 0
        (entry,) = audit_entries.entries_of(tx, "dead_letter", "1")
    assert (entry.actor, entry.action) == ("ann", "dead_letter.discarded")
    assert entry.facts["reason"] == "sent twice"
    for again in (("discard", "1", "--reason", "x"), ("replay", "1")):
        refused = migrated("dead-letters", *again)
        assert refused.returncode == 1
        assert "set aside" in refused.stderr
    assert "No dead letter waits." in migrated("dead-letters", "replay", "--all").stdout


def test_sends_are_held_and_released(migrated: Run, own_world: World) -> None:
    _complaint(own_world)
    assert migrated("hold", "status").stdout == "Sending goes on. 1 mail waits.\n"
    assert "held" in migrated("hold", "sends", "--reason", "moving house").stdout
    again = migrated("hold", "sends", "--reason", "moving again").stdout
    assert "replaces the former one: moving house" in again
    assert re.match(
        r"Sending is held since \S+ \S+Z: moving again\n1 mail waits",
        migrated("hold", "status").stdout,
    )
    status = json.loads(migrated("hold", "status", "--json").stdout)
    assert (status["held"], status["reason"], status["waiting"]) == (True, "moving again", 1)
    assert migrated("hold", "release").stdout == "Sending goes on.\n"
    assert "was not held" in migrated("hold", "release").stdout
    with own_world.app.ctx.db.read() as tx:
        told = audit_entries.entries_of(tx, "instance", "1")
    actions = [entry.action for entry in told if entry.action.startswith("sending.")]
    assert actions == ["sending.held", "sending.held", "sending.released", "sending.released"]


@pytest.mark.parametrize(
    "command", [("case", "list"), ("report",), ("rules", "activate"), ("hold", "status")]
)
def test_a_command_in_the_wrong_folder_makes_nothing_there(
    alerting: Run, installation: Path, command: tuple[str, ...]
) -> None:
    done = alerting(*command)
    assert done.returncode == 2
    assert "there is no database at var/alerting.db; is this the right folder" in done.stderr
    assert "ALERTING_DATA" in done.stderr
    assert not (installation / "var").exists()


def test_a_database_that_does_not_answer_is_named_without_its_password(alerting: Run) -> None:
    url = "postgresql+psycopg://ann:hidden@127.0.0.1:1/alerts"
    done = alerting("case", "list", ALERTING_DATABASE_URL=url, ALERTING_LINK_KEYS="k" * 16)
    assert done.returncode == 1
    assert "a database does not answer: 127.0.0.1:1/alerts: " in done.stderr
    assert "ALERTING_DATABASE_URL" in done.stderr
    assert "hidden" not in done.stderr


def test_a_file_that_is_no_database_is_named(alerting: Run, installation: Path) -> None:
    (installation / "notes.txt").write_text("These are my notes, and they are no database. " * 10)
    done = alerting("case", "list", ALERTING_DATABASE_URL="sqlite:///notes.txt")
    assert done.returncode == 2
    assert "ALERTING_DATABASE_URL: notes.txt is no database for us" in done.stderr


def test_a_port_that_is_taken_stops_the_start_before_anything_is_consumed(
    process: Run, own_world: World, installation: Path
) -> None:
    own_world.app.event_log.append([NewRecord(topic="surveys", key="k", value=b"{")])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = process("run", ALERTING_LISTEN=address)
    assert done.returncode == 2
    assert f"ALERTING_LISTEN: nobody can listen on {address}" in done.stderr
    with own_world.app.ctx.db.read() as tx:
        assert positions.all_positions(tx) == {}


def test_activation_moves_the_rulebook_and_refuses_a_broken_one(
    migrated: Run, installation: Path
) -> None:
    assert "nothing changed" in migrated("rules", "activate").stdout
    rules = installation / "rules" / "escalations" / "key_accounts.yaml"
    good = rules.read_text()
    rules.write_text(good.replace("critical", "high"))
    assert (
        "Active now" in migrated("rules", "activate", "--author", "me", "--reason", "a try").stdout
    )
    rules.write_text(good.replace("sentiment =", "sentimnt ="))
    refused = migrated("rules", "activate")
    assert refused.returncode == 1
    assert "rules/escalations/key_accounts.yaml:6:" in refused.stderr
    assert "did you mean 'sentiment'?" in refused.stderr
    assert "sentimnt" in migrated("check").stderr


def test_a_rulebook_with_errors_stops_the_start_with_all_of_them(
    process: Run, installation: Path
) -> None:
    rules = installation / "rules"
    (rules / "sla.yaml").write_text(
        (rules / "sla.yaml").read_text().replace("within: 4h", "within: 4 hours", 1)
    )
    (rules / "routing.yaml").write_text(
        (rules / "routing.yaml").read_text().replace("person: vp_sales", "person: vp_sale")
    )
    done = process("run")
    assert done.returncode == 1
    assert "rules/sla.yaml:7:" in done.stderr
    assert "rules/routing.yaml:4:" in done.stderr
    assert "did you mean 'vp_sales'?" in done.stderr


def test_running_needs_a_database_that_is_no_demos_and_up_to_date(
    process: Run, installation: Path
) -> None:
    early = process("run", "deliver", ALERTING_SMTP_HOST="127.0.0.1")
    assert early.returncode == 2
    assert "alerting migrate" in early.stderr
    demo = process("demo", "--exit")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    for role in ("all", "consume"):
        refused = process("run", role, ALERTING_DATA="demo-data")
        assert refused.returncode == 2
        assert "alerting demo" in refused.stderr
    (installation / "precious").mkdir()
    (installation / "precious" / "file").write_text("mine")
    assert process("demo", "--exit", "--data", "precious").returncode == 2
    assert (installation / "precious" / "file").read_text() == "mine"


def test_wrong_settings_are_all_named_at_once(alerting: Run) -> None:
    done = alerting(
        "migrate", ALERTING_TICK="soon", ALERTING_SMPT_HOST="x", ALERTING_BASE_URL="ftp://x"
    )
    assert done.returncode == 2
    for words in ("ALERTING_TICK", "did you mean ALERTING_SMTP_HOST?", "ALERTING_BASE_URL"):
        assert words in done.stderr


def test_a_case_calls_its_clocks_as_the_report_does(migrated: Run, own_world: World) -> None:
    own_world.known_customers()
    sent = own_world.now() - timedelta(hours=30)
    own_world.take(own_world.survey("ACME-AERO", time=sent.isoformat()))
    own_world.reached("ACME-AERO", by="vp_sales")

    def states() -> dict[str, str]:
        found = re.findall(
            r"^  (\w+) +due \S+ \S+  (\w+)$", migrated("case", "show", "1").stdout, re.MULTILINE
        )
        return dict(found)

    assert states() == {"acknowledge": "late", "contact": "late", "resolve": "running"}
    own_world.take(own_world.survey("KIOSK-7", time=(sent - timedelta(days=5)).isoformat()))
    shown = migrated("case", "show", "2").stdout
    assert re.findall(r"Z  (\w+)$", shown, re.MULTILINE)[:1] == ["overdue"]
    forget(own_world.app, "KIOSK-7", "dpo")
    assert set(re.findall(r"Z  (\w+)$", migrated("case", "show", "2").stdout, re.MULTILINE)) == {
        "late"
    }
