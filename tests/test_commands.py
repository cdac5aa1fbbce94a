"""The command line, as a person types it, on an installation of one's own.

Commands run inside the test, which spares a second each; what starts roles runs as a process.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from alerting.bootstrap import bootstrap
from alerting.cli import main
from alerting.services.intake import take_records
from alerting.settings import read_settings
from tests.world import ROOT, World

CUSTOMERS = """customer_id,name,revenue_with_us,country,owner,contact_name,contact_phone,attribute.tier
ACME-AERO,Acme Aerospace,"1,240,000",DE,owner_north,Ada Example,+49 30 5550199,gold
ACME-AERO,,,,,Bob Example,,
KIOSK-7,Kiosk Seven,1900,DE,lead_central,,,
BROKEN-1,Broken,many,DE,,,,
,Nobody,1,DE,,,,
"""


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """rules/ and templates/ of one's own, whose go_live lies before any date a machine may show."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    settings = tmp_path / "rules" / "settings.yaml"
    settings.write_text(settings.read_text().replace("2026-01-01", "2001-01-01"))
    return tmp_path


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def alerting(installation: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(installation)

    def run(*arguments: str, **variables: str) -> Done:
        found = CliRunner().invoke(main, list(arguments), env={"ALERTING_LOG_LEVEL": "ERROR", **variables})
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Done(returncode=found.exit_code, stdout=found.stdout, stderr=found.stderr)

    return run


@pytest.fixture
def process(installation: Path) -> Run:
    def run(*arguments: str, **variables: str) -> Done:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ALERTING_")}
        environment |= {"PYTHONWARNINGS": "default", "ALERTING_LOG_LEVEL": "ERROR", **variables}
        command = [str(Path(sys.executable).parent / "alerting"), *arguments]
        done = subprocess.run(command, cwd=installation, env=environment, capture_output=True, text=True, timeout=60)
        return Done(returncode=done.returncode, stdout=done.stdout, stderr=done.stderr)

    return run


@pytest.fixture
def migrated(alerting: Run) -> Run:
    done = alerting("migrate")
    assert done.returncode == 0, done.stderr
    return alerting


@pytest.fixture
def own_world(installation: Path, migrated: Run) -> Iterator[World]:
    """The same installation from inside, to put events into it."""
    settings = {
        "ALERTING_DATA": str(installation / "var"),
        "ALERTING_RULES": str(installation / "rules"),
        "ALERTING_TEMPLATES": str(installation / "templates"),
    }
    app = bootstrap(read_settings(settings))
    yield World(app=app, folder=installation)
    app.close()


def test_importing_reports_bad_rows_by_line_and_the_same_file_again_changes_nothing(
    migrated: Run, installation: Path, own_world: World
) -> None:
    (installation / "customers.csv").write_text(CUSTOMERS)
    first = migrated("import", "customers.csv")
    assert first.returncode == 1
    assert "2 changed, 0 unchanged, 2 bad rows." in first.stdout
    assert "customers.csv:5: revenue_with_us: 'many' is not a number" in first.stderr
    assert "customers.csv:6: customer_id: is empty" in first.stderr
    assert "0 changed, 2 unchanged" in migrated("import", "customers.csv").stdout
    from alerting.database import customers

    with own_world.app.ctx.db.read() as tx:
        acme = customers.customer_now(tx, "ACME-AERO")
    assert [contact["name"] for contact in acme.contacts] == ["Ada Example", "Bob Example"]
    assert (acme.state["revenue_with_us"], acme.state["attributes"]) == (1_240_000, {"tier": "gold"})
    (installation / "customers.csv").write_text(CUSTOMERS.replace("1900", "300000"))
    assert "1 changed, 1 unchanged" in migrated("import", "customers.csv").stdout


def test_an_owner_nobody_knows_is_a_warning_and_no_failure(migrated: Run, installation: Path) -> None:
    (installation / "customers.csv").write_text("customer_id,owner\nKIOSK-7,lead_centrl\n")
    done = migrated("import", "customers.csv")
    assert (done.returncode, done.stdout) == (0, "1 changed, 0 unchanged, 0 bad rows.\n")
    assert (
        "customers.csv:2: warning: owner: 'lead_centrl' is nobody in people.yaml; did you mean 'lead_central'?"
        in done.stderr
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
    assert "acknowledged" in migrated("case", "acknowledge", "C-1", "--by", "service_desk_lead").stdout
    voicemail = migrated("case", "contact", "1", "--by", "service_desk_lead", "--outcome", "voicemail")
    assert "is acknowledged" in voicemail.stdout
    handed = migrated("case", "hand-over", "1", "--by", "service_desk_lead", "--to", "ceo", "--reason", "knows them")
    assert "with Cora Sample now" in handed.stdout
    assert "the call is still owed" in migrated("case", "resolve", "1", "--by", "ceo", "--note", "mended").stdout
    spoken = migrated(
        "case", "contact", "1", "--by", "ceo@example.com", "--outcome", "reached", "--note", "all is well"
    )
    assert "C-1 is resolved" in spoken.stdout
    story = json.loads(migrated("case", "show", "1", "--json").stdout)
    assert story["status"] == "resolved"
    assert [clock["met"] for clock in story["clocks"]] == [True]
    report = json.loads(migrated("report", "--json").stdout)
    assert report["overall"][0]["met"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["case", "acknowledge", "99", "--by", "ceo"], "there is no case C-99"),
        (["case", "acknowledge", "1", "--by", "nobody"], "'nobody' is nobody in people.yaml"),
        (["case", "contact", "1", "--by", "ceo", "--outcome", "reached", "--at", "2026-03-06T10:00"], "no time zone"),
        (["case", "hand-over", "1", "--by", "ceo", "--to", "office_berlin", "--reason", "x"], "is an office"),
        (["dead-letters", "replay", "7"], "no dead letter 7"),
        (["survey", "link", "no-such", "ACME-AERO"], "there is no survey"),
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


def test_dead_letters_are_listed_and_replayed(migrated: Run, own_world: World) -> None:
    take_records(own_world.app.ctx, [own_world.record(b"{")])
    (letter,) = json.loads(migrated("dead-letters", "list", "--json").stdout)
    assert (letter["reason"], letter["replayed_at"]) == ("not JSON", None)
    again = migrated("dead-letters", "replay", "--all")
    assert again.returncode == 1
    assert "still not JSON" in again.stdout


def test_sends_are_held_and_released(migrated: Run) -> None:
    assert "held" in migrated("hold", "sends", "--reason", "moving house").stdout
    assert "goes on" in migrated("hold", "release").stdout


def test_activation_moves_the_rulebook_and_refuses_a_broken_one(migrated: Run, installation: Path) -> None:
    assert "nothing changed" in migrated("rules", "activate").stdout
    rules = installation / "rules" / "escalations" / "key_accounts.yaml"
    good = rules.read_text()
    rules.write_text(good.replace("critical", "high"))
    assert "Active now" in migrated("rules", "activate", "--author", "me", "--reason", "a try").stdout
    rules.write_text(good.replace("sentiment =", "sentimnt ="))
    refused = migrated("rules", "activate")
    assert refused.returncode == 1
    assert "rules/escalations/key_accounts.yaml:6:" in refused.stderr
    assert "did you mean 'sentiment'?" in refused.stderr
    assert "sentimnt" in migrated("check").stderr


def test_a_rulebook_with_errors_stops_the_start_with_all_of_them(process: Run, installation: Path) -> None:
    rules = installation / "rules"
    (rules / "sla.yaml").write_text((rules / "sla.yaml").read_text().replace("within: 4h", "within: 4 hours", 1))
    (rules / "routing.yaml").write_text(
        (rules / "routing.yaml").read_text().replace("person: vp_sales", "person: vp_sale")
    )
    done = process("run")
    assert done.returncode == 1
    assert "rules/sla.yaml:7:" in done.stderr
    assert "rules/routing.yaml:4:" in done.stderr
    assert "did you mean 'vp_sales'?" in done.stderr


def test_running_needs_a_database_that_is_no_demos_and_up_to_date(process: Run, installation: Path) -> None:
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
    done = alerting("migrate", ALERTING_TICK="soon", ALERTING_SMPT_HOST="x", ALERTING_BASE_URL="ftp://x")
    assert done.returncode == 2
    for words in ("ALERTING_TICK", "did you mean ALERTING_SMTP_HOST?", "ALERTING_BASE_URL"):
        assert words in done.stderr
