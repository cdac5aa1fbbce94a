"""Reports: how fast customers were answered, and which cases may be asked for."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from alerting.database import cases, staffing
from alerting.domain.attainment import Attainment, Promise, attainment
from alerting.domain.cases import Status
from alerting.domain.errors import ActionRefused
from alerting.domain.sla import ClockKind
from alerting.services.context import Context

CASE_STATUSES = ("unresolved", *(status.value for status in Status), "all")
"""What a list of cases may be narrowed to; another word would only look like an empty list."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of the report: a kind of promise, of everybody or of one person."""

    kind: str
    party: str | None
    name: str
    attainment: Attainment
    missed_cases: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ResponseTimes:
    """The report: period by the start of the clocks (half-open), a line per kind of promise, and by person."""

    begin: datetime | None
    end: datetime | None
    now: datetime
    cases: int
    overall: Sequence[Line]
    by_person: Sequence[Line]


def period(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """Two days, both included, as a half-open stretch of time in UTC. Raises ActionRefused where they are swapped."""
    if first is not None and last is not None and first > last:
        raise ActionRefused(f"the report would begin on {first}, after its end on {last}; swap the two days")
    begin = None if first is None else datetime.combine(first, time(), UTC)
    if last is None or last == date.max:  # no day follows the last one there is
        return begin, None
    return begin, datetime.combine(last, time(), UTC) + timedelta(days=1)


def response_times(ctx: Context, begin: datetime | None = None, end: datetime | None = None) -> ResponseTimes:
    """Response times promised in [begin, end): by the start of the clocks, so that a past month stays as it was."""
    with ctx.db.read() as tx:
        now = tx.now()
        staff = staffing.staff_at(tx, now)
        rows = cases.clocks_started_between(tx, begin, end)
    promises = [
        Promise(
            kind=row.kind,
            party=row.party,
            case_id=row.case_id,
            started_at=row.started_at,
            due_at=row.due_at,
            stopped_at=row.stopped_at,
        )
        for row in rows
    ]
    by_kind: dict[str, list[Promise]] = defaultdict(list)
    by_person: dict[tuple[str, str], list[Promise]] = defaultdict(list)
    for promise in promises:
        by_kind[promise.kind].append(promise)
        by_person[(promise.party, promise.kind)].append(promise)

    def name(party: str) -> str:
        found = staff.get(party)
        return found.name if found else party

    kinds = [kind.value for kind in ClockKind if kind.value in by_kind]
    people = sorted(
        by_person.items(), key=lambda item: (name(item[0][0]), list(ClockKind).index(ClockKind(item[0][1])))
    )
    return ResponseTimes(
        begin=begin,
        end=end,
        now=now,
        cases=len({promise.case_id for promise in promises}),
        overall=[_line(kind, None, "everybody", by_kind[kind], now) for kind in kinds],
        by_person=[_line(kind, party, name(party), found, now) for (party, kind), found in people],
    )


def _line(kind: str, party: str | None, name: str, promises: list[Promise], now: datetime) -> Line:
    missed = sorted({p.case_id for p in promises if p.state(now) in {"late", "overdue"}})
    return Line(kind=kind, party=party, name=name, attainment=attainment(promises, now), missed_cases=tuple(missed))


def as_json(report: ResponseTimes) -> dict[str, object]:
    """The report as JSON values; durations in seconds, instants in ISO 8601."""

    def line(row: Line) -> dict[str, object]:
        a = row.attainment
        return {
            "clock": row.kind,
            "party": row.party,
            "name": row.name,
            "met": a.met,
            "late": a.late,
            "overdue": a.overdue,
            "running": a.running,
            "measured": a.measured,
            "in_target": a.share,
            "median_seconds": a.median.value.total_seconds() if a.median else None,
            "median_at_least": a.median.at_least if a.median else None,
            "p90_seconds": a.p90.value.total_seconds() if a.p90 else None,
            "p90_at_least": a.p90.at_least if a.p90 else None,
            "missed_cases": [f"C-{number}" for number in row.missed_cases],
        }

    return {
        "from": report.begin.isoformat() if report.begin else None,
        "to": report.end.isoformat() if report.end else None,
        "as_of": report.now.isoformat(),
        "cases": report.cases,
        "overall": [line(row) for row in report.overall],
        "by_person": [line(row) for row in report.by_person],
    }
