"""Reports: completeness, outcomes, how fast customers were answered, what was missed
and why.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Protocol, TypeVar

from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.database.reports import report_population as population
from alerting.database.reports import report_promises as promises
from alerting.database.rows.intake import ReconciliationRow
from alerting.database.rows.reports import (
    AlertCountRow,
    ArrivedRow,
    CaseCountsRow,
    ProofRow,
    WeekRow,
)
from alerting.domain.cases.sla import ClockKind
from alerting.domain.reports.attainment import STATES, counted
from alerting.domain.reports.selection import Selection, period, selection
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import Context
from alerting.services.reports import report_details, report_population
from alerting.services.reports.report_clocks import worked_so_far
from alerting.services.reports.report_lines import Breach, Line, Report, as_json

__all__ = ["as_json", "named", "period", "report", "selection"]

Answer = TypeVar("Answer")


def report(ctx: Context, which: Selection | None = None) -> Report:
    """Everything about the clocks that started in a period: by their start, so that a past month
    stays as it was.
    """
    which = which or Selection()
    with ctx.db.read() as tx:
        now, rulebook = tx.now(), ctx.shelf.active(tx)
        staff = staff_facts.staff_at(tx, now)
        which = which.of_teams(staff.members())
        earlier = which.before(now)
    with _asking(ctx) as ask:
        lines = ask(lambda tx: _attained(tx, ctx, which, now, _counted_in(staff)), wide=True)
        counts = ask(lambda tx: population.case_counts(tx, which), wide=True)
        weeks = ask(lambda tx: promises.weeks(tx, which, now), wide=True)
        arrived = ask(lambda tx: population.arrived(tx, which), wide=True)
        alerts = ask(lambda tx: population.alerts(tx, which), wide=True)
        proofs = ask(lambda tx: population.proofs(tx, which), wide=True)
        before = ask(lambda tx: _before(tx, ctx, earlier, now), wide=True)
        breaches = ask(lambda tx: report_details.breaches(tx, which, now, staff))
        rest = ask(lambda tx: report_details.the_rest(tx, ctx, which, now, staff))
        said = ask(lambda tx: population.reconciliations(tx, which))
        dead = ask(population.open_dead_letters)
    found = _Found(
        lines=lines.result(),
        cases=counts.result(),
        weeks=weeks.result(),
        arrived=arrived.result(),
        alerts=alerts.result(),
        proofs=proofs.result(),
        before=before.result(),
        breaches=breaches.result(),
        rest=rest.result(),
        reconciliations=said.result(),
        dead_letters=dead.result(),
    )
    return _put_together(which, now, rulebook, staff, found)


def _attained(
    tx: Transaction, ctx: Context, which: Selection, now: datetime, keys: promises.Keys
) -> promises.Lines:
    overdue = promises.overdue_clocks(tx, which, now)
    return promises.attained(tx, which, now, overdue, worked_so_far(tx, ctx, overdue, now), keys)


def _before(
    tx: Transaction, ctx: Context, earlier: Selection | None, now: datetime
) -> promises.Lines:
    return _attained(tx, ctx, earlier, now, _all_in_one) if earlier else {}


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What the queries of a report found."""

    lines: promises.Lines
    cases: CaseCountsRow
    weeks: Sequence[WeekRow]
    arrived: Sequence[ArrivedRow]
    alerts: Sequence[AlertCountRow]
    proofs: Sequence[ProofRow]
    before: promises.Lines
    breaches: Sequence[Breach]
    rest: report_details.Rest
    reconciliations: Sequence[ReconciliationRow]
    dead_letters: int


class _Ask(Protocol):
    """Puts a query to the database; `wide` ones read the whole period."""

    def __call__(
        self, query: Callable[[Transaction], Answer], *, wide: bool = False
    ) -> "Future[Answer]": ...


@dataclass(frozen=True)
class _AskAtOnce:
    tx: Transaction

    def __call__(
        self, query: Callable[[Transaction], Answer], *, wide: bool = False
    ) -> "Future[Answer]":
        done: Future[Answer] = Future()
        done.set_result(query(self.tx))
        return done


@contextmanager
def _asking(ctx: Context) -> Iterator[_Ask]:
    """On SQLite all in one transaction; on PostgreSQL two at a time, each in one of its own, for
    one takes one core. All are answered at the end.
    """
    if ctx.db.engine.dialect.name == "sqlite":
        with ctx.db.read() as tx:
            yield _AskAtOnce(tx)
        return

    def answered(query: Callable[[Transaction], Answer], wide: bool) -> Answer:
        with ctx.db.read() as tx:
            if wide:
                promises.roomy(tx)
            return query(tx)

    with ThreadPoolExecutor(max_workers=2) as pool:

        def ask(query: Callable[[Transaction], Answer], *, wide: bool = False) -> "Future[Answer]":
            return pool.submit(answered, query, wide)

        yield ask


def _counted_in(staff: Staff) -> Callable[[promises.InGroup], list[promises.Key]]:
    """The lines a promise counts in: of all, of whoever owes it and his teams, of its case's
    segment and rule, of a territory.
    """
    teams: dict[str, list[promises.Key]] = {}
    for team, members in staff.members().items():
        for party in members:
            teams.setdefault(party, []).append(("team", team))

    def keys(row: promises.InGroup) -> list[promises.Key]:
        of_case = [(table, getattr(row, table)) for table in ("segment", "rule", "territory")]
        return [*_all_in_one(row), ("person", row.party), *of_case, *teams.get(row.party, ())]

    return keys


