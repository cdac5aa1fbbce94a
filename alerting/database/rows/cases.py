"""Rows about cases, their promises and the work on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alerting.domain.cases.sla import Duty


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    """A case as it is stored."""

    id: int
    customer_key: str
    cycle: int
    status: str
    severity: str
    segment: str
    territory: str
    rule: str
    policy: str
    caller: str
    fixer: str | None
    informed: list[str]
    assignment: int
    customer_sent_at: datetime
    received_at: datetime
    opened_at: datetime
    acknowledged_at: datetime | None
    contacted_at: datetime | None
    answered_until: datetime | None
    cause_removed_at: datetime | None
    resolved_at: datetime | None
    withdrawn_at: datetime | None
    forgotten_at: datetime | None
    waiting_since: datetime | None
    waiting_for: str | None
    waiting_until: datetime | None
    waits: list[list[str]]
    revision: int
    root_cause: str | None
    action: str | None
    corrective_action: str | None


@dataclass(frozen=True, kw_only=True)
class ClockRow:
    """One plan of one clock."""

    case_id: int
    cycle: int
    kind: str
    plan: int
    by: Duty
    policy: str
    party: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    missed_at: datetime | None
    superseded_at: datetime | None
    rulebook: str
    calendar: str
    within: str
    paused_at: datetime | None
    pauses: list[list[str]]
    resumes: int
    felt: int | None
    worked: int | None


@dataclass(frozen=True, kw_only=True)
class ClockOfCase(ClockRow):
    """A clock, and what reports tell its case by."""

    customer_key: str


@dataclass(frozen=True, kw_only=True)
class ClockInGroup(ClockRow):
    """A clock, and what lines of a report are told by."""

    segment: str
    territory: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class MissedClock(ClockRow):
    """A clock that was kept late or is overdue by `over` microseconds, with its case."""

    customer_key: str
    segment: str
    rule: str
    status: str
    root_cause: str | None
    action: str | None
    corrective_action: str | None
    over: int


@dataclass(frozen=True, kw_only=True)
class ClockWithCase(ClockRow):
    """A clock in its `state`, with what its case says."""

    customer_key: str
    segment: str
    rule: str
    severity: str
    status: str
    root_cause: str | None
    action: str | None
    corrective_action: str | None
    state: str


@dataclass(frozen=True, kw_only=True)
class Missed:
    """A clock that was missed, for a rule test."""

    case_id: int
    kind: str
    party: str
    happened_at: datetime
    customer_key: str


@dataclass(frozen=True, kw_only=True)
class TimerRow:
    """Something due at an instant. `subject` is the case."""

    id: int
    kind: str
    subject: int
    key: str
    n: int
    customer_key: str
    due_at: datetime
    data: Mapping[str, object]
    fired_at: datetime | None
    cancelled_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, kw_only=True)
class WaitRow:
    """A wait; `ended_at` is None while it goes on."""

    id: int
    case_id: int
    cycle: int
    waiting_for: str
    by: str
    reason: str
    began_at: datetime
    until: datetime
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, kw_only=True)
class CorrectionRow:
    """A wrong time, what it is to become, and what was decided."""

    id: int
    case_id: int
    what: str
    subject: int | None
    was: datetime
    becomes: datetime
    reason: str
    by: str
    proposed_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    approved: bool | None


@dataclass(frozen=True, kw_only=True)
class EffectReviewRow:
    """Whether what ended a cycle has worked; asked, and perhaps answered."""

    case_id: int
    cycle: int
    due_at: datetime
    done_at: datetime | None
    by: str | None
    effective: bool | None
    note: str | None


@dataclass(frozen=True, kw_only=True)
class AttemptRow:
    """An attempt to reach the customer."""

    id: int
    case_id: int
    cycle: int
    by: str
    channel: str
    outcome: str
    reached: bool
    happened_at: datetime
    recorded_at: datetime
    note: str
    grade: str | None


@dataclass(frozen=True, kw_only=True)
class AttemptOfCustomer(AttemptRow):
    """An attempt, its customer, and `since` when that one complained."""

    customer_key: str
    since: datetime | None
