"""Back-tests over the stored events: nothing is written, nothing is sent."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from multiprocessing import get_context

from alerting.database.customers.scales import scales_until
from alerting.database.engine import Database, Transaction
from alerting.database.intake import events
from alerting.database.people import staff_facts
from alerting.domain.alerts.backtest import (
    Comparison,
    CustomerLife,
    Keep,
    Period,
    Question,
    Tally,
    compare_over,
)
from alerting.domain.customers.standing import Subjects
from alerting.domain.rulebook.rulebook import Rulebook, content_hash
from alerting.services.context import Context, Shelf
from alerting.services.customers.subjects import load_histories
from alerting.services.garbage import seldom_collecting

CHUNK = 500
"""Customers whose events and versions are held at a time."""

Progress = Callable[[int, int], None]
"""Told after each chunk: customers done just now, and customers in all."""

Keeping = Callable[[int], AbstractContextManager[Keep]]
"""Opens the place where the verdicts of one share of the customers are kept, by its number. Several
are open at once.
"""


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """A comparison with its period and what to call the two rulebooks."""

    begin: datetime
    end: datetime
    a: str
    b: str | None
    rule: str | None
    found: Comparison
    names: dict[str, str]

    @property
    def noise(self) -> list[str]:
        """`3 more mails a month for Vera Sample`, most first."""
        changes = self.found.noise(self.begin, self.end)
        lines = sorted(changes.items(), key=lambda item: -abs(item[1]))
        return [
            f"{abs(n):g} {'more' if n > 0 else 'fewer'} mails a month for "
            f"{self.names.get(person, person)}"
            for person, n in lines
        ]

    def as_json(self) -> dict[str, object]:
        return {
            "from": self.begin,
            "to": self.end,
            "rulebooks": {"a": self.a, "b": self.b},
            "rule": self.rule,
            "events": self.found.events,
            "a": _tally(self.found.a),
            "b": _tally(self.found.b) if self.found.b else None,
            "new": self.found.new,
            "gone": self.found.gone,
            "samples_new": [asdict(alert) for alert in self.found.samples_new],
            "samples_gone": [asdict(alert) for alert in self.found.samples_gone],
            "noise": self.noise,
        }


def _tally(tally: Tally) -> dict[str, object]:
    return {
        "alerts": tally.alerts,
        "by_week": {week.isoformat(): n for week, n in sorted(tally.by_week.items())},
        "by_person": dict(tally.by_person),
        "by_segment": dict(tally.by_segment),
        "by_rule": dict(tally.by_rule),
    }


@dataclass(frozen=True, kw_only=True)
class _Share:
    """What one process is asked: some of the customers."""

    number: int
    keys: Sequence[str]
    begin: datetime
    end: datetime
    rule: str | None
    keeping: Keeping | None

    def opened(self) -> AbstractContextManager[Keep | None]:
        return nullcontext() if self.keeping is None else self.keeping(self.number)


@dataclass(frozen=True, kw_only=True)
class Extent:
    """What is judged again: the events since `begin`; where they are named, of one rule, of some
    customers.
    """

    begin: datetime
    rule: str | None = None
    customers: Collection[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How it is done: with several `processes` each takes a share of the customers, and what comes
    out is the same. `keeping` keeps the facts of each judgement, `progress` hears how many
    customers are done, of how many.
    """

    processes: int = 1
    keeping: Keeping | None = None
    progress: Progress = lambda done, of: None


