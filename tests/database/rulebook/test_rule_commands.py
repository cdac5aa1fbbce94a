"""`alerting rules ...` and `alerting check`, as whoever writes rules uses them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alerting.cli import main
from tests.support.installation import Done, Run


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


# Checking


ESCALATION = """rules:
  - id: extra
    title: An extra rule
    on: survey.answered
    when:
      first: "FIRST"
      second: "SECOND"
    severity: normal
    caller: account_owner
    policy: call_in_3d
"""


def checked(alerting: Run, installation: Path, first: str, second: str = "TRUE") -> Done:
    text = ESCALATION.replace("FIRST", first).replace("SECOND", second)
    (installation / "rules" / "escalations" / "extra.yaml").write_text(text)
    return alerting("check")


def test_the_starter_rules_have_no_problems_and_no_warnings(alerting: Run) -> None:
    done = alerting("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no problems, 0 warnings" in done.stdout
    assert json.loads(alerting("check", "--json").stdout) == {"problems": [], "warnings": []}


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("score > 8", "score < 3", "7:16: can never be true: score > 8 and score < 3"),
        ("score BETWEEN 9 AND 1", "TRUE", "6:15: can never be true: score BETWEEN 9 AND 1"),
        ("score >= 7 AND score < 7", "TRUE", "can never be true: score >= 7 and score < 7"),
        ("score = 3", "score IN (1, 2)", "can never be true: score = 3 and score IN (1, 2)"),
        (
            "sentiment = 'negativ'",
            "TRUE",
            "can never be true: sentiment is one of negative, neutral, positive",
        ),
        ("metric = 'NPS'", "TRUE", "can never be true: metric is one of ces, csat, nps, rating"),
        (
            "customer.segment = 'keyy'",
            "TRUE",
            "can never be true: customer.segment is one of high_potential, key, ",
        ),
        (
            "customer.segment IN ('key', 'x')",
            "customer.segment = 'x'",
            "can never be true: customer.segment IN",
        ),
        (
            "survey_id = 'a'",
            "'b' = survey_id",
            "can never be true: survey_id = 'a' and 'b' = survey_id",
        ),
        ("comment = NULL", "TRUE", "nothing compares with NULL; write IS NULL or IS NOT NULL"),
        ("score / 0 > 1", "TRUE", "a division by zero is NULL"),
        ("score > 8 AND score < 3 OR sentiment = 'x'", "TRUE", "can never be true"),
        ("FALSE", "TRUE", "can never be true"),
        (
            "customer.country = 'Germany'",
            "TRUE",
            "can never be true: customer.country is one of AD, AE, ",
        ),
        (
            "customer.rfm_group = 'champion'",
            "TRUE",
            "can never be true: customer.rfm_group is one of big_spenders, ",
        ),
        (
            "'at_risk' = ANY(customer.tags)",
            "TRUE",
            "can never be true: customer.tags is never 'at_risk'",
        ),
    ],
)
def test_a_rule_that_can_never_fire_is_found(
    alerting: Run, installation: Path, first: str, second: str, said: str
) -> None:
    done = checked(alerting, installation, first, second)
    assert done.returncode == 1
    assert said in done.stderr
    assert "rules/escalations/extra.yaml:" in done.stderr
    assert "1 problem, " in done.stderr


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("score > 3", "score < 8"),
        ("score >= 7", "score <= 7"),
        ("NOT score > 3", "score < 2"),
        ("score > 8 OR score < 3", "TRUE"),
        ("sentiment = 'negative' OR sentiment = 'positive'", "TRUE"),
        ("customer.segment IN ('key', 'unverified')", "customer.segment = 'unverified'"),
        ("score + 1 > 9", "score < 9"),
        ("survey_id = 'a' OR survey_id = 'b'", "survey_id = 'b'"),
    ],
)
def test_what_may_be_true_is_left_alone(
    alerting: Run, installation: Path, first: str, second: str
) -> None:
    done = checked(alerting, installation, first, second)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("sql", "field"),
    [
        ("survey_id <> 'x'", None),
        ("language <> 'de'", "language"),
        ("customer.country NOT IN ('DE')", "customer.country"),
    ],
)
def test_a_negation_that_passes_over_missing_values_is_warned_of(
    alerting: Run, installation: Path, sql: str, field: str | None
) -> None:
    done = checked(alerting, installation, sql)
    assert done.returncode == 0
    warned = (
        f"unknown, and so not true, wherever {field or 'survey_id'} is missing (write COALESCE("
    )
    assert warned in done.stderr
    assert done.stderr.startswith("warning: rules/escalations/extra.yaml:6:")
    assert (
        checked(alerting, installation, f"COALESCE({field or 'survey_id'}, '') <> 'x'").stderr == ""
    )


def test_a_hint_fits_the_field_and_a_value_that_never_occurs_is_named(
    alerting: Run, installation: Path
) -> None:
    assert (
        "write COALESCE(score, 0), or add score IS NOT NULL"
        in checked(alerting, installation, "score <> 3").stderr
    )
    assert (
        "wherever language is missing"
        in checked(alerting, installation, "NOT (language = 'de')").stderr
    )
    assert (
        "wherever comment is missing"
        in checked(alerting, installation, "comment NOT LIKE '%x%'").stderr
    )
    strange = checked(alerting, installation, "customer.segment IN ('key', 'kex')")
    assert (strange.returncode, strange.stderr.count("warning: ")) == (0, 1)
    assert ":6:15: customer.segment is never 'kex' (did you mean 'key'?)" in strange.stderr
    assert (
        "customer.tags is never 'vip'"
        in checked(alerting, installation, "score = 1 OR 'vip' = ANY(customer.tags)").stderr
    )


def test_templates_are_asked_for_variables_that_no_mail_has(
    alerting: Run, installation: Path
) -> None:
    template = installation / "templates" / "mail" / "en" / "call.txt"
    template.write_text(
        template.read_text()
        + "\n{{ custmer.name }}\n{% for a in v.alerts %}{{ a.title }}{% endfor %}\n"
    )
    done = alerting("check")
    assert done.returncode == 1
    assert "no mail has a variable 'custmer' (known are " in done.stderr
    assert done.stderr.count("templates/mail/en/call.txt:") == 1


def test_people_without_anybody_above_and_policies_nobody_uses_are_warned_of(
    alerting: Run, installation: Path
) -> None:
    people = installation / "rules" / "people.yaml"
    people.write_text(
        people.read_text()
        + "\n  - {id: office_oslo, name: Oslo, email: oslo@example.com, locale: german}\n"
    )
    line = people.read_text().count("\n")
    sla = installation / "rules" / "sla.yaml"
    sla.write_text(
        sla.read_text()
        + "\n  unused:\n    starts: received\n    contact: {by: caller, within: 1h}\n"
    )
    done = alerting("check")
    assert done.returncode == 0
    assert f"rules/people.yaml:{line}:6: the office 'office_oslo' has no manager" in done.stderr
    assert (
        f"rules/people.yaml:{line}:60: 'office_oslo' has the locale 'german', which is none"
        in done.stderr
    )
    assert "rules/sla.yaml:" in done.stderr
    assert "no rule uses the policy 'unused'" in done.stderr
    found = json.loads(alerting("check", "--json").stdout)
    assert len(found["warnings"]) == 3
    assert found["warnings"][0].keys() == {"file", "line", "column", "message", "suggestion"}


# Activation


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


def test_bytes_that_are_no_text_are_one_lines_error_and_a_mark_at_the_begin_is_none(
    tmp_path: Path,
) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"event": {"score": 1}}\n\xff\xfe{}\n{"event": {"score": 2}}\n')
    result = run("rules", "eval", "--when", "score = 1", "--facts", str(file))
    assert result.exit_code == 0
    assert result.output.splitlines() == ["true", "error: not UTF-8 at byte 1 of the line", "false"]


@pytest.mark.parametrize(
    "thought",
    [
        "language IS NULL OR language <> 'de'",
        "language <> 'de' AND language IS NOT NULL",
        "CASE WHEN language IS NULL THEN TRUE ELSE language <> 'de' END",
        "(language <> 'de') IS NOT FALSE",
        "language IN ('de', 'fr') AND language <> 'de'",
        "score > 3 AND score <> 5",
    ],
)
def test_whoever_thought_of_missing_values_is_not_warned(
    alerting: Run, installation: Path, thought: str
) -> None:
    assert checked(alerting, installation, thought).stderr == ""


@pytest.mark.parametrize(
    ("never", "said"),
    [
        ("calls_in_vain < 0", "calls_in_vain is never below 0"),
        ("NOT (score >= 0)", "score lies between 0 and 1000"),
        ("type = 'interaction.recorded'", "type is one of survey.answered"),
    ],
)
def test_what_no_event_and_no_signal_can_be_is_found(
    alerting: Run, installation: Path, never: str, said: str
) -> None:
    done = checked(alerting, installation, never)
    assert (done.returncode, f"can never be true: {said}" in done.stderr) == (1, True), done.stderr


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
