"""Are the segments any good: size, revenue, satisfaction, cases, response times, customers won
back, moves.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from alerting.database.customers import segment_figures as figures
from alerting.database.rows.cases import CaseRow, ClockOfCase
from alerting.database.rows.customers import AnswerRow, MoveRow, PurchaseRow
from alerting.domain.fields import Fields
from alerting.domain.intake.payloads import sentiment_of
from alerting.domain.reports.attainment import Attainment, Promise, attainment
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import Context
from alerting.services.customers.value_customers import Share, buyers_of, pareto

MONTH = timedelta(days=30)
RESTLESS = 0.25
"""Where more than a quarter of a segment's customers leave it within a month, acting on it makes
little sense.
"""
SMALLEST = 4
"""Customers below which a share of leavers says nothing."""


@dataclass(kw_only=True)
class SegmentLine:
    """One segment over a period; shares are of all customers or all revenue, None where nothing is
    known.
    """

    segment: str
    title: str
    customers: int = 0
    revenue: Decimal = Decimal(0)
    revenue_share: float | None = None
    purchased_share: float | None = None
    answers: int = 0
    negative: int = 0
    cases: int = 0
    won_back: int = 0
    calls: Attainment | None = None
    entered: int = 0
    left: int = 0
    restless: bool = False

    @property
    def negative_share(self) -> float | None:
        return self.negative / self.answers if self.answers else None


@dataclass(kw_only=True)
class SegmentReport:
    """Segments in the order of segments.yaml, as of `now`, with what happened since `begin`."""

    begin: datetime
    now: datetime
    lines: list[SegmentLine] = field(default_factory=list)
    ways: Counter[tuple[str, str]] = field(default_factory=Counter)
    pareto: list[Share] = field(default_factory=list)
    pareto_of: str = ""
    currency: str = "EUR"

    @property
    def warnings(self) -> list[str]:
        return [
            f"{line.title}: {line.left} customers left within the last 30 days, {line.customers} "
            "are in it; "
            "it changes faster than anybody can act on it"
            for line in self.lines
            if line.restless
        ]


def segment_report(ctx: Context, period: timedelta = MONTH * 3) -> SegmentReport:
    """Every segment as of now, with what happened in the period before. An event counts for the
    present segment.
    """
    with ctx.db.read() as tx:
        rulebook, now = ctx.shelf.active(tx), tx.now()
        begin = now - period
        where, money = figures.present(tx), figures.revenues(tx)
        bought = (
            {key: found.purchased for key, found in buyers_of(tx, rulebook, now)}
            if rulebook.values_customers
            else {}
        )
        report = SegmentReport(
            begin=begin, now=now, lines=_lines(rulebook, where), currency=rulebook.currency
        )
        by_segment = {line.segment: line for line in report.lines}
        answers = figures.answers(tx, begin)
        _count_answers(by_segment, where, answers)
        _count_cases(
            by_segment, where, figures.cases_since(tx, begin), answers, figures.purchases(tx, begin)
        )
        _count_calls(by_segment, where, figures.contact_clocks(tx, begin), now)
        _count_moves(report, by_segment, figures.moves(tx, begin), now)
    _share_out(report, by_segment, where, money, bought)
    return report


def _lines(rulebook: Rulebook, where: Mapping[str, str]) -> list[SegmentLine]:
    names = dict.fromkeys(
        [*(segment.id for segment in rulebook.segments), "unverified", *sorted(set(where.values()))]
    )
    sizes = Counter(where.values())
    return [
        SegmentLine(segment=name, title=rulebook.segment_title(name), customers=sizes[name])
        for name in names
    ]


def _mood(row: AnswerRow) -> str | None:
    """negative, neutral or positive; None without a score."""
    said = Fields(row.payload)
    score, scale = said.get("score"), said.get("scale")
    return sentiment_of(
        said.text_or_none("metric"),
        score if isinstance(score, (int, float)) else None,
        scale if isinstance(scale, int) else None,
    )


def _count_answers(
    lines: Mapping[str, SegmentLine], where: Mapping[str, str], rows: Sequence[AnswerRow]
) -> None:
    for row in rows:
        mood = _mood(row)
        line = lines.get(where.get(row.customer_key, ""))
        if line is not None and mood is not None:
            line.answers += 1
            line.negative += mood == "negative"


def _count_cases(
    lines: Mapping[str, SegmentLine],
    where: Mapping[str, str],
    cases: Sequence[CaseRow],
    answers: Sequence[AnswerRow],
    purchases: Sequence[PurchaseRow],
) -> None:
    """Won back: after the case was resolved the customer answered positively, or bought."""
    good: dict[str, datetime] = {}
    for row in answers:
        mood = _mood(row)
        if mood == "positive":
            good[row.customer_key] = row.time
    for bought in purchases:
        key = bought.customer_key
        good[key] = max(bought.time, good.get(key, bought.time))
    for case in cases:
        line = lines.get(where.get(case.customer_key, case.segment))
        if line is not None:
            line.cases += 1
            newest = good.get(case.customer_key)
            line.won_back += bool(case.resolved_at and newest and newest > case.resolved_at)


def _count_calls(
    lines: Mapping[str, SegmentLine],
    where: Mapping[str, str],
    clocks: Sequence[ClockOfCase],
    now: datetime,
) -> None:
    promises: dict[str, list[Promise]] = defaultdict(list)
    for row in clocks:
        promise = Promise(
            kind=row.kind,
            party=row.party,
            case_id=row.case_id,
            started_at=row.started_at,
            due_at=row.due_at,
            stopped_at=row.stopped_at,
        )
        promises[where.get(row.customer_key, "")].append(promise)
    for name, found in promises.items():
        if name in lines:
            lines[name].calls = attainment(found, now)


def _count_moves(
    report: SegmentReport, lines: Mapping[str, SegmentLine], rows: Sequence[MoveRow], now: datetime
) -> None:
    lately = Counter[str]()
    for row in rows:
        report.ways[(row.former, row.segment)] += 1
        if row.segment in lines:
            lines[row.segment].entered += 1
        if row.former in lines:
            lines[row.former].left += 1
            lately[row.former] += row.valid_from >= now - MONTH
    for line in report.lines:
        were = line.customers + lately[line.segment]
        line.restless = were >= SMALLEST and lately[line.segment] > RESTLESS * were


def _share_out(
    report: SegmentReport,
    lines: Mapping[str, SegmentLine],
    where: Mapping[str, str],
    money: Mapping[str, object],
    bought: Mapping[str, Decimal],
) -> None:
    """Revenue as the customer's field says it, and what was really bought where purchases are
    known.
    """
    spent: Counter[str] = Counter()
    for key, name in where.items():
        lines[name].revenue += Decimal(str(money.get(key, 0)))
        spent[name] += bought.get(key, Decimal(0))  # type: ignore[assignment]
    total = sum((line.revenue for line in report.lines), Decimal(0))
    all_spent = sum(spent.values(), Decimal(0))
    for line in report.lines:
        line.revenue_share = float(line.revenue / total) if total else None
        line.purchased_share = float(spent[line.segment] / all_spent) if all_spent > 0 else None
    report.pareto_of = "purchases" if bought else "revenue"
    report.pareto = pareto(
        list(bought.values()) or [Decimal(str(value)) for value in money.values()]
    )


def as_json(report: SegmentReport) -> dict[str, object]:
    """Durations in seconds, shares as fractions."""

    def calls(found: Attainment | None) -> dict[str, object] | None:
        if found is None:
            return None
        median = found.median.value.total_seconds() if found.median else None
        return {"measured": found.measured, "in_target": found.share, "median_seconds": median}

    lines = [
        {
            **asdict(line),
            "revenue": str(line.revenue),
            "negative_share": line.negative_share,
            "calls": calls(line.calls),
        }
        for line in report.lines
    ]
    return {
        "from": report.begin.isoformat(),
        "as_of": report.now.isoformat(),
        "currency": report.currency,
        "segments": lines,
        "moves": [{"from": a, "to": b, "customers": n} for (a, b), n in report.ways.most_common()],
        "pareto_of": report.pareto_of,
        "pareto": [asdict(share) for share in report.pareto],
        "warnings": report.warnings,
    }
