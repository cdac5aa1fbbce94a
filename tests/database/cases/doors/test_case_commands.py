"""`alerting case`, as somebody who works on one uses it."""

import json
import re
from datetime import timedelta

import pytest

from alerting.bootstrap import forget
from tests.support.commands import complaint
from tests.support.installation import Run
from tests.support.world import World


def test_a_case_is_worked_on_from_the_command_line(migrated: Run, own_world: World) -> None:
    complaint(own_world)
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
    complaint(own_world)

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
    complaint(own_world)
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
    complaint(own_world)
    assert ", 1 case, " in migrated("report").stdout
    assert ", 0 cases, " in migrated("report", "--to", "2000-01-01").stdout
    assert migrated("report", "--from", "0001-01-01", "--to", "9999-12-31").returncode == 0


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
