"""`alerting check`: what can never fire, what is passed over, what nobody uses."""

import json
from pathlib import Path

import pytest

from tests.support.installation import Done, Run

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
