"""Cases: the words of the follow-up. What alerts do to a case is in `case_alerts`, what people do
in `case_responses`.

A case makes two promises. The caller speaks with the customer (contact), the fixer removes the
cause (resolve). It is resolved when the cause is removed and the customer has been spoken with, in
either order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from alerting.domain.audit.entries import Action
from alerting.domain.cases.clocks import Clock, NewTimer, PastWait, Starts
from alerting.domain.cases.sla import ClockKind, Policy, WaitingFor
from alerting.domain.routing.fill_role import Assignment


class Status(StrEnum):
    """Where a case stands. While it waits it keeps the status it goes on with."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CONTACTED = "contacted"
    WAITING = "waiting"
    RESOLVED = "resolved"


CASE_STATUSES = ("unresolved", *(status.value for status in Status), "all")
"""What a list of cases may be narrowed to; another word would only look like an empty list."""

SEVERITIES = ("low", "normal", "high", "critical")
"""From harmless to worst; a joining alert of a higher one takes the case to its own caller."""

CHANNELS = ("phone", "meeting", "email", "chat")
OUTCOMES = {
    "reached": True,
    "voicemail": False,
    "auto_reply": False,
    "no_answer": False,
    "wrong_number": False,
}
"""What came of an attempt to reach the customer -> whether it counts as contact. Machines that
answer never do.
"""


@dataclass(frozen=True, kw_only=True)
class NewCase:
    """The follow-up of one customer's alerts, not stored yet."""

    customer_key: str
    cycle: int
    status: Status
    severity: str
    segment: str
    territory: str
    rule: str
    policy: str
    caller: str
    fixer: str | None
    informed: tuple[str, ...]
    assignment: int
    starts: Starts
    acknowledged_at: datetime | None = None
    """Since when it counts as taken, in this cycle; kept once the customer is reached."""
    contacted_at: datetime | None = None
    """When the customer was spoken with in this cycle."""
    answered_until: datetime | None = None
    """The latest contact of all cycles: what the customer wrote before it is answered."""
    cause_removed_at: datetime | None = None
    resolved_at: datetime | None = None
    withdrawn_at: datetime | None = None
    """When facts that came later took all its alerts away, before anybody had done anything about
    it.
    """
    forgotten_at: datetime | None = None
    """When it ended because nobody may know its customer any more."""
    waiting_since: datetime | None = None
    waiting_for: WaitingFor | None = None
    waiting_until: datetime | None = None
    waits: tuple[PastWait, ...] = ()
    """Those that are over, of all cycles."""
    revision: int = 0
    """Grows with every change: whoever acts on what a page showed may be overtaken."""
    root_cause: str | None = None
    action: str | None = None
    corrective_action: str | None = None

    @property
    def standing(self) -> Status:
        """What is shown: `waiting` while it waits, its status otherwise."""
        return self.status if self.waiting_since is None else Status.WAITING

    def answers(self, sent: datetime) -> bool:
        """Whether a call has answered what the customer wrote then."""
        return self.answered_until is not None and sent <= self.answered_until

    def stored(self, number: int) -> "Case":
        return Case(**{**vars(self), "id": number})


@dataclass(frozen=True, kw_only=True)
class Case(NewCase):
    """A case that is stored, and so has its number."""

    id: int

    @property
    def number(self) -> str:
        return f"C-{self.id}"


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """An alert as far as the clocks are concerned: what is promised, counted from when."""

    id: int
    rule: str
    severity: str
    policy: Policy
    starts: Starts


@dataclass(frozen=True, kw_only=True)
class RaisedAlert(Complaint):
    """An alert with everybody it concerns already resolved to people."""

    segment: str
    territory: str
    template: str
    caller: Assignment
    fixer: Assignment | None
    informed: tuple[Assignment, ...]
    away: frozenset[str] = frozenset()
    """Who is not here: a case is not left with them when its customer writes again."""


@dataclass(frozen=True, kw_only=True)
class AuditLine:
    """One line for the audit: what happened. `personal` values are committed to, not written into
    the entry.
    """

    action: Action
    happened_at: datetime
    facts: Mapping[str, object] = field(default_factory=dict)
    personal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ToTell:
    """Somebody to tell, before the cause's number is known."""

    recipient: str
    template: str
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Who waits for whom and why, and until when at most."""

    waiting_for: WaitingFor
    by: str
    reason: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A wait is over: when, and because of a person, the customer, or its day."""

    at: datetime
    because: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What changes: the case after, its clocks that changed, timers to set and to cancel, people to
    tell, audit lines; a wait that begins, and one that ended.
    """

    case: Case
    clocks: tuple[Clock, ...] = ()
    timers: tuple[NewTimer, ...] = ()
    cancelled: tuple[str, ...] = ()
    tell: tuple[ToTell, ...] = ()
    audit: tuple[AuditLine, ...] = ()
    wait: Wait | None = None
    ended: Ended | None = None


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A case to be opened, with its clocks, timers to set, people to tell, and audit lines."""

    case: NewCase
    clocks: tuple[Clock, ...] = ()
    timers: tuple[NewTimer, ...] = ()
    tell: tuple[ToTell, ...] = ()
    audit: tuple[AuditLine, ...] = ()

    def stored(self, number: int) -> Decision:
        """The same about the case that is stored under this number."""
        return Decision(
            case=self.case.stored(number),
            clocks=self.clocks,
            timers=self.timers,
            tell=self.tell,
            audit=self.audit,
        )


def followed_by(first: Decision, second: Decision) -> Decision:
    """Two decisions about one case as one; the second was made about what the first left, and may
    cancel timers of it.
    """
    gone = tuple(f"{plan}." for plan in second.cancelled)
    kept = [timer for timer in first.timers if not f"{timer.key}.".startswith(gone)]
    return Decision(
        case=second.case,
        clocks=(*first.clocks, *second.clocks),
        timers=(*kept, *second.timers),
        cancelled=(*first.cancelled, *second.cancelled),
        tell=(*first.tell, *second.tell),
        audit=(*first.audit, *second.audit),
        wait=second.wait or first.wait,
        ended=second.ended or first.ended,
    )


def clocks_after(clocks: Iterable[Clock], decision: Decision) -> list[Clock]:
    """The clocks as they stand after a decision, those it started included."""
    changed = {clock.key: clock for clock in decision.clocks}
    held = [changed.pop(clock.key, clock) for clock in clocks]
    return [*held, *changed.values()]


def current_clocks(case: NewCase, clocks: Iterable[Clock]) -> dict[ClockKind, Clock]:
    """The newest plan of each clock in the case's present cycle."""
    newest: dict[ClockKind, Clock] = {}
    for clock in sorted(clocks, key=lambda c: c.plan):
        if clock.cycle == case.cycle:
            newest[clock.kind] = clock
    return newest


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Somebody tried to reach the customer. `happened_at` may lie in the past, never ahead."""

    by: str
    channel: str
    outcome: str
    happened_at: datetime
    note: str = ""

    @property
    def reached(self) -> bool:
        return OUTCOMES[self.outcome]
