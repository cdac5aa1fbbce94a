"""Files of rule tests that are wrong."""

from pathlib import Path

import pytest

from tests.support.installation import Run
from tests.support.rulebook.rule_tests import ACME, OWN, SURVEY, Play, edited, own_test


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "alert: key-account-unhappy",
            "alert: key-acount-unhappy",
            "10:10: no rule is called 'key-acount-unhappy' (did you",
        ),
        (
            "alert: key-account-unhappy",
            "none: alert, rule: x",
            "10:23: no rule is called 'x' (known are calls-in-vain, ",
        ),
        (
            "mail: call, to: vp_sales",
            "mail: cal, to: vp_sales",
            "11:10: no mail template is called 'cal' (did you mean 'call'?)",
        ),
        (
            "to: vp_sales",
            "to: vp_sale",
            "11:22: no role or person is called 'vp_sale' (did you mean 'vp_sales'?)",
        ),
        (
            "mail: call, to",
            "none: mail, template: cal, to",
            "11:22: no mail template is called 'cal'",
        ),
        (
            "alert: key-account-unhappy",
            "alert: key-account-unhappy, customer: ACME",
            "10:38: no customer of this test is",
        ),
        ("by: vp_sales", "by: vp_sale", "8:33: no role or person is called 'vp_sale'"),
        (
            "type: survey.answered",
            "type: survey.answerd",
            "7:26: no event type is called 'survey.answerd' (did you mean",
        ),
        ("type: survey.answered", "type: [survey]", "7:18: 'type' is no text"),
        (
            "at: 0m, event",
            "at: 2040-03-05T08:30:00Z, event",
            "7:10: lies more than ten years after the begin",
        ),
        (
            "# no begin of its own",
            "begin: 9999-12-30T08:00:00Z",
            "3:5: lies outside the years 1971 to 9900",
        ),
        ("type: survey.answered, ", "", "7:18: 'type' is missing"),
        ("score: 2}", "scor: 2}", "7:111: no field is called 'scor' (did you mean 'score'?)"),
        ("score: 2}", "score: 11}", "7:18: score: nps runs from 0 to 10, not 11"),
        ("survey_id: relationship, ", "", "7:18: 'survey_id' is missing (add `survey_id:`)"),
        ("country: DE", "country: Germany", "5:56: "),
        (
            "name: Acme Aerospace",
            "nam: Acme Aerospace",
            "5:34: no field is called 'nam' (did you mean 'name'?)",
        ),
        (
            "at: 0m, event",
            "at: 2 weeks, event",
            "7:10: '2 weeks' is not a duration; write 30m, 24h or 7d",
        ),
        (
            "at: 0m, event",
            "at: 2026-03-06T08:30, event",
            "7:10: write an offset such as 2h, or a time with its zone",
        ),
        (
            "at: 0m, event",
            'at: "2026-03-05T08:30:00Z", event',
            "7:10: lies before the test begins, 2026-03-06T08:30:00",
        ),
        (
            "does: contact",
            "does: contct",
            "8:18: must be 'acknowledge', 'contact', 'hand_over', "
            "'wait', 'go_on' or 'fixed' (did you",
        ),
        ("does: contact, by: vp_sales", "does: contact", "8:9: say who does it: add `by:`"),
        ("does: contact, ", "does: hand_over, ", "8:9: hand_over names to whom"),
        (
            "does: contact, ",
            "does: fixed, outcome: reached, ",
            "8:9: only a contact has an outcome",
        ),
        (
            "does: contact, ",
            "does: contact, outcome: reachd, ",
            "8:33: must be 'reached', 'voicemail'",
        ),
        (
            "does: contact, ",
            f"does: contact, event: {SURVEY}, ",
            "8:9: exactly one of `event` and `does`",
        ),
        (
            f"event: {SURVEY}",
            f"event: {SURVEY}, by: ceo",
            "7:9: an event has no by; its own fields stand inside",
        ),
        (
            "alert: key",
            "mail: call, alert: key",
            "10:9: expect exactly one of alert, mail, missed and none",
        ),
        (
            "alert: key-account-unhappy",
            "missed: contct",
            "10:10: must be 'acknowledge', 'contact' or 'resolve'",
        ),
        ("alert: key-account-unhappy", "missed: contact, to: ceo", "10:9: only a mail has a `to`"),
        (
            "alert: key-account-unhappy",
            "none: mail, rule: calls-in-vain",
            "10:9: `rule:` goes with `none: alert`",
        ),
        (
            "alert: key-account-unhappy",
            "none: alert, template: call",
            "10:9: `template:` goes with `none: mail`",
        ),
        (
            "alert: key-account-unhappy",
            "none: alert, at: 0m",
            "10:9: `none` is meant from begin to end",
        ),
        (
            "mail: call, to",
            "at: 3h, mail: call, to",
            "11:10: the test ends before that, at 2h (add `until: 3h`)",
        ),
        ("expect:", "expct:", "9:5: unknown key 'expct' (did you mean 'expect'?)"),
        ("name: mine", "name: mine\n    only: maybe", "3:5: true or false is needed here"),
        (
            f"- {ACME}",
            f"- {ACME}\n      - {{customer_id: B}}",
            "9:9: this test has several customers (say whose case:",
        ),
        ("tests:", "tests: []\ntest:", "2:1: unknown key 'test' (did you mean 'tests'?)"),
    ],
)
def test_a_wrong_file_is_refused_with_place_and_suggestion(
    tested: Play, alerting: Run, installation: Path, old: str, new: str, said: str
) -> None:
    text = own_test(
        "alert: key-account-unhappy\nmail: call, to: vp_sales",
        timeline="at: 2h, does: contact, by: vp_sales",
    )
    assert old in text
    done = tested(text.replace(old, new, 1))
    assert done.returncode == 2
    assert f"{OWN}:{said}" in done.stderr, done.stderr
    assert "Nothing was tested." in done.stderr
    assert done.stdout == ""
    checked = alerting("check")
    assert checked.returncode == 1
    assert f"{OWN}:{said}" in checked.stderr


def test_all_that_is_wrong_is_found_at_once_and_names_also_where_the_form_does_not_fit(
    tested: Play,
) -> None:
    text = (
        own_test("mail: cal\nalert: x\nmissed: never") + own_test("mail: call").partition("\n")[2]
    )
    done = tested(text)
    assert done.returncode == 2
    for place in (
        "9:10: no mail",
        "10:10: no rule",
        "11:10: must be",
        "12:5: the test 'mine' stands here twice",
    ):
        assert f"{OWN}:{place}" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty (begin with `tests:`)"),
        ("tests: []\n", "this is empty"),
        ("tests:\n  - {name: a, name: b}\n", "this key stands here twice"),
        ("tests:\n  - {name: a, timeline: [], expect: []}\n", "this is empty"),
        (
            f"tests:\n  - {{name: a, timeline: [{{at: 0m, event: {SURVEY}}}], expect: []}}\n",
            "cannot fail; write `only: true`",
        ),
    ],
)
def test_a_file_that_could_test_nothing_is_refused(tested: Play, text: str, said: str) -> None:
    done = tested(text)
    assert done.returncode == 2
    assert said in done.stderr


def test_another_file_that_is_wrong_is_no_failed_test_either(
    tested: Play, installation: Path
) -> None:
    edited(installation, "rules/sla.yaml", "within: 24h", "within: 24 hours")
    done = tested(own_test("mail: call"))
    assert done.returncode == 2
    assert "rules/sla.yaml:12:7: '24 hours' is not a target" in done.stderr
