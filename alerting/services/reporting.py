"""Reports: is all of it there, what came of it, how fast customers were answered, what was missed and why."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from alerting.database import cases, staffing
from alerting.database import report_population as population
from alerting.database import report_promises as promises
from alerting.database.engine import Transaction
from alerting.database.report_promises import ClockId
from alerting.domain.attainment import STATES, counted
from alerting.domain.calendars import Calendar
from alerting.domain.cases import Status
from alerting.domain.rulebook import Rulebook
from alerting.domain.selection import Selection, period, selection
from alerting.domain.sla import ClockKind
from alerting.domain.staff import Staff
from alerting.domain.working_time import working_time
from alerting.services import report_details, report_population
from alerting.services.context import Context
from alerting.services.promises import target_of
from alerting.services.report_lines import Line, Report, as_json

__all__ = ["CASE_STATUSES", "as_json", "named", "period", "report", "selection"]

CASE_STATUSES = ("unresolved", *(status.value for status in Status), "all")
"""What a list of cases may be narrowed to; another word would only look like an empty list."""

_WIDE = {"lines", "before", "shares", "proofs", "won", "arrived", "alerts", "cases", "breaches"}
"""Tasks that read the whole period."""

_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)

Task = Callable[[Transaction], Any]


def report(ctx: Context, which: Selection | None = None) -> Report:
    """Everything about the clocks that started in a period: by their start, so that a past month stays as it was."""
    which = which or Selection()
    with ctx.db.read() as tx:
        now, rulebook = tx.now(), ctx.shelf.active(tx)
        staff = staffing.staff_at(tx, now)
        worked = _worked_so_far(tx, ctx, which, now)
        earlier = which.before(now)
        worked_before = _worked_so_far(tx, ctx, earlier, now) if earlier else {}
    found = _ask(
        ctx,
        {
            "lines": lambda tx: promises.attained(tx, which, now, worked),
            "shares": lambda tx: promises.shares(tx, which, now),
            "proofs": lambda tx: population.proofs(tx, which),
            "won": lambda tx: population.won_back(tx, which),
            "arrived": lambda tx: population.arrived(tx, which),
            "alerts": lambda tx: population.alerts(tx, which),
            "cases": lambda tx: population.case_counts(tx, which),
            "before": lambda tx: promises.attained(tx, earlier, now, worked_before) if earlier else [],
            "breaches": lambda tx: report_details.breaches(tx, which, now, staff),
            "rest": lambda tx: report_details.the_rest(tx, ctx, which, now, staff),
            "said": lambda tx: (population.reconciliations(tx, which), population.open_dead_letters(tx)),
        },
    )
    return _put_together(which, now, rulebook, staff, found)


def _ask(ctx: Context, tasks: Mapping[str, Task]) -> dict[str, Any]:
    """Each in a transaction of its own; on PostgreSQL two at a time, for one query takes one core."""

    def ask(named_task: tuple[str, Task]) -> Any:
        name, task = named_task
        with ctx.db.read() as tx:
            if name in _WIDE:
                promises.roomy(tx)
            return task(tx)

    if ctx.db.engine.dialect.name == "sqlite":
        with ctx.db.read() as tx:
            return {name: task(tx) for name, task in tasks.items()}
    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(tasks, pool.map(ask, tasks.items()), strict=True))


def _worked_so_far(tx: Transaction, ctx: Context, which: Selection, now: datetime) -> dict[ClockId, timedelta]:
    """The working time of what is overdue, each by the calendar it runs by."""
    calendars: dict[tuple[str, ...], Calendar] = {}
    active, found = ctx.shelf.active(tx), {}
    for row in promises.overdue_clocks(tx, which, now):
        clock = cases.read_clock(row)
        by = (row.rulebook, row.policy, row.kind, row.calendar, row.within, row.by)
        if by not in calendars:
            calendars[by] = target_of(tx, ctx, clock, active).calendar
        worked = working_time(calendars[by], clock.started_at, now, clock.pauses)
        found[(row.case_id, row.cycle, row.kind, row.plan)] = worked
    return found


def _put_together(
    which: Selection, now: datetime, rulebook: Rulebook, staff: Staff, found: Mapping[str, Any]
) -> Report:
    def name(party: str) -> str:
        return named(staff, party)

    lines = sorted(found["lines"], key=lambda line: (line[1] or "", line[2] or "", _order(line[0])))
    overall = [line for line in lines if line[1] is None and line[2] is None]
    people = sorted((line for line in lines if line[1]), key=lambda line: (name(line[1]), _order(line[0])))
    before = {line[0]: line[3] for line in found["before"] if line[1] is None and line[2] is None}
    total = sum(line[3].missed for line in overall)
    said, dead = found["said"]
    return Report(
        selection=which,
        now=now,
        sources=report_population.sources(found["arrived"], said),
        dead_letters=dead,
        population=report_population.population(found, [line[3] for line in overall]),
        overall=[Line(kind=k, party=None, name="everybody", attainment=a) for k, _, _, a in overall],
        before=[Line(kind=k, party=None, name="before", attainment=before[k]) for k in sorted(before, key=_order)],
        by_person=[Line(kind=k, party=p, name=name(p), attainment=a) for k, p, _, a in people],
        by_segment=[Line(kind=k, party=s, name=rulebook.segment_title(s), attainment=a) for k, _, s, a in lines if s],
        contacts=report_population.contacts(found["proofs"]),
        breaches_total=total,
        breaches=found["breaches"],
        by_team=_by_team(staff, people),
        **{**_shares(rulebook, found["shares"]), **report_details.about(found["rest"], found["cases"], name)},
        could_be_won=found["won"][0],
        won_back=found["won"][1],
        choices=_choices(rulebook, lines, name),
    )


def named(staff: Staff, party: str) -> str:
    """Somebody's name; who has left since is shown by the id alone."""
    found = staff.get(party)
    return found.name if found else party