def backtest(
    ctx: Context, extent: Extent, other: Rulebook | None, effort: Effort | None = None
) -> Backtest:
    """The active rulebook over stored events, compared with `other` where there is one."""
    how = effort or Effort()
    with ctx.db.read() as tx:
        active, now = ctx.shelf.active(tx), tx.now()
        names = {party.id: party.name for party in staff_facts.staff_at(tx, now).parties.values()}
        before = extent.begin - max(_longest_silence(active), _longest_silence(other))
        keys: Sequence[str]
        if extent.customers is None:
            keys = events.customers_with_events(tx, before, now)
        else:
            keys = sorted(extent.customers)
    every = _Share(
        number=0, keys=keys, begin=extent.begin, end=now, rule=extent.rule, keeping=how.keeping
    )
    if how.processes == 1 or len(keys) < 2 * CHUNK:
        found = _compared(ctx, every, active, other, lambda n: how.progress(n, len(keys)))
    else:
        found = _shared_out(ctx, every, active, other, how)
    return Backtest(
        begin=extent.begin,
        end=now,
        a=active.hash,
        b=other.hash if other else None,
        rule=extent.rule,
        found=found,
        names=names,
    )


def _longest_silence(rulebook: Rulebook | None) -> timedelta:
    """How long before the period a customer's silence may have begun that is told of in it."""
    if rulebook is None:
        return timedelta(0)
    lengths = [rule.silent_for for rule in rulebook.silence_rules]
    return max((length for length in lengths if length), default=timedelta(0))


def _shared_out(
    ctx: Context, every: _Share, a: Rulebook, b: Rulebook | None, how: Effort
) -> Comparison:
    """The same, by several processes; one that is done gets the next share."""
    files, keys = (a.files, b.files if b else None), every.keys
    found = Comparison(b=Tally() if b else None)
    shares = [
        replace(every, number=number, keys=keys[at : at + 4 * CHUNK])
        for number, at in enumerate(range(0, len(keys), 4 * CHUNK))
    ]
    with ProcessPoolExecutor(how.processes, get_context("spawn")) as pool:
        work = [
            pool.submit(_compared_apart, ctx.db.url, ctx.shelf.read, files, share)
            for share in shares
        ]
        for share, done in zip(shares, work, strict=True):
            found += done.result()
            how.progress(len(share.keys), len(keys))
    return found


def _compared_apart(
    url: str,
    read: Callable[[Mapping[str, str]], Rulebook],
    files: tuple[Mapping[str, str], Mapping[str, str] | None],
    share: _Share,
) -> Comparison:
    """One process's part, with a database connection and rulebooks of its own."""
    ctx = Context(db=Database(url), shelf=Shelf(read=_read_once(read)), mail_domain="")
    a = ctx.shelf.read(files[0])
    b = ctx.shelf.read(files[1]) if files[1] is not None else None
    try:
        return _compared(ctx, share, a, b, lambda done: None)
    finally:
        ctx.db.engine.dispose()


_books: dict[str, Rulebook] = {}


def _read_once(
    read: Callable[[Mapping[str, str]], Rulebook],
) -> Callable[[Mapping[str, str]], Rulebook]:
    """A process gets many shares of the same two rulebooks."""

    def once(files: Mapping[str, str]) -> Rulebook:
        name = content_hash(files)
        if name not in _books:
            _books[name] = read(files)
        return _books[name]

    return once


def _compared(
    ctx: Context, share: _Share, a: Rulebook, b: Rulebook | None, progress: Callable[[int], None]
) -> Comparison:
    with ctx.db.read() as tx, share.opened() as keep, seldom_collecting():
        staff = staff_facts.staff_at(tx, share.end)
        question = Question(
            a=a, b=b, staff=staff, period=Period(begin=share.begin, end=share.end), rule=share.rule
        )
        return compare_over(_lives(tx, share.keys, share.end, progress), question, keep)


def _lives(
    tx: Transaction, keys: Sequence[str], end: datetime, progress: Callable[[int], None]
) -> Iterator[CustomerLife]:
    """These customers with all that was stored of them up to a moment."""
    scales = scales_until(tx, end)
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        subjects = Subjects(histories=load_histories(tx, chunk), scales=scales)
        stored = events.events_of_many(tx, chunk, end)
        for key, found in groupby(stored, key=lambda event: event.customer_key):
            yield CustomerLife(
                key=key, events=sorted(found, key=lambda event: event.order), subjects=subjects
            )
        progress(len(chunk))
