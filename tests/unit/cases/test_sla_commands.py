"""`alerting sla due`: what a promise comes to, as anybody can ask."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alerting.cli import main
from tests.support.builders import ROOT
from tests.support.rulebook.calendars import BERLIN

KEYS = ("due", "working_seconds", "felt_seconds")


CASES: list[tuple[dict[str, Any], tuple[Any, Any, Any]]] = [
    (
        {"target": "480m", "start": "2026-03-06T10:00:00Z"},
        ("2026-03-09T12:45:00Z", 28_800, 269_100),
    ),
    (
        {"target": "8h", "start": "2026-03-06T11:00:00+01:00"},
        ("2026-03-09T12:45:00Z", 28_800, 269_100),
    ),
    (
        {"target": "3h30m", "start": "2026-03-06T10:00:00Z"},
        ("'3h30m' is not a target; write 30m, 8h or 3 working days", None, None),
    ),
    (  # Tuesday, the short Wednesday, Monday after the holidays; two hours of Tuesday were paused
        {
            "target": "3 working days",
            "start": "2026-12-21T10:00:00Z",
            "pauses": [
                ["2026-12-22T07:00:00Z", "2026-12-22T10:00:00Z"],
                ["2026-12-22T09:00:00Z", "2026-12-22T10:00:00Z"],
            ],
        },
        ("2026-12-29T10:00:00Z", 92_700, 691_200),
    ),
    (
        {"target": "1h", "start": "2026-03-06T10:00:00Z", "end": "2026-03-06T15:00:00.5Z"},
        ("2026-03-06T11:00:00Z", 14_400, 18_000.5),
    ),
    (
        {"calendar": "always", "target": "2d", "start": "2026-03-28T12:00:00Z"},
        ("2026-03-30T12:00:00Z", 172_800, 172_800),
    ),
    (
        {
            "target": "1h",
            "start": "2026-03-06T10:00:00Z",
            "pauses": [["2026-03-06T10:30:00Z", None]],
        },
        (None, None, None),
    ),
    (
        {"target": "1h", "start": "2026-03-06"},
        ("start: '2026-03-06' is not a time with its zone", None, None),
    ),
    ({"target": "1h"}, ("start: is missing; write 2026-03-06T15:00:00Z", None, None)),
    ({"start": "2026-03-06T10:00:00Z"}, ("target: is missing", None, None)),
    (
        {"target": "1h", "start": "2026-03-06T10:00:00Z", "end": "2026-03-05T10:00:00Z"},
        ("end lies before start", None, None),
    ),
    (
        {"calendar": "berln", "target": "1h", "start": "2026-03-06T10:00:00Z"},
        ("did you mean 'berlin'?", None, None),
    ),
    (
        {
            "target": "1h",
            "start": "2026-03-06T10:00:00Z",
            "pauses": [["2026-03-06T11:00:00Z", "2026-03-06T10:00:00Z"]],
        },
        ("a pause ends before it begins: 2026-03-06T11:00:00Z to 2026-03-06T10:00:00Z", None, None),
    ),
    (
        {"target": "1h", "start": "2026-03-06T10:00:00Z", "pause": []},
        ("unknown key 'pause'; did you mean 'pauses'?", None, None),
    ),
]


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["sla", "due", *arguments], input=stdin, catch_exceptions=False)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Nothing but calendars, and a file that is none of the command's business."""
    (tmp_path / "calendars.yaml").write_text(BERLIN)
    (tmp_path / "sla.yaml").write_text("policies: nonsense\n")
    return tmp_path


def test_each_case_is_answered_in_one_line(rules: Path) -> None:
    lines = [json.dumps({"calendar": "berlin"} | case) for case, _ in CASES] + [
        "nonsense",
        "",
        "[]",
    ]
    result = run("--cases", "-", "--rules", str(rules), stdin="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in result.output.splitlines()]
    assert (result.exit_code, len(answers)) == (0, len(lines))
    for (case, (due, working, felt)), answer in zip(CASES, answers, strict=False):
        if "error" in answer:
            assert str(due) in answer["error"], case
        else:
            assert answer == dict(zip(KEYS, (due, working, felt), strict=True)), case
    assert all("error" in answer for answer in answers[-3:])


def test_a_target_by_itself_and_the_clocks_of_a_policy(rules: Path) -> None:
    told = run(
        "--target",
        "8h",
        "--calendar",
        "berlin",
        "--start",
        "2026-03-06T10:00Z",
        "--rules",
        str(rules),
    )
    assert "2026-03-09T12:45:00Z  Mon 2026-03-09 13:45:00 CET" in told.output
    policy = ("--policy", "call_in_24h", "--rules", str(ROOT / "rules"))
    start = ("--start", "2026-03-06T10:00Z", "--pause", "2026-03-06T12:00Z/2026-03-06T14:00Z")
    told = run(*policy, *start)
    assert (
        "contact by caller           24h on always   2026-03-07T12:00:00Z  Sat 2026-03-07 12:00:00 "
        "UTC" in told.output
    )
    assert "  fixer                     at 80%          2026-03-12T02:24:00Z" in told.output
    (first, *_) = json.loads(run(*policy, *start, "--json").output)
    assert (first["clock"], first["due"], first["steps"][0]["notify"]) == (
        "acknowledge",
        "2026-03-06T16:00:00+00:00",
        ["caller"],
    )
    assert run("--target", "8h").exit_code == run("--cases", "-", "--target", "8h").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--target", "nonsense"),
            "error: --target 'nonsense' is not a target; write 30m, 24h or 7d",
        ),
        (
            ("--target", "2d", "--calendar", "berlin"),
            "error: --target '2d': a day of berlin has no length; write",
        ),
        (
            ("--target", "0 working days", "--calendar", "berlin"),
            "is over before it begins; write 1 working day",
        ),
        (
            ("--target", "2 working days"),
            "always is open all the time and has no working days; write 2d",
        ),
        (("--target", "999999999d"), "error: --target '999999999d' is longer than ten years"),
        (
            ("--policy", "call_in_24h", "--calendar", "berlin"),
            "Error: --calendar goes with --target",
        ),
    ],
)
def test_what_is_no_target_is_said_in_a_line(
    rules: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = run(*arguments, "--start", "2026-03-06T10:00:00Z", "--rules", str(rules))
    assert result.exit_code in {1, 2}
    assert said in result.output


def test_a_million_seconds_are_a_target_like_any_other(rules: Path) -> None:
    result = run(
        "--target", "1000000s", "--start", "2026-03-06T10:00:00Z", "--rules", str(rules), "--json"
    )
    assert json.loads(result.output)[0]["due"] == "2026-03-17T23:46:40+00:00"


def test_calendars_with_faults_are_named_before_anything_is_answered(rules: Path) -> None:
    (rules / "calendars.yaml").write_text(BERLIN.replace("mon-thu", "mon-tho"))
    result = run("--cases", "-", "--rules", str(rules), stdin="{}\n")
    assert result.exit_code != 0
    assert "rules/calendars.yaml:1:44: 'mon-tho' are no days" in result.output
    (rules / "calendars.yaml").write_bytes(b"berlin: \xff\n")
    result = run("--cases", "-", "--rules", str(rules), stdin="{}\n")
    assert (result.exit_code, "rules/calendars.yaml:1: not UTF-8 at byte 8" in result.output) == (
        1,
        True,
    )
