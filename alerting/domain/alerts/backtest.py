"""Back-tests: stored events judged once more, with customer and signals as they were, by one
rulebook or two.

Pure: a customer's events and versions go in, alerts come out. The same `judge` decides as for a
live event.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from alerting.domain.alerts.backtest_window import Window
from alerting.domain.alerts.customer_silence import silences_in
from alerting.domain.alerts.judge import judge
from alerting.domain.customers.standing import Subjects
from alerting.domain.intake.events import Event
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rulebook

SAMPLES = 10
"""How many new and gone alerts are shown by name."""

MONTH = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class TestedAlert:
    """One alert a rulebook makes of one event.

    `mailed` are the people its first mails go to, the caller first: none for a shadow rule or
    within its cool-down, nor where a stronger rule alerts about the same event.
    """

    source: str
    event_id: str
    time: datetime
    customer: str
    customer_name: str
    segment: str
    rule: str
    severity: str
    mailed: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """The same alert in two rulebooks: one rule's about one event."""
        return (self.source, self.event_id, self.rule)

    @property
    def week(self) -> date:
        """The Monday of its week (UTC)."""
        return self.time.date() - timedelta(days=self.time.weekday())


@dataclass(frozen=True, kw_only=True)
class Tested:
    """What one rulebook made of one event: the facts it was judged by, as conditions name them, and
    the alerts.
    """

    facts: Mapping[str, object]
    alerts: Sequence[TestedAlert]


_QUIET = Tested(facts={}, alerts=())

Keep = Callable[[str, Tested], None]
"""Told of every verdict, with `a` or `b` for the rulebook."""


@dataclass(kw_only=True)
class Tally:
    """What one rulebook made of the events."""

    alerts: int = 0
    by_week: Counter[date] = field(default_factory=Counter)
    by_person: Counter[str] = field(default_factory=Counter)
    by_segment: Counter[str] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)

    def add(self, alert: TestedAlert) -> None:
        self.alerts += 1
        self.by_week[alert.week] += 1
        self.by_segment[alert.segment] += 1
        self.by_rule[alert.rule] += 1
        self.by_person.update(alert.mailed)

    def __iadd__(self, other: "Tally") -> "Tally":
        self.alerts += other.alerts
        for name in ("by_week", "by_person", "by_segment", "by_rule"):
            getattr(self, name).update(getattr(other, name))
        return self


@dataclass(kw_only=True)
class Comparison:
    """Rulebook A and, where there is one, B over the same events, with samples of what only one of
    them alerts.
    """

    events: int = 0
    a: Tally = field(default_factory=Tally)
    b: Tally | None = None
    new: int = 0
    gone: int = 0
    samples_new: list[TestedAlert] = field(default_factory=list)
    samples_gone: list[TestedAlert] = field(default_factory=list)

    def __iadd__(self, other: "Comparison") -> "Comparison":
        self.events += other.events
        self.a += other.a
        if self.b is not None and other.b is not None:
            self.b += other.b
        self.new += other.new
        self.gone += other.gone
        self.samples_new = sorted(self.samples_new + other.samples_new, key=lambda s: s.time)[
            -SAMPLES:
        ]
        self.samples_gone = sorted(self.samples_gone + other.samples_gone, key=lambda s: s.time)[
            -SAMPLES:
        ]
        return self

    def noise(self, begin: datetime, end: datetime) -> dict[str, float]:
        """Mails a month that B brings each person more (or fewer) than A; whom nothing changes for
        is left out.
        """
        if self.b is None:
            return {}
        months = max((end - begin) / MONTH, 1 / 30)
        people = self.a.by_person.keys() | self.b.by_person.keys()
        more = {p: (self.b.by_person[p] - self.a.by_person[p]) / months for p in people}
        return {person: round(number, 1) for person, number in sorted(more.items()) if number}


