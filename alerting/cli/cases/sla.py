"""`alerting sla due`: when a promise is due, and why, so that anybody can check the arithmetic by
other means.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NotRequired, TypedDict
from zoneinfo import ZoneInfo

import click

from alerting.adapters.files.findings import Findings
from alerting.adapters.rulebook import rule_files
from alerting.adapters.rulebook.calendar_files import CALENDARS, read_calendars
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.cli.cases.due_lines import answer_line, calendar_named
from alerting.cli.cases.instants import read_instant, read_pause, written
from alerting.cli.options import gathered
from alerting.cli.shared import plain_errors, print_json, table
from alerting.domain.cases.sla import Step, Target
from alerting.domain.errors import Invalid, RulebookInvalid
from alerting.domain.times.calendars import ALWAYS, Calendar
from alerting.domain.times.working_time import Pause, due_instant, read_amount
from alerting.settings import read_settings


@click.group()
def sla() -> None:
    """Promises: when they are due."""


@dataclass(frozen=True, kw_only=True)
class _Options:
    """A policy, or a target by itself, each from a start; or a file of cases."""

    policy_id: str | None
    calendar_name: str | None
    target: str | None
    start: str | None
    pauses: tuple[str, ...]
    cases: BinaryIO | None
    folder: Path | None
    as_json: bool

    def check(self) -> None:
        """Raises click.UsageError for options that do not go with each other."""
        ways = sum(one is not None for one in (self.cases, self.policy_id, self.target))
        if ways != 1 or (self.cases is None) != (self.start is not None):
            raise click.UsageError("give --policy or --target, each with --start, or --cases")
        if self.calendar_name is not None and self.target is None:
            raise click.UsageError(
                "--calendar goes with --target; a policy and --cases name their own, leave it out"
            )
        if self.pauses and self.cases is not None:
            raise click.UsageError(
                '--pause goes with --policy and --target; --cases has "pauses" in each line'
            )


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
@gathered(_Options)
def due(given: _Options) -> None:
    """Say when a promise is due, in UTC and on the wall clock of its calendar.

    --cases answers one line for each line, with the due instant, and the working and the felt
    seconds until `end`, or until it is due.
    """
    given.check()
    with plain_errors():
        rules = given.folder or read_settings().rules
        if given.cases is not None:
            calendars = _calendars(rules)
            for line in given.cases:
                click.echo(json.dumps(answer_line(line, calendars), ensure_ascii=False))
            return
        asked = _Asked(
            start=read_instant(given.start, "--start"),
            pauses=[read_pause(text) for text in given.pauses],
        )
        if given.policy_id:
            found = _of_policy(rules, given.policy_id, asked)
        else:
            name = given.calendar_name or ALWAYS.name
            found = [_alone(rules, name, str(given.target), asked)]
    if given.as_json:
        print_json(found)
    else:
        _tell(found)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    start: datetime
    pauses: list[Pause]


class _DueStep(TypedDict):
    """One instant at which somebody is told something."""

    step: str
    notify: list[str]
    at: datetime
    local: str | None


class _Due(TypedDict):
    """When a promise is due, as it is printed; None while it is paused. A policy's has its clock,
    by whom it is kept, and its steps.
    """

    clock: NotRequired[str]
    by: NotRequired[str]
    target: str
    calendar: str
    start: datetime
    due: datetime | None
    local: str | None
    steps: NotRequired[list[_DueStep]]


def _calendars(rules: Path) -> Mapping[str, Calendar]:
    findings = Findings()
    texts = rule_files.read_rules(rules, CALENDARS.removeprefix("rules/"), "*.ics")
    found = read_calendars(texts, findings)
    if findings.problems or found is None:
        raise RulebookInvalid(findings.problems)
    return found


def _alone(rules: Path, name: str, target: str, asked: _Asked) -> _Due:
    calendar = calendar_named(_calendars(rules), name)
    try:
        amount = read_amount(target, calendar)
    except ValueError as error:
        raise Invalid(f"--target {error}") from error
    found = due_instant(calendar, asked.start, amount, asked.pauses)
    return {
        "target": target,
        "calendar": calendar.name,
        "start": asked.start,
        "due": found,
        "local": _local(found, calendar),
    }


def _of_policy(rules: Path, name: str, asked: _Asked) -> list[_Due]:
    settings = read_settings()
    files = rule_files.read_files(rules, settings.templates)
    policies = build_rulebook(files).policies
    if name not in policies:
        raise Invalid(f"no policy is called {name!r}; known are {', '.join(sorted(policies))}")
    return [_of_clock(kind.value, target, asked) for kind, target in policies[name].targets.items()]


def _of_clock(clock: str, target: Target, asked: _Asked) -> _Due:
    calendar = target.calendar
    found = due_instant(calendar, asked.start, target.within, asked.pauses)
    steps = []
    if found is not None:
        steps = [one for step in target.steps for one in _step(step, asked, found, calendar)]
    return {
        "clock": clock,
        "by": target.by,
        "target": str(target.within),
        "calendar": calendar.name,
        "start": asked.start,
        "due": found,
        "local": _local(found, calendar),
        "steps": steps,
    }


def _step(step: Step, asked: _Asked, at: datetime, calendar: Calendar) -> list[_DueStep]:
    instants = step.instants(asked.start, at, calendar, asked.pauses)
    return [
        {
            "step": step.words,
            "notify": list(step.notify),
            "at": instant,
            "local": _local(instant, calendar),
        }
        for instant in instants
    ]


def _local(instant: datetime | None, calendar: Calendar) -> str | None:
    if instant is None:
        return None
    return f"{instant.astimezone(ZoneInfo(calendar.time_zone)):%a %Y-%m-%d %H:%M:%S %Z}"


def _tell(found: list[_Due]) -> None:
    rows: list[list[object]] = []
    for one in found:
        what = f"{one['clock']} by {one['by']}" if "clock" in one else "due"
        rows.append(
            [
                what,
                f"{one['target']} on {one['calendar']}",
                written(one["due"]),
                one["local"] or "while it is paused",
            ]
        )
        rows += [
            [f"  {', '.join(s['notify'])}", s["step"], written(s["at"]), s["local"]]
            for s in one.get("steps", ())
        ]
    table(["clock", "target", "due (UTC)", "local"], rows)