def _order(kind: str) -> int:
    return list(ClockKind).index(ClockKind(kind))


def _by_team(staff: Staff, people: Sequence[Any]) -> list[Line]:
    counts: dict[tuple[str, str], Counter[str]] = {}
    for kind, party, _, a in people:
        for team in staff.teams.values():
            if party in team.members:
                counts.setdefault((team.id, kind), Counter()).update({state: getattr(a, state) for state in STATES})
    return [
        Line(kind=kind, party=team, name=staff.teams[team].name, attainment=counted(n))
        for (team, kind), n in sorted(counts.items(), key=lambda item: (item[0][0], _order(item[0][1])))
    ]


def _shares(rulebook: Rulebook, rows: Sequence[Any]) -> dict[str, list[Line]]:
    """By rule, week and territory. Spreads of parts do not add up to one of the whole; there are none."""
    counts: dict[str, dict[tuple[str, str], Counter[str]]] = {"by_rule": {}, "by_week": {}, "by_territory": {}}
    for row in rows:
        monday = (_MONDAY + timedelta(weeks=row.week)).date().isoformat()
        place = " / ".join(part for part in (row.country, row.region) if part) or "unknown"
        for table, key in (("by_rule", row.rule), ("by_week", monday), ("by_territory", place)):
            counts[table].setdefault((key, row.kind), Counter())[row.state] += row.n

    def title(table: str, key: str) -> str:
        rule = rulebook.rule(key) if table == "by_rule" else None
        return rule.title if rule else key

    return {
        table: [
            Line(kind=kind, party=key, name=title(table, key), attainment=counted(n))
            for (key, kind), n in sorted(groups.items(), key=lambda item: (item[0][0], _order(item[0][1])))
        ]
        for table, groups in counts.items()
    }


def _choices(rulebook: Rulebook, lines: Sequence[Any], name: Callable[[str], str]) -> dict[str, list[tuple[str, str]]]:
    """What the report can be narrowed to, with its words."""
    people = sorted({line[1] for line in lines if line[1]}, key=name)
    segments = sorted({line[2] for line in lines if line[2]})
    return {
        "person": [(person, name(person)) for person in people],
        "segment": [(segment, rulebook.segment_title(segment)) for segment in segments],
        "rule": [(rule.id, rule.title) for rule in rulebook.rules],
        "policy": [(policy, policy) for policy in sorted(rulebook.policies)],
        "clock": [(kind.value, kind.value) for kind in ClockKind],
    }