@dataclass(frozen=True, kw_only=True)
class Period:
    """From `begin` on, up to `end` included."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class CustomerLife:
    """A customer's stored life: every event in order, and who the customer and its groups were at
    any time.
    """

    key: str
    events: Sequence[Event]
    subjects: Subjects


@dataclass(frozen=True, kw_only=True)
class Question:
    """Rulebook A and, where there is one, B over a period's events and silences; `rule` leaves out
    alerts of others.
    """

    a: Rulebook
    b: Rulebook | None
    staff: Staff
    period: Period
    rule: str | None = None

    @property
    def books(self) -> dict[str, Rulebook]:
        return {"a": self.a} if self.b is None else {"a": self.a, "b": self.b}


def compare_over(
    lives: Iterable[CustomerLife], question: Question, keep: Keep | None = None
) -> Comparison:
    """Judge every event and silence by both rulebooks; `keep` hears of every verdict."""
    found = Comparison(b=None if question.b is None else Tally())
    for life in lives:
        for verdicts in _judged(life, question, every_fact=keep is not None):
            if keep is not None:
                for which, verdict in verdicts.items():
                    keep(which, verdict)
            _count(found, verdicts)
    return found


def _count(found: Comparison, verdicts: Mapping[str, Tested]) -> None:
    found.events += 1
    mine = {alert.key: alert for alert in _alerts(verdicts, "a")}
    for alert in mine.values():
        found.a.add(alert)
    if found.b is None:
        found.samples_new = _newest(found.samples_new, mine.values())
        return
    theirs = {alert.key: alert for alert in _alerts(verdicts, "b")}
    for alert in theirs.values():
        found.b.add(alert)
    new = [theirs[key] for key in theirs.keys() - mine.keys()]
    gone = [mine[key] for key in mine.keys() - theirs.keys()]
    found.new += len(new)
    found.gone += len(gone)
    found.samples_new = _newest(found.samples_new, new)
    found.samples_gone = _newest(found.samples_gone, gone)


def _alerts(verdicts: Mapping[str, Tested], which: str) -> Sequence[TestedAlert]:
    """A silence may be one rulebook's alone."""
    return verdicts[which].alerts if which in verdicts else ()


def _newest(samples: list[TestedAlert], more: Iterable[TestedAlert]) -> list[TestedAlert]:
    full = len(samples) == SAMPLES
    added = [alert for alert in more if not full or alert.time >= samples[0].time]
    return (
        sorted([*samples, *added], key=lambda s: (s.time, s.key))[-SAMPLES:] if added else samples
    )


def _judged(
    life: CustomerLife, question: Question, *, every_fact: bool
) -> Iterator[dict[str, Tested]]:
    windows = {which: Window(rulebook) for which, rulebook in question.books.items()}
    for event, theirs in _merged(life, windows, question.period.end):
        verdicts = {}
        inside = event.time >= question.period.begin
        for which in theirs:
            window = windows[which]
            window.add(event)
            if not every_fact and not window.rulebook.may_alert(event.type, event.facts):
                verdicts[which] = _QUIET
            elif inside or window.cools:  # what rang before the period may keep a rule quiet in it
                verdicts[which] = _verdict(event, life, window, question)
        if verdicts and inside:
            yield verdicts


def _merged(
    life: CustomerLife, windows: Mapping[str, Window], end: datetime
) -> list[tuple[Event, set[str]]]:
    """What came, and the silences each rulebook would have noticed, one that both notice once:
    those that were noticed then are another one's.
    """
    came = [(event, set(windows)) for event in life.events if event.type != "silence"]
    known_at = life.subjects.histories[life.key].known_since
    silences: dict[str, tuple[Event, set[str]]] = {}
    for which, window in windows.items():
        for rule in window.rulebook.silence_rules:
            heard = [event.time for event in life.events if event.type == rule.of]
            for event in silences_in(rule, life.key, heard, known_at, end):
                silences.setdefault(event.id, (event, set()))[1].add(which)
    return sorted([*came, *silences.values()], key=lambda one: one[0].order) if silences else came


def _verdict(event: Event, life: CustomerLife, window: Window, question: Question) -> Tested:
    subject = life.subjects.at(life.key, event.time, window.all())
    customer = subject.customer
    judgement = judge(event, subject, window.rulebook)
    ranked = judgement.by_severity
    rings = window.rings(ranked, event.time)
    alerts = [
        TestedAlert(
            source=event.source,
            event_id=event.id,
            time=event.time,
            customer=customer.key,
            customer_name=customer.name,
            segment=judgement.membership.segment,
            rule=outcome.rule.id,
            severity=outcome.rule.severity,
            mailed=window.mailed(
                outcome.rule, customer, judgement.membership.segment, question.staff
            )
            if outcome.rule is rings
            else (),
        )
        for outcome in ranked
        if question.rule in {None, outcome.rule.id}
    ]
    return Tested(facts=judgement.facts, alerts=alerts)
