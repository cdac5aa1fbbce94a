"""Commands about the installation: folders, databases, settings, words on a terminal."""

from pathlib import Path

import pytest

from alerting.database.intake import positions
from alerting.database.intake.positions import Partition
from alerting.services.intake.take_records import take_records
from tests.support.installation import Run
from tests.support.world import World


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


def test_wrong_settings_are_all_named_at_once(alerting: Run) -> None:
    done = alerting(
        "migrate", ALERTING_TICK="soon", ALERTING_SMPT_HOST="x", ALERTING_BASE_URL="ftp://x"
    )
    assert done.returncode == 2
    for words in ("ALERTING_TICK", "did you mean ALERTING_SMTP_HOST?", "ALERTING_BASE_URL"):
        assert words in done.stderr
