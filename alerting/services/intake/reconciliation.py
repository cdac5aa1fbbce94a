"""Completeness: what a source says it sent, against what arrived. A report of response times says
nothing about answers that never came.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerting.database.engine import Transaction
from alerting.database.intake import dead_letters, events
from alerting.database.reports import report_population
from alerting.database.rows.intake import DeadLetterRow
from alerting.services.context import Context

KEPT = 100
"""Missing ids that are kept of a comparison; the command names all."""

_SUMMED = ("sent", "received", "unreadable", "missing", "surplus")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Events a day, or the id of each."""

    days: Mapping[date, int] = field(default_factory=dict)
    ids: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Count:
    """One line: of a day (None: of all ids). `unreadable` arrived and are dead letters; `surplus`
    nobody says were sent.
    """

    day: date | None
    sent: int
    received: int
    unreadable: int
    missing: int
    surplus: int


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What of a source is there. `missing_ids` where ids were given."""

    source: str
    counts: Sequence[Count]
    days: tuple[date, date]
    """From the first to the last it says something of, both included."""
    missing_ids: Sequence[str] = ()
    sources: Sequence[str] | None = None
    """Those there are, where nothing ever came from this one; else None."""

    @property
    def missing(self) -> int:
        return sum(count.missing for count in self.counts)

    @property
    def is_complete(self) -> bool:
        """Everything that was sent is here, and could be read."""
        return not self.missing and not any(count.unreadable for count in self.counts)


def reconcile(ctx: Context, source: str, sent: Sent, zone: ZoneInfo) -> Reconciled:
    """Compare by id, or by the day of the event's time in the source's `zone`; the report shows the
    newest comparison.
    """
    with ctx.db.write() as tx:
        found = _compared(tx, source, sent, zone)
        _keep(tx, found, zone)
        return found


def _compared(tx: Transaction, source: str, sent: Sent, zone: ZoneInfo) -> Reconciled:
    dead = _unreadable(tx, source)
    if sent.ids:
        found = _by_id(tx, source, sent.ids, {one.id for one in dead if one.id is not None}, zone)
    else:
        days = Counter(_day(one.time, zone) for one in dead)
        found = _by_day(tx, source, sent.days, days, zone)
    return found if dead else replace(found, sources=events.sources_but(tx, source))


def _keep(tx: Transaction, found: Reconciled, zone: ZoneInfo) -> None:
    sums = {name: sum(getattr(count, name) for count in found.counts) for name in _SUMMED}
    values = {
        "source": found.source,
        "zone": str(zone),
        "missing_ids": list(found.missing_ids[:KEPT]),
        **sums,
    }
    first, last = (day.isoformat() for day in found.days)
    span = {"first_day": first, "last_day": last, "by_id": found.counts[0].day is None}
    report_population.add_reconciliation(tx, {**values, **span}, tx.now())


def _by_id(
    tx: Transaction, source: str, ids: Sequence[str], dead: set[str], zone: ZoneInfo
) -> Reconciled:
    """It is about the days of those that are here; where none is, about today: nobody knows when
    they happened.
    """
    here = events.ids_known(tx, source, ids)
    unreadable = [one for one in ids if one not in here and one in dead]
    missing = [one for one in ids if one not in here and one not in dead]
    count = Count(
        day=None,
        sent=len(ids),
        received=len(here),
        unreadable=len(unreadable),
        missing=len(missing),
        surplus=0,
    )
    days = [_day(moment, zone) for moment in here.values()] or [_day(tx.now(), zone)]
    return Reconciled(
        source=source, counts=[count], days=(min(days), max(days)), missing_ids=missing
    )


def _by_day(
    tx: Transaction, source: str, days: Mapping[date, int], dead: Counter[date], zone: ZoneInfo
) -> Reconciled:
    counts = []
    for day, sent in sorted(days.items()):
        begin, end = (
            datetime.combine(d, time(), zone).astimezone(UTC)
            for d in (day, day + timedelta(days=1))
        )
        received = events.count_of_source(tx, source, begin, end)
        left = sent - received - dead[day]
        counts.append(
            Count(
                day=day,
                sent=sent,
                received=received,
                unreadable=dead[day],
                missing=max(0, left),
                surplus=max(0, -left),
            )
        )
    return Reconciled(source=source, counts=counts, days=(min(days), max(days)))


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


@dataclass(frozen=True, kw_only=True)
class _Unreadable:
    """What a dead letter says of itself: its event's id, and its time or else when it came."""

    id: str | None
    time: datetime


def _unreadable(tx: Transaction, source: str) -> list[_Unreadable]:
    """The waiting dead letters of a source, as far as they say whose they are."""
    found = []
    for row in dead_letters.list_letters(tx):
        said = _envelope_of(row)
        if said.get("source") == source:
            identity = said.get("id")
            known = identity if isinstance(identity, str) else None
            found.append(_Unreadable(id=known, time=_time_of(said, row)))
    return found


def _envelope_of(row: DeadLetterRow) -> dict[str, object]:
    headers = dead_letters.headers_of(row)
    if "ce_source" in headers:
        return {
            name.removeprefix("ce_"): value.decode(errors="replace")
            for name, value in headers.items()
        }
    try:
        found = json.loads(bytes(row.raw))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _time_of(said: Mapping[str, object], row: DeadLetterRow) -> datetime:
    try:
        found = datetime.fromisoformat(str(said.get("time")))
        return found if found.tzinfo else row.received_at
    except ValueError:
        return row.received_at