def _all_in_one(row: promises.InGroup) -> list[promises.Key]:
    return [("all", "")]


def _put_together(
    which: Selection, now: datetime, rulebook: Rulebook, staff: Staff, found: _Found
) -> Report:
    def name(party: str) -> str:
        return named(staff, party)

    def lines(
        table: str, title: Callable[[str], str] = str, among: promises.Lines = found.lines
    ) -> list[Line]:
        mine = [
            (title(key), _order(kind), key, kind, a)
            for (group, key, kind), a in among.items()
            if group == table
        ]
        mine.sort(key=lambda line: line[:3])
        return [
            Line(kind=kind, party=key or None, name=words, attainment=a)
            for words, _, key, kind, a in mine
        ]

    overall = lines("all", lambda _: "everybody")
    return Report(
        selection=which,
        now=now,
        sources=report_population.sources(found.arrived, found.reconciliations),
        dead_letters=found.dead_letters,
        population=report_population.population(
            found.arrived, found.alerts, found.cases, [line.attainment for line in overall]
        ),
        overall=overall,
        before=lines("all", lambda _: "before", found.before),
        by_person=lines("person", name),
        by_segment=lines("segment", rulebook.segment_title),
        contacts=report_population.contacts(found.proofs),
        breaches_total=sum(line.attainment.missed for line in overall),
        breaches=found.breaches,
        by_team=lines("team", lambda team: staff.teams[team].name),
        by_territory=lines("territory"),
        by_rule=lines("rule", rulebook.rule_title),
        by_week=_by_week(found.weeks),
        changes=found.rest.changes,
        seal=found.rest.seal,
        stays=report_details.stays(found.cases, found.rest.pauses),
        load=found.rest.load,
        next_promises=found.rest.next_promises,
        could_be_won=found.cases.resolved,
        won_back=found.cases.back,
        choices=_choices(rulebook, staff, found.lines, name),
    )


def named(staff: Staff, party: str) -> str:
    """Somebody's name; who has left since is shown by the id alone."""
    found = staff.get(party)
    return found.name if found else party


def _order(kind: str) -> int:
    return list(ClockKind).index(ClockKind(kind))


def _by_week(rows: Sequence[WeekRow]) -> list[Line]:
    """Counts alone: what a week's promises took is told by the report of that week."""
    found = []
    for row in sorted(rows, key=lambda row: (row.week, _order(row.kind))):
        monday = row.week.date().isoformat()
        states = counted({state: getattr(row, state) for state in STATES})
        found.append(Line(kind=row.kind, party=monday, name=monday, attainment=states))
    return found


def unknown_names(ctx: Context, which: Selection) -> list[str]:
    """What a report is narrowed to and nothing bears, in words. Whoever has left may have promises,
    and then is known.
    """
    with ctx.db.read() as tx:
        rulebook, staff = ctx.shelf.active(tx), staff_facts.staff_at(tx, tx.now())
        known: dict[str, Callable[[], list[str]]] = {
            "person": lambda: [*staff.parties, *staff.former],
            "team": lambda: [*staff.teams],
            "segment": lambda: [segment.id for segment in rulebook.segments],
            "territory": lambda: promises.territories(tx),
            "rule": lambda: [rule.id for rule in rulebook.rules],
            "policy": lambda: [*rulebook.policies],
        }
        found = []
        for name, value in which.narrowed.items():
            there = known[name]() if name in known else [value]
            gone = name == "team" or not promises.has_any(tx, Selection(**{name: value}))  # type: ignore[arg-type]
            if value not in there and gone:
                found.append(_no_such(name, value, there))
        return found


def _no_such(name: str, value: str, known: Sequence[str]) -> str:
    near = get_close_matches(value, known, n=3)
    hint = (
        f"did you mean {' or '.join(map(repr, near))}?"
        if near
        else f"known are {', '.join(sorted(known)[:10])}"
    )
    return (
        f"no {name} is called {value!r}; {hint}"
        if known
        else f"no {name} is called {value!r}, nor anything else"
    )


def _choices(
    rulebook: Rulebook, staff: Staff, lines: promises.Lines, name: Callable[[str], str]
) -> dict[str, list[tuple[str, str]]]:
    """What the report can be narrowed to, with its words."""

    def there(table: str, title: Callable[[str], str] = str) -> list[tuple[str, str]]:
        found = {key for group, key, _ in lines if group == table}
        return sorted(((key, title(key)) for key in found), key=lambda choice: choice[1])

    return {
        "person": there("person", name),
        "team": sorted(
            ((team.id, team.name) for team in staff.teams.values()), key=lambda choice: choice[1]
        ),
        "segment": there("segment", rulebook.segment_title),
        "territory": there("territory"),
        "rule": [(rule.id, rule.title) for rule in rulebook.rules],
        "policy": [(policy, policy) for policy in sorted(rulebook.policies)],
        "clock": [(kind.value, kind.value) for kind in ClockKind],
    }
