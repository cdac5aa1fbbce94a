"""rules/ and templates/: the starter files load, and are named by every byte of theirs."""

from pathlib import Path

import pytest

from alerting.adapters.rulebook.people_file import read_people
from alerting.adapters.rulebook.rule_files import read_all, read_files
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.domain.rulebook.rulebook import content_hash
from tests.support.builders import ROOT, rulebook, starter_files, starter_people
from tests.support.rulebook.files import (
    ROUTING,
    SEGMENTS,
    SETTINGS,
    SIGNALS,
    SLA,
    SURVEYS,
    found,
    refused,
    the_problem,
    with_file,
)


def test_the_starter_rules_load_with_their_people() -> None:
    files, people = read_all(ROOT / "rules", ROOT / "templates")
    loaded = build_rulebook(files, people)
    assert [rule.id for rule in loaded.rules] == [
        "calls-in-vain",
        "key-account-unhappy",
        "unhappy-customer",
    ]
    assert [segment.id for segment in loaded.segments] == [
        "key",
        "unverified",
        "high_potential",
        "low_potential",
    ]
    assert set(loaded.policies) == {"call_in_24h", "call_in_3d"}
    assert "ACME-AERO" in (loaded.segments[0].members or ())
    assert loaded.surveys["relationship"].scores == range(11)
    assert people["office_berlin"].kind == "office"


def test_no_starter_rule_lets_an_ordinary_customer_reach_a_vice_president() -> None:
    loaded = rulebook()
    ordinary = next(rule for rule in loaded.rules if rule.id == "unhappy-customer")
    targets = loaded.policies[ordinary.policy].targets.values()
    steps = [step for target in targets for step in target.steps]
    words = {word for step in steps for word in step.notify}
    assert {ordinary.caller, ordinary.fixer, *ordinary.inform} == {"account_owner", None}
    assert words == {"caller", "default"}


@pytest.mark.parametrize("name", sorted(starter_files()))
def test_any_byte_of_any_file_changes_the_name_of_the_rulebook(name: str) -> None:
    files, before = dict(starter_files()), content_hash(starter_files())
    assert content_hash({**files, name: files[name] + " "}) != before
    assert content_hash({**files, name: files[name].replace("\n", "\r\n", 1)}) != before
    text = files.pop(name)
    assert content_hash(files) != before
    assert content_hash({**files, name + "x": text}) != before


def test_people_are_no_part_of_the_name_and_line_ends_are(folders: tuple[Path, Path]) -> None:
    before = content_hash(read_files(*folders))
    people = folders[0] / "people.yaml"
    people.write_text(people.read_text() + "\n# somebody left\n")
    assert content_hash(read_files(*folders)) == before
    settings = folders[0] / "settings.yaml"
    settings.write_bytes(settings.read_bytes().replace(b"\n", b"\r\n"))
    assert content_hash(read_files(*folders)) != before
    build_rulebook(read_files(*folders), read_people(people))


def test_a_files_text_cannot_be_moved_into_its_name() -> None:
    assert content_hash({"a": "bc"}) != content_hash({"ab": "c"})
    assert content_hash({"a": "1", "b": "2"}) == content_hash({"b": "2", "a": "1"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "name,customer_id\n",
            "rules/key_accounts.csv:1:1: the first line must begin with customer_id",
        ),
        ("", "rules/key_accounts.csv:1:1: the first line must begin with customer_id"),
        (
            "customer_id;name\n1;2\n",
            "rules/key_accounts.csv:1:1: the first line must begin with customer_id",
        ),
        (
            'customer_id\n"' + "x" * 200_000 + '"\n',
            "rules/key_accounts.csv:2: no table: field larger than field limit",
        ),
        (None, f"{SEGMENTS}:4:44: no list is called 'key_accounts.csv'"),
    ],
)
def test_a_list_of_members_that_is_none_is_refused(text: str | None, problem: str) -> None:
    assert the_problem(with_file("rules/key_accounts.csv", text)).startswith(problem)


def test_a_list_may_come_from_a_spreadsheet() -> None:
    text = "\ufeffcustomer_id,name\r\n A-1 ,Acme\r\n\r\nB-2,\r\n"
    assert rulebook(with_file("rules/key_accounts.csv", text)).segments[0].members == frozenset(
        {"A-1", "B-2"}
    )


@pytest.mark.parametrize("name", [SETTINGS, SEGMENTS, ROUTING, SLA])
def test_a_needed_file_that_is_missing_is_named(name: str) -> None:
    assert f"{name}: is missing" in found(with_file(name, None))


def test_rules_without_signals_surveys_or_any_rule() -> None:
    files = with_file(SURVEYS, None)
    assert rulebook(files).surveys == {}
    ruleless = {
        name: text for name, text in files.items() if not name.startswith("rules/escalations/")
    }
    assert "there is no rule" in the_problem(ruleless)
    calls = "rules/escalations/calls_in_vain.yaml"
    assert f"{calls}:7:46: unknown field 'calls_in_vain'" in found(with_file(SIGNALS, None))


def test_folders_that_are_not_there_are_named_with_what_to_set(tmp_path: Path) -> None:
    lines = refused(tmp_path / "rules", tmp_path / "templates")
    assert any(
        line.startswith("rules: there is no folder") and "ALERTING_RULES" in line for line in lines
    )
    assert any(line.startswith("templates/mail: there is no folder") for line in lines)


def test_a_stored_rulebook_needs_no_people_to_be_read_again() -> None:
    assert build_rulebook(starter_files()).hash == rulebook().hash
    assert {"vp_sales", "office_berlin"} <= set(starter_people())
