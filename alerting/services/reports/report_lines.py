"""What a report consists of, and its JSON: durations in seconds, instants in ISO 8601, shares as
fractions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any

from alerting.domain.reports.attainment import STATES, Attainment, Spread
from alerting.domain.reports.selection import Selection


@dataclass(frozen=True, kw_only=True)
class Line:
    """How one kind of promise was kept, by everybody or by what `of` names: a person, a segment, a
    rule, a week.
    """

    kind: str
    party: str | None
    name: str
    attainment: Attainment


@dataclass(frozen=True, kw_only=True)
class SourceFigures:
    """One source: what arrived of it in the period, and what it says it sent; `said` is None where
    nobody asked it.
    """

    source: str
    received: int
    said: Mapping[str, object] | None


@dataclass(frozen=True, kw_only=True)
class Excluded:
    """What did not become a case or does not count any more; `of` is events, alerts or cases."""

    of: str
    reason: str
    words: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Population:
    """From events to clocks. `joined`: alerts that stand beyond one for each case."""

    events: int
    answers: int
    negative: int
    alerts: int
    joined: int
    cases: int
    reopened: int
    resolved: int
    clocks: int
    measured: int
    excluded: Sequence[Excluded]


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """Contacts by what proves them; `after` says how long afterwards somebody's own word was
    given.
    """

    contacts: int
    phone_log: int
    crm_event: int
    own_word: int
    after: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Breach:
    """One promise that was missed, by `over` so far, and all that is known about why and what was
    done.
    """

    case_id: int
    cycle: int
    clock: str
    customer_key: str
    customer: str
    party: str
    name: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    over: timedelta
    reasons: Sequence[str]
    root_cause: str | None
    action: str | None
    corrective_action: str | None
    effect: str


@dataclass(frozen=True, kw_only=True)
class RecordedChange:
    """What was changed in the period: rules, or a wrong time. Of rules, what is different in
    sentences and line by line.
    """

    at: datetime
    what: str
    by: str
    words: str
    case_id: int | None = None
    rules: Sequence[str] = ()
    lines: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class SealState:
    """The end of the audit's chain: `head` as verification takes it, and what is not yet under
    it.
    """

    entries: int
    head: str
    unsealed: int
    checkpoint: str | None
    checkpoint_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Stay:
    """How long cases stood in a status: `count` of them, `mean` of the times."""

    status: str
    count: int
    mean: timedelta | None
    lasting: int = 0


@dataclass(frozen=True, kw_only=True)
class Load:
    """What somebody owes now."""

    party: str
    name: str
    running: int
    paused: int
    overdue: int


@dataclass(frozen=True, kw_only=True)
class Open:
    """A promise that runs."""

    case_id: int
    clock: str
    customer: str
    party: str
    name: str
    due_at: datetime


@dataclass(kw_only=True)
class Report:
    """All of it, in an auditor's order, as of `now`."""

    selection: Selection
    now: datetime
    sources: Sequence[SourceFigures] = ()
    dead_letters: int = 0
    population: Population
    overall: Sequence[Line] = ()
    before: Sequence[Line] = ()
    by_person: Sequence[Line] = ()
    by_segment: Sequence[Line] = ()
    contacts: Contacts
    breaches_total: int = 0
    breaches: Sequence[Breach] = ()
    changes: Sequence[RecordedChange] = ()
    seal: SealState
    by_team: Sequence[Line] = ()
    by_territory: Sequence[Line] = ()
    by_rule: Sequence[Line] = ()
    by_week: Sequence[Line] = ()
    stays: Sequence[Stay] = ()
    load: Sequence[Load] = ()
    next_promises: Sequence[Open] = ()
    won_back: int = 0
    could_be_won: int = 0
    choices: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        return self.population.cases


def as_json(report: Report) -> dict[str, object]:
    """The whole report as JSON values."""
    which = report.selection
    found = {
        f.name: plain(getattr(report, f.name)) for f in fields(report) if f.name not in _NOT_SAID
    }
    return {
        "from": which.begin.isoformat() if which.begin else None,
        "to": which.end.isoformat() if which.end else None,
        "as_of": report.now.isoformat(),
        "filters": dict(which.narrowed),
        "cases": report.cases,
        **found,
    }


_NOT_SAID = {"selection", "now", "choices"}


def plain(value: Any) -> Any:
    """A value of a report as JSON has it."""
    if isinstance(value, Line):
        return _line(value)
    if is_dataclass(value):
        return _members(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, (datetime, date)) else value


def _members(value: Any) -> dict[str, object]:
    found: dict[str, object] = {}
    for f in fields(value):
        member = getattr(value, f.name)
        if f.type in (timedelta, timedelta | None):
            found[f"{f.name}_seconds"] = None if member is None else member.total_seconds()
        else:
            found[f.name] = plain(member)
    return found


def _line(line: Line) -> dict[str, object]:
    a = line.attainment
    counts = {state: getattr(a, state) for state in STATES}
    found = {"clock": line.kind, "party": line.party, "name": line.name, **counts}
    found |= {"measured": a.measured, "in_target": a.share}
    return found | _spread(a.felt, "") | _spread(a.working, "working_")


def _spread(spread: Spread, prefix: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in ("median", "p90", "slowest"):
        quantile = getattr(spread, name)
        found[f"{prefix}{name}_seconds"] = quantile.value.total_seconds() if quantile else None
        found[f"{prefix}{name}_at_least"] = quantile.at_least if quantile else None
    return found
