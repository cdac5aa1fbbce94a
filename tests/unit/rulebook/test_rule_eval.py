"""`alerting rules eval`: what a condition says of facts."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alerting.cli import main


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, list(arguments), input=stdin, catch_exceptions=False)


def evaluated(tmp_path: Path, *cases: tuple[str, Any], rules: Path | None = None) -> list[str]:
    file = tmp_path / "cases.jsonl"
    file.write_text(
        "".join(json.dumps({"when": sql, "facts": facts}) + "\n" for sql, facts in cases)
    )
    result = run("rules", "eval", "--cases", str(file), *(["--rules", str(rules)] if rules else []))
    assert result.exit_code == 0
    return result.output.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A rules folder with nothing but what conditions may name."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "lists.yaml").write_text("lists:\n  churn: [cancel, 'switch to']\n  vip: vip.csv\n")
    (rules / "vip.csv").write_text("\ufeffcustomer_id,since\nACME,2020\n")
    (rules / "attributes.yaml").write_text(
        "attributes: {fleet: whole number, since: date, badges: list of texts}\n"
    )
    return rules


def test_each_line_of_facts_is_answered_in_one_line(tmp_path: Path) -> None:
    lines = [
        '{"event": {"score": 2}}',
        "{}",
        '{"event": {"score": "2"}}',
        "nonsense",
        "",
        '{"event": 5}',
        "[]",
    ]
    result = run(
        "rules", "eval", "--when", "score <= 6", "--facts", "-", stdin="\n".join(lines) + "\n"
    )
    assert result.exit_code == 0
    answers = result.output.splitlines()
    assert answers[:3] == ["true", "unknown", "error: event.score: '2' is not a number"]
    assert len(answers) == len(lines)
    assert all(answer.startswith("error: ") for answer in answers[2:])


def test_a_condition_that_is_refused_answers_every_line_with_the_reason() -> None:
    result = run("rules", "eval", "--when", "scor <= 6", "--facts", "-", stdin="{}\n{}\n")
    assert result.output == "error: column 1: unknown field 'scor' (did you mean 'score'?)\n" * 2
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("sql", "facts", "answer"),
    [
        ("score / 2 = 3", {"event": {"score": 7}}, "true"),
        ("score / 2 = 3.5", {"event": {"score": 7.0}}, "true"),
        ("customer.revenue_with_us / 2 = 3", {"customer": {"revenue_with_us": 7}}, "true"),
        ("duration_seconds / 2 = 3", {"event": {"duration_seconds": 7}}, "true"),
        (
            "sentiment = 'negative'",
            {"event": {"score": 0, "metric": "nps"}},
            "unknown",
        ),  # nothing is derived
        (
            "now = time AND time = '2026-03-06T08:00:00+01:00'",
            {"event": {"time": "2026-03-06T07:00:00Z"}},
            "true",
        ),
        ("now > '2026-01-01'", {"event": {"time": "2026-03-06T07:00:00"}}, "error"),  # no zone
        ("now > '2026-01-01'", {}, "unknown"),
        (
            "customer.renewal_date - now::date = 10",
            {"event": {"time": "2026-03-06T23:00:00Z"}, "customer": {"renewal_date": "2026-03-16"}},
            "true",
        ),
        ("customer.renewal_date IS NULL", {"customer": {"renewal_date": "16.3.2026"}}, "error"),
        (
            "respondent.email ILIKE '%@ACME.com' AND event.respondent.name IS NULL",
            {"event": {"respondent": {"email": "a@acme.com"}}},
            "true",
        ),
        (
            "answers.price = 'high' OR answers.stars >= 4",
            {"event": {"answers": {"price": "low", "stars": 4}}},
            "true",
        ),
        ("answers.price = 'high'", {"event": {"answers": {"price": 3}}}, "error"),
        ("answers.price = 'high'", {}, "unknown"),
        (
            "'at_risk' = ANY(customer.tags) AND customer.segment = 'key'",
            {"customer": {"tags": ["at_risk"], "segment": "key"}},
            "true",
        ),
        ("'at_risk' = ANY(customer.tags)", {"customer": {"tags": "at_risk"}}, "error"),
        (
            "last_score - 2 = score_change AND customer.last_sentiment = 'negative'",
            {"customer": {"last_score": 5, "score_change": 3, "last_sentiment": "negative"}},
            "true",
        ),
        (
            "days_to_renewal <= 90 AND days_since_contact > 30",
            {"customer": {"days_to_renewal": 80, "days_since_contact": 31}},
            "true",
        ),
        (
            "calls_in_vain >= 3 AND signals.spent < 1.5",
            {"signals": {"calls_in_vain": 3, "spent": 1.25}},
            "true",
        ),
        ("signals.never_seen > 1", {}, "unknown"),
        (
            "channel = 'phone' AND comment IS NULL",
            {"event": {"channel": "phone"}},
            "true",
        ),  # fields of all types
        ("contact_me", {"event": {"contact_me": 1}}, "error"),
        ("scale > 1", {"event": {"scale": 5.5}}, "error"),
        ("score > 9223372036854775806", {"event": {"score": 9223372036854775808}}, "true"),
        ("score < 1e400", {"event": {"score": 1}}, "true"),
        ("comment = 'ab'", {"event": {"comment": "a\x00b"}}, "true"),
        ("1 / score > 0", {"event": {"score": 0}}, "unknown"),
    ],
)
def test_facts_mean_what_their_json_says(tmp_path: Path, sql: str, facts: Any, answer: str) -> None:
    (found,) = evaluated(tmp_path, (sql, facts))
    assert found.split(":")[0] == answer, found


def test_the_rules_folder_supplies_lists_and_typed_attributes(tmp_path: Path, folder: Path) -> None:
    cases = [
        ("contains_any(comment, lists.churn)", {"event": {"comment": "We'll SWITCH  to another"}}),
        ("customer.id = ANY(lists.vip)", {"customer": {"id": "ACME"}}),
        ("customer.id = ANY(lists.vip)", {"customer": {"id": "since"}}),
        ("customer.fleet > 3", {"customer": {"fleet": 4}}),
        ("customer.attributes.fleet > 3", {"customer": {"attributes": {"fleet": 4}}}),
        ("customer.fleet > 3", {"customer": {"fleet": 4.5}}),
        ("'gold' = ANY(customer.badges)", {"customer": {"badges": ["gold"]}}),
        ("customer.flet > 3", {}),
        ("customer.id = ANY(lists.vop)", {}),
    ]
    answers = evaluated(tmp_path, *cases, rules=folder)
    assert answers[:5] == ["true", "true", "false", "true", "true"]
    assert answers[5] == "error: customer.fleet: 4.5 is not a whole number"
    assert answers[6] == "true"
    assert answers[7].endswith("unknown field 'customer.flet' (did you mean 'customer.fleet'?)")
    assert answers[8].endswith("no list is called 'lists.vop' (did you mean 'lists.vip'?)")
    assert evaluated(tmp_path, ("customer.fleet > 3", {}))[0].startswith(
        "error: column 1: unknown field"
    )


def test_a_signal_one_line_knows_is_missing_in_another_and_no_unknown_name(tmp_path: Path) -> None:
    answers = evaluated(tmp_path, ("calls > 1", {"signals": {"calls": 2}}), ("calls > 1", {}))
    assert answers == ["true", "unknown"]


def test_only_the_fields_of_one_event_type(tmp_path: Path) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_text("{}\n")
    result = run(
        "rules",
        "eval",
        "--when",
        "channel = 'phone'",
        "--facts",
        str(file),
        "--on",
        "survey.answered",
    )
    assert result.output.startswith("error: column 1: unknown field 'channel'")
    assert run("rules", "eval", "--when", "TRUE").exit_code == 2
    assert run("rules", "eval", "--when", "TRUE", "--cases", str(file)).exit_code == 2


def test_a_rules_folder_with_faults_is_refused_with_their_places(
    tmp_path: Path, folder: Path
) -> None:
    (folder / "lists.yaml").write_text("lists: {vip: vop.csv}\n")
    (folder / "attributes.yaml").write_text("attributes: {fleet: integer, name: text}\n")
    file = tmp_path / "cases.jsonl"
    file.write_text('{"when": "TRUE", "facts": {}}\n')
    result = run("rules", "eval", "--cases", str(file), "--rules", str(folder))
    assert result.exit_code == 1
    assert (
        "rules/lists.yaml:1:9: no list is called 'vop.csv' (did you mean 'vip.csv'?)"
        in result.stderr
    )
    assert "rules/attributes.yaml:1:" in result.stderr


def test_bytes_that_are_no_text_are_one_lines_error_and_a_mark_at_the_begin_is_none(
    tmp_path: Path,
) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"event": {"score": 1}}\n\xff\xfe{}\n{"event": {"score": 2}}\n')
    result = run("rules", "eval", "--when", "score = 1", "--facts", str(file))
    assert result.exit_code == 0
    assert result.output.splitlines() == ["true", "error: not UTF-8 at byte 1 of the line", "false"]


def test_whole_objects_of_a_wrong_type_are_errors(tmp_path: Path) -> None:
    cases = [
        ("respondent.name IS NULL", {"event": {"respondent": "x"}}),
        ("answers.a IS NULL", {"event": {"answers": ["x"]}}),
        ("answers.a IS NULL", {"event": {"answers": None, "respondent": None}}),
    ]
    assert evaluated(tmp_path, *cases) == [
        "error: event.respondent is a JSON object",
        "error: event.answers is a JSON object",
        "true",
    ]
