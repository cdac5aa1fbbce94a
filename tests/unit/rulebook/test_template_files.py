"""Templates and translations: what cannot be read, and what nobody sends."""

import pytest

from alerting.adapters.files.findings import Findings
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from tests.support.builders import changed, problems_of, rulebook, starter_files
from tests.support.rulebook.files import found, the_problem, with_file


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "en/call.txt",
            "Hello\n{% if %}\n",
            ":2: Expected an expression, got 'end of statement block'",
        ),
        ("en/call.html", "{{ v.customer.name\n", ":1: unexpected end of template"),
        (
            "en/call.txt",
            "Hello\n\n{{ v | no_such_filter }}\n",
            ":3: No filter named 'no_such_filter'.",
        ),
        (
            "en/call.html",
            "\n{% extends 'en/_nowhere.html' %}\n",
            ":2: there is no template 'en/_nowhere.html' to build on",
        ),
        ("de/call.txt", "{{", ":1: unexpected 'end of template'"),
        ("en/overdue.html", None, ": is missing"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused_at_its_line(
    name: str, text: str | None, problem: str
) -> None:
    lines = found(with_file(f"templates/mail/{name}", text))
    assert any(line.startswith(f"templates/mail/{name}{problem}") for line in lines), lines


def test_a_rule_may_bring_its_own_mail_which_needs_all_three_files() -> None:
    files = changed(
        key_accounts=("policy: call_in_24h", "policy: call_in_24h\n    template: urgent")
    )
    missing = [f"templates/mail/en/urgent.{ending}" for ending in ("html", "subject.txt", "txt")]
    assert [problem.file for problem in problems_of(files)] == missing
    whole = files | {name: starter_files()[name.replace("urgent", "call")] for name in missing}
    assert (
        next(rule for rule in rulebook(whole).rules if rule.template == "urgent").id
        == "key-account-unhappy"
    )


def test_names_are_translated_and_a_misspelt_one_is_found() -> None:
    text = (
        "conditions:\n  gave a negative anser: gab eine negative Antwort\nrules: "
        "{key-account-unhapy: x}\n"
    )
    problems = found(with_file("rules/words/de.yaml", text))
    assert problems == [
        "rules/words/de.yaml:2:3: no condition is called 'gave a negative anser' (did you mean "
        "'gave a negative answer'?)",
        "rules/words/de.yaml:3:9: no rule is called 'key-account-unhapy' (did you mean "
        "'key-account-unhappy'?)",
    ]
    assert the_problem(with_file("rules/words/german.yaml", "rules: {}\n")).startswith(
        "rules/words/german.yaml:1:1: 'german' is no locale"
    )


def test_what_a_language_leaves_out_is_warned_of_and_stays_as_written() -> None:
    findings = Findings()
    text = "conditions: {gave a negative answer: gab eine negative Antwort}\n"
    built = build_rulebook(with_file("rules/words/de.yaml", text), None, findings)
    (warning,) = [w for w in findings.warnings if w.file == "rules/words/de.yaml"]
    assert "'is a key account'" in warning.message and "negative answer" not in warning.message
    assert built.words_for("de-AT").conditions == {
        "gave a negative answer": "gab eine negative Antwort"
    }
    assert built.words_for("fr").conditions == {}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("{{ v.custmer.name }}", "no mail knows 'v.custmer' (did you mean 'customer'?)"),
        ("{{ v.case.nosuch }}", "no mail knows 'v.case.nosuch'"),
        ("{{ v.trigger.titel }}", "no mail knows 'v.trigger.titel' (did you mean 'title'?)"),
        ("{{ me.nam }}", "no mail knows 'me.nam' (did you mean 'name'?)"),
        (
            "{% for a in v.alerts %}{{ a.titel }}{% endfor %}",
            "no mail knows 'a.titel' (did you mean 'title'?)",
        ),
        ("{% set c = v.customer %}{{ c.zzz }}", "no mail knows 'c.zzz'"),
        (
            "{% set c = v %}{% for a in c.alerts %}{{ a.nope }}{% endfor %}",
            "no mail knows 'a.nope'",
        ),
        ("{{ v['custmer'].name }}", "no mail knows 'v.custmer' (did you mean 'customer'?)"),
    ],
)
def test_what_no_case_has_is_found_before_a_mail_fails(wrong: str, said: str) -> None:
    name = "templates/mail/en/fix.txt"
    assert the_problem(with_file(name, starter_files()[name] + wrong)).endswith(said)
