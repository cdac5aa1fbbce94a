"""`alerting sla due`, and policies on working calendars: what a promise comes to, as anybody can
ask.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from alerting.cli import main
from alerting.database.tables import audit_entry, dead_letter
from alerting.domain.cases.clocks import Starts, start_clock, timers_of
from alerting.domain.cases.sla import ClockKind, under_contract
from tests.support.builders import ROOT, problems_of, rulebook, starter_files
from tests.support.world import BEGIN, World
from tests.unit.times.test_calendars import BERLIN

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


def working(sla: str) -> dict[str, str]:
    return {
        **starter_files(),
        "rules/calendars.yaml": BERLIN,
        "rules/sla.yaml": starter_files()["rules/sla.yaml"] + sla,
    }


def test_a_policy_on_a_calendar_counts_in_its_working_time() -> None:
    sla = """  office:
    starts: customer_sent
    contact: {by: caller, within: 8h, calendar: berlin, steps: [{before: 4h, notify: caller}, {after: 1h, notify: default}]}
    resolve: {by: fixer, within: 3 working days, calendar: berlin, steps: [{at: 50%, notify: fixer}]}
"""  # noqa: E501
    policy = rulebook(working(sla)).policies["office"]
    sent = datetime(2026, 3, 6, 10, 0, tzinfo=UTC)  # a Friday, at eleven in Berlin
    starts = Starts(customer_sent=sent, received=sent, case_opened=sent)
    contact = start_clock(ClockKind.CONTACT, policy, starts, 1, 1)
    assert contact.due_at == datetime(2026, 3, 9, 12, 45, tzinfo=UTC)
    timers = timers_of(contact, policy.targets[ClockKind.CONTACT], sent)
    assert [timer.due_at for timer in timers] == [
        datetime(2026, 3, 9, 12, 45, tzinfo=UTC),
        datetime(2026, 3, 9, 8, 0, tzinfo=UTC),  # not Friday at three, when work ends
        datetime(2026, 3, 9, 13, 45, tzinfo=UTC),
    ]
    resolve = start_clock(ClockKind.RESOLVE, policy, starts, 1, 1)
    assert resolve.due_at == datetime(2026, 3, 11, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "within: 8h, calendar: berln",
            ":33:39: no calendar is called 'berln' (did you mean 'berlin'?)",
        ),
        (
            "within: 2d, calendar: berlin",
            ":33:27: '2d': a day of berlin has no length; write 2 working days, or hours",
        ),
        (
            "within: 2 working days",
            ":33:27: '2 working days': always is open all the time and has no working days",
        ),
        ("within: 0h", ":33:27: must be longer than nothing"),
        ("within: 5000d", ":33:27: '5000d' is longer than ten years"),
        (
            "within: 8h, calendar: berlin, steps: [{before: 8h, notify: caller}]",
            "never reached: it lies before the clock",
        ),
        ("within: 1000000000000s", ":33:27: '1000000000000s' is longer than ten years"),
        (
            "within: 48h, calendar: berlin, steps: [{before: 1d, notify: caller}]",
            ":33:67: '1d': a day of a working calendar has no length (write hours of working time, "
            "such as 8h)",
        ),
        (
            "within: 8h, calendar: berlin, steps: [{after: 0h, every: 2 d, times: 2, notify: "
            "caller}]",
            ":33:77: '2 d': a day of a working calendar has no length",
        ),
    ],
)
def test_what_a_policy_asks_of_a_calendar_is_checked(written: str, said: str) -> None:
    sla = f"  office:\n    starts: received\n    contact: {{by: caller, {written}}}\n"
    problems = [str(problem) for problem in problems_of(working(sla))]
    assert [problem for problem in problems if said in problem] == problems, problems
    assert len(problems) == 1


@pytest.mark.parametrize("calendar", ["berlin", "of caller"])
def test_an_acknowledgement_goes_stale_in_the_time_of_its_target(calendar: str) -> None:
    files = working(
        "  office:\n    starts: received\n    contact: {by: caller, within: 8h}\n"
        f"    acknowledge: {{by: caller, within: 8h, calendar: {calendar}, stale_after: 2d}}\n"
    )
    settings = files["rules/settings.yaml"]
    (problem,) = problems_of({**files, "rules/settings.yaml": f"{settings}calendar: berlin\n"})
    assert "'2d': a day of a working calendar has no length" in problem.message
    on_always = {
        **files,
        "rules/sla.yaml": files["rules/sla.yaml"].replace(f"calendar: {calendar}, ", ""),
    }
    acknowledge = rulebook(on_always).policies["office"].targets[ClockKind.ACKNOWLEDGE]
    assert acknowledge.stale_after == timedelta(days=2)


# What a customer's contract says


def test_a_contract_overrides_the_rules_target_and_nothing_else(world: World) -> None:
    world.known_customers()
    world.take(
        world.customer("ACME-AERO", contract={"contact": "2h", "resolve": "3d", "number": "V-17"})
    )
    world.take(world.survey("ACME-AERO"))
    clocks = world.clocks("ACME-AERO")
    lengths = {kind: clock.due_at - clock.started_at for kind, clock in clocks.items()}
    assert lengths == {
        "acknowledge": timedelta(hours=4),
        "contact": timedelta(hours=2),
        "resolve": timedelta(days=3),
    }
    assert {clock.policy for clock in clocks.values()} == {"call_in_24h"}
    (entry,) = [
        json.loads(row.body)
        for row in world.rows(select(audit_entry))
        if row.action == "alert.raised"
    ]
    assert entry["facts"]["contract"] == {"contact": "2h", "resolve": "72h"}
    world.pass_time(hours=2, minutes=1)
    world.tick()
    assert world.clocks("ACME-AERO")["contact"].missed_at is not None
    assert world.clocks("ACME-AERO")["acknowledge"].missed_at is None


def test_the_contract_of_the_time_of_the_answer_counts(world: World) -> None:
    world.known_customers()
    world.take(
        world.customer(
            "ACME-AERO", contract={"contact": "2h"}, time=(BEGIN - timedelta(minutes=5)).isoformat()
        )
    )
    world.take(world.survey("ACME-AERO", time=(BEGIN - timedelta(minutes=10)).isoformat()))
    clock = world.clocks("ACME-AERO")["contact"]
    assert clock.due_at - clock.started_at == timedelta(hours=24)


def test_what_a_contract_cannot_mean_on_a_calendar_leaves_the_rule_as_it_is() -> None:
    policy = rulebook(working("")).policies["call_in_24h"]
    calendars = rulebook(working("")).calendars
    for contract in (
        {"contact": "3 working days"},
        {"contact": "2d", "calendar": "berlin"},
        {"calendar": "berlin"},
        {},
    ):
        assert under_contract(policy, contract, calendars) == policy
    promised = under_contract(policy, {"contact": "8h", "calendar": "berlin"}, calendars)
    contact = promised.targets[ClockKind.CONTACT]
    assert (contact.calendar.name, str(contact.within), contact.by) == ("berlin", "8h", "caller")
    assert promised.targets[ClockKind.RESOLVE] == policy.targets[ClockKind.RESOLVE]


def test_a_contract_nobody_can_read_is_refused_with_its_field(small_world: World) -> None:
    small_world.take(small_world.customer("ACME-AERO", contract={"contact": "soon"}))
    (letter,) = small_world.rows(select(dead_letter))
    assert (letter.field, letter.detail) == (
        "data.contract",
        "contact: 'soon' is not a target; write 8h, 2d or 3 working days",
    )
