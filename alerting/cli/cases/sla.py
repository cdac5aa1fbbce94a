"""`alerting sla due`: when a promise is due, and why, so that anybody can check the arithmetic by
other means.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import click

from alerting.adapters.files.yaml_files import Findings
from alerting.adapters.rulebook import rule_files
from alerting.adapters.rulebook.calendar_files import CALENDARS, read_calendars
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.cli.shared import plain_errors, print_json, table
from alerting.domain.cases.sla import Policy, Step
from alerting.domain.errors import Invalid, RulebookInvalid
from alerting.domain.rulebook.evaluation import FactsInvalid, read_json
from alerting.domain.times.calendars import ALWAYS, Calendar
from alerting.domain.times.working_time import Amount, Pause, due_instant, read_amount, working_time
from alerting.settings import read_settings

_KEYS = ("calendar", "target", "start", "pauses", "end")


@click.group()
def sla() -> None:
    """Promises: when they are due."""


@sla.command()
@click.option(
    "--policy",
    "policy_id",
    help="A policy of rules/sla.yaml: each of its clocks, with their steps.",
)
@click.option("--calendar", "calendar_name", help="Of --target; always, if nothing is said.")
@click.option(
    "--target", help="A target by itself, such as 8h, 2d (on `always`) or `3 working days`."
)
@click.option("--start", help="When the clock starts, such as 2026-03-06T15:00+01:00.")
@click.option(
    "--pause",
    "pauses",
    multiple=True,
    help="FROM/TO, or FROM/ for one that lasts. May be given several times.",
)
@click.option(
    "--cases",
    type=click.File("rb"),
    help='Lines such as {"calendar": "berlin", "target": "8h", "start": ...}.',
)
@click.option(
    "--rules",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Instead of ALERTING_RULES.",
)
@click.option("--json", "as_json", is_flag=True)
def due(
    policy_id: str | None,
    calendar_name: str | None,
    target: str | None,
    start: str | None,
    pauses: tuple[str, ...],
    cases: BinaryIO | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Say when a promise is due, in UTC and on the wall clock of its calendar.

    --cases answers one line for each line, with the due instant, and the working and the felt
    seconds until `end`, or until it is due.
    """
    if sum(one is not None for one in (cases, policy_id, target)) != 1 or (cases is None) != (
        start is not None
    ):
        raise click.UsageError("give --policy or --target, each with --start, or --cases")
    if calendar_name is not None and target is None:
        raise click.UsageError(
            "--calendar goes with --target; a policy and --cases name their own, leave it out"
        )
    if pauses and cases is not None:
        raise click.UsageError(
            '--pause goes with --policy and --target; --cases has "pauses" in each line'
        )
    with plain_errors():
        rules = folder or read_settings().rules
        if cases is not None:
            calendars = _calendars(rules)
            for line in cases:
                click.echo(json.dumps(_answered(line, calendars), ensure_ascii=False))
            return
        asked = _Asked(start=_instant(start, "--start"), pauses=[_pause(text) for text in pauses])
        found = (
            _of_policy(rules, str(policy_id), asked)
            if policy_id
            else [_alone(rules, calendar_name or ALWAYS.name, str(target), asked)]
        )
    if as_json:
        print_json(found)
    else:
        _tell(found)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    start: datetime
    pauses: list[Pause]


def _calendars(rules: Path) -> Mapping[str, Calendar]:
    findings = Findings()
    texts = rule_files.read_rules(rules, CALENDARS.removeprefix("rules/"), "*.ics")
    found = read_calendars(texts, findings)
    if findings.problems or found is None:
        raise RulebookInvalid(findings.problems)
    return found


def _alone(rules: Path, name: str, target: str, asked: _Asked) -> dict[str, Any]:
    calendar = _named(_calendars(rules), name)
    try:
        amount = read_amount(target, calendar)
    except ValueError as error:
        raise Invalid(f"--target {error}") from error
    return {"target": target, **_due(calendar, amount, asked)}


def _of_policy(rules: Path, name: str, asked: _Asked) -> list[dict[str, Any]]:
    settings = read_settings()
    files = rule_files.read_files(rules, settings.templates)
    policies = build_rulebook(files).policies
    if name not in policies:
        raise Invalid(f"no policy is called {name!r}; known are {', '.join(sorted(policies))}")
    return [_of_clock(policies[name], kind, asked) for kind in policies[name].targets]


def _of_clock(policy: Policy, kind: Any, asked: _Asked) -> dict[str, Any]:
    target = policy.targets[kind]
    found = _due(target.calendar, target.within, asked)
    at = found["due"]
    steps = (
        [one for step in target.steps for one in _step(step, asked, at, target.calendar)]
        if at is not None
        else []
    )
    return {
        "clock": kind.value,
        "by": target.by,
        "target": str(target.within),
        **found,
        "steps": steps,
    }


def _step(step: Step, asked: _Asked, at: datetime, calendar: Calendar) -> list[dict[str, Any]]:
    instants = step.instants(asked.start, at, calendar, asked.pauses)
    said = {"step": step.words, "notify": list(step.notify)}
    return [{**said, "at": instant, "local": _local(instant, calendar)} for instant in instants]


