"""`alerting rules activate` and `history`: what changes, and who must agree."""

import json
from pathlib import Path

from tests.support.installation import Run


def edited(installation: Path, name: str, old: str, new: str) -> None:
    file = installation / "rules" / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


def rulebook_in(output: str) -> str:
    return output.split("rulebook ")[-1].split(".")[0].strip()


def test_activation_shows_what_changes_and_history_leads_back(
    migrated: Run, installation: Path
) -> None:
    first = json.loads(migrated("rules", "history", "--json").stdout)[0]["rulebook"]
    edited(installation, "escalations/key_accounts.yaml", "severity: critical", "severity: high")
    edited(installation, "escalations/key_accounts.yaml", "sentiment = 'negative'", "score <= 4")
    done = migrated("rules", "activate", "--author", "ann", "--reason", "fewer calls")
    assert (
        "* rule key-account-unhappy: gave a negative answer: sentiment = 'negative' -> score <= 4"
        in done.stdout
    )
    assert "severity critical -> high" in done.stdout
    assert "+    severity: high" in done.stdout
    second = rulebook_in(done.stdout)
    assert "Already active, nothing changed" in migrated("rules", "activate").stdout
    assert "-    severity: high" in migrated("rules", "diff", second, first[:10]).stdout
    assert "They are the same." in migrated("rules", "diff", second).stdout
    back = migrated("rules", "activate", first[:12], "--author", "ben", "--reason", "too few")
    assert f"Active now: rulebook {first[:12]}" in back.stdout
    rows = json.loads(migrated("rules", "history", "--json").stdout)
    assert [(row["by"], row["reason"], row["state"]) for row in rows] == [
        ("ben", "too few", "active"),
        ("ann", "fewer calls", ""),
        ("first start", "the database was empty", ""),
    ]
    assert "fewer calls" in migrated("rules", "history").stdout
    unknown = migrated("rules", "activate", "ffff")
    assert unknown.returncode == 1
    assert "no stored rulebook begins with 'ffff'; activated were" in unknown.stderr


def test_a_second_person_must_agree_where_the_rulebook_asks_for_one(
    migrated: Run, installation: Path
) -> None:
    edited(installation, "settings.yaml", "go_live:", "second_person: true\ngo_live:")
    assert "Active now" in migrated("rules", "activate", "--author", "ann").stdout
    edited(installation, "escalations/key_accounts.yaml", "severity: critical", "severity: high")
    for _ in range(2):  # once more by the same person is no second one
        assert (
            "Proposed: rulebook"
            in migrated("rules", "activate", "--author", "ann", "--reason", "fewer").stdout
        )
    assert json.loads(migrated("rules", "history", "--json").stdout)[0]["state"] == "proposed"
    assert (
        "Active now"
        in migrated("rules", "activate", "--author", "ben", "--reason", "agreed").stdout
    )
    newest = json.loads(migrated("rules", "history", "--json").stdout)[0]
    assert (newest["by"], newest["state"]) == ("ann, ben", "active")


def test_a_rulebook_with_faults_is_not_activated(migrated: Run, installation: Path) -> None:
    edited(
        installation,
        "escalations/key_accounts.yaml",
        "sentiment = 'negative'",
        "sentimnt = 'negative'",
    )
    done = migrated("rules", "activate")
    assert done.returncode == 1
    assert "did you mean 'sentiment'?" in done.stderr
    assert len(json.loads(migrated("rules", "history", "--json").stdout)) == 1
