"""The first parts of a report: completeness, outcomes, and how well the contacts are
proven.
"""

from collections import Counter
from collections.abc import Sequence

from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.database.reports.report_population import LATENESS, cases_where
from alerting.database.rows.cases import CaseRow
from alerting.database.rows.intake import ReconciliationRow
from alerting.database.rows.reports import AlertCountRow, ArrivedRow, CaseCountsRow, ProofRow
from alerting.domain.alerts.suppression import REASONS
from alerting.domain.reports.attainment import Attainment, summed
from alerting.domain.reports.selection import Selection
from alerting.services.reports.report_lines import Contacts, Excluded, Population, SourceFigures

FIGURES = {
    "cases": "Cases opened",
    "resolved": "Cases resolved",
    "reopened": "Cases reopened",
    "withdrawn": "Cases that facts took away",
    "forgotten": "Cases of customers who were forgotten",
    "won_back": "Customers won back",
    "phone_log": "Contacts in the phone log",
    "crm_event": "Contacts in another system's event",
    "own_word": "Contacts by somebody's own word",
}
"""Figures of a report that are made of cases, and how their lists are called."""

SHOWN = 200
"""Cases a list shows; the exports have all clocks."""


def behind_figure(tx: Transaction, which: Selection, of: str) -> tuple[int, list[CaseRow]]:
    """How many cases are behind a figure, and the newest of them."""
    which = which.of_teams(staff_facts.staff_at(tx, tx.now()).members())
    return cases_where(tx, which, of, SHOWN)


_SAID = (
    "first_day",
    "last_day",
    "by_id",
    "zone",
    "sent",
    "received",
    "unreadable",
    "missing",
    "surplus",
)


def sources(rows: Sequence[ArrivedRow], said: Sequence[ReconciliationRow]) -> list[SourceFigures]:
    """Every source that sent anything in the period or was asked about it."""
    received: Counter[str] = Counter()
    for row in rows:
        received[row.source] += row.n
    answers = {
        row.source: {
            **{name: getattr(row, name) for name in _SAID},
            "recorded_at": row.recorded_at.isoformat(),
            "missing_ids": row.missing_ids,
        }
        for row in said
    }
    return [
        SourceFigures(source=name, received=received[name], said=answers.get(name))
        for name in sorted({*received, *answers})
    ]


def population(
    arrived: Sequence[ArrivedRow],
    alerts: Sequence[AlertCountRow],
    cases: CaseCountsRow,
    overall: Sequence[Attainment],
) -> Population:
    """From the events to the clocks, with what was left out on the way and why."""
    clocks = summed(overall)
    standing = [row for row in alerts if row.state != "withdrawn" and row.suppressed is None]
    moods = Counter[str | None]()
    for row in arrived:
        moods[row.sentiment] += row.n
    return Population(
        events=sum(row.n for row in arrived),
        answers=sum(n for mood, n in moods.items() if mood is not None),
        negative=moods["negative"],
        alerts=sum(row.n for row in alerts),
        joined=max(0, sum(row.rang for row in standing) - (cases.cases - cases.withdrawn)),
        cases=cases.cases,
        reopened=cases.reopened,
        resolved=cases.resolved,
        clocks=clocks.measured + clocks.running + clocks.paused,
        measured=clocks.measured,
        excluded=_excluded(arrived, alerts, cases),
    )


def _excluded(
    arrived: Sequence[ArrivedRow], alerts: Sequence[AlertCountRow], cases: CaseCountsRow
) -> list[Excluded]:
    events, quiet = Counter[str](), Counter[str]()
    for row in arrived:
        if row.excluded:
            events[row.excluded] += row.n
    for alert in alerts:
        reason = "withdrawn" if alert.state == "withdrawn" else alert.suppressed
        if reason:
            quiet[reason] += alert.n
    words = {
        **REASONS,
        "withdrawn": "facts that came later took it away",
        "forgotten": "the customer was forgotten",
    }
    found = [("events", reason, n) for reason, n in events.items()]
    found += [("alerts", reason, n) for reason, n in quiet.items()]
    found += [("cases", "withdrawn", cases.withdrawn), ("cases", "forgotten", cases.forgotten)]
    return [
        Excluded(of=of, reason=reason, words=words.get(reason, reason), count=n)
        for of, reason, n in sorted(
            found, key=lambda one: (("events", "alerts", "cases").index(one[0]), -one[2])
        )
        if n
    ]


def contacts(rows: Sequence[ProofRow]) -> Contacts:
    """Contacts by their grade; what only somebody's own word proves by how late it was given."""
    grades, own = Counter[str | None](), Counter[str]()
    for row in rows:
        grades[row.grade] += row.n
        if row.grade is None:
            own[row.after] += row.n
    return Contacts(
        contacts=grades.total(),
        phone_log=grades["phone log"],
        crm_event=grades["CRM event"],
        own_word=own.total(),
        after={name: own[name] for name in LATENESS},
    )