def _due(calendar: Calendar, amount: Amount, asked: _Asked) -> dict[str, Any]:
    found = due_instant(calendar, asked.start, amount, asked.pauses)
    return {
        "calendar": calendar.name,
        "start": asked.start,
        "due": found,
        "local": _local(found, calendar),
    }


def _local(instant: datetime | None, calendar: Calendar) -> str | None:
    return (
        None
        if instant is None
        else f"{instant.astimezone(ZoneInfo(calendar.time_zone)):%a %Y-%m-%d %H:%M:%S %Z}"
    )


def _tell(found: list[dict[str, Any]]) -> None:
    rows = []
    for one in found:
        what = f"{one['clock']} by {one['by']}" if "clock" in one else "due"
        rows.append(
            [
                what,
                f"{one['target']} on {one['calendar']}",
                _written(one["due"]),
                one["local"] or "while it is paused",
            ]
        )
        rows += [
            [f"  {', '.join(s['notify'])}", s["step"], _written(s["at"]), s["local"]]
            for s in one.get("steps", ())
        ]
    table(["clock", "target", "due (UTC)", "local"], rows)


def _answered(line: bytes, calendars: Mapping[str, Calendar]) -> dict[str, Any]:
    try:
        case = read_json(line.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n").decode("utf-8"))
        return _answer(case, calendars)
    except (FactsInvalid, Invalid, ValueError) as error:
        return {"error": " ".join(str(error).split())}


def _answer(case: Any, calendars: Mapping[str, Calendar]) -> dict[str, Any]:
    if not isinstance(case, dict):
        raise Invalid('a case is {"calendar": "berlin", "target": "8h", "start": "...Z"}')
    for key in case.keys() - set(_KEYS):
        near = get_close_matches(key, _KEYS, n=1, cutoff=0.7)
        if near:
            raise Invalid(f"unknown key {key!r}; did you mean {near[0]!r}?")
    calendar = _named(calendars, case.get("calendar", "always"))
    amount = _amount(case.get("target"), calendar)
    start = _instant(case.get("start"), "start")
    pauses = _pauses(case.get("pauses"))
    found = due_instant(calendar, start, amount, pauses)
    end = found if case.get("end") is None else _instant(case["end"], "end")
    if end is not None and end < start:
        raise Invalid("end lies before start")
    return {
        "due": None if found is None else _written(found),
        "working_seconds": None
        if end is None
        else _seconds(working_time(calendar, start, end, pauses)),
        "felt_seconds": None if end is None else _seconds(end - start),
    }


def _named(calendars: Mapping[str, Calendar], name: object) -> Calendar:
    if not isinstance(name, str) or name not in calendars:
        near = get_close_matches(str(name), calendars, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(calendars))}"
        raise Invalid(f"no calendar is called {name!r}; {hint}")
    return calendars[name]


def _amount(text: object, calendar: Calendar) -> Amount:
    if not isinstance(text, str):
        raise Invalid(
            "target: is missing" if text is None else f"target: {text!r} is not a target; write 8h"
        )
    return read_amount(text, calendar)


def _pauses(given: object) -> list[Pause]:
    if given is None:
        return []
    if not isinstance(given, list) or any(
        not isinstance(pair, list) or len(pair) != 2 for pair in given
    ):
        raise Invalid(
            'pauses: must be a list of pairs such as ["2026-03-06T10:00Z", "2026-03-06T12:00Z"]'
        )
    return [
        _ordered(_instant(begin, "pauses"), None if end is None else _instant(end, "pauses"))
        for begin, end in given
    ]


def _pause(text: str) -> Pause:
    begin, slash, end = text.partition("/")
    if not slash:
        raise Invalid(f"--pause {text!r}: write FROM/TO, or FROM/ for one that lasts")
    return _ordered(_instant(begin, "--pause"), _instant(end, "--pause") if end else None)


def _ordered(begin: datetime, end: datetime | None) -> Pause:
    if end is not None and end < begin:
        raise Invalid(f"a pause ends before it begins: {_written(begin)} to {_written(end)}")
    return begin, end


def _instant(text: object, what: str) -> datetime:
    """A time with its zone, in the years in which calendars are known."""
    try:
        found = (
            datetime.fromisoformat(text) if isinstance(text, str) and "T" in text.upper() else None
        )
        if found is not None and found.tzinfo is not None:
            found = found.astimezone(UTC)
            if 1900 <= found.year < 9000:
                return found
    except (ValueError, OverflowError):
        pass
    shown = "is missing" if text is None else f"{str(text)!r} is not a time with its zone"
    raise Invalid(f"{what}: {shown}; write 2026-03-06T15:00:00Z")


def _written(instant: datetime | None) -> str:
    return "-" if instant is None else instant.isoformat().replace("+00:00", "Z")


def _seconds(length: timedelta) -> int | float:
    whole, rest = divmod(length, timedelta(seconds=1))
    return whole if not rest else length.total_seconds()
