"""Entries of the audit: who did what when, because of what. Only ever appended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from alerting.domain.fields import Fields


class Action(StrEnum):
    """Everything that is recorded. The values are sealed: none is ever renamed."""

    ALERT_RAISED = "alert.raised"
    ALERT_UPGRADED = "alert.upgraded"
    ALERT_WITHDRAWN = "alert.withdrawn"
    ALERT_SUPPRESSED = "alert.suppressed"
    CASE_OPENED = "case.opened"
    CASE_JOINED = "case.joined"
    CASE_CALLER_CHANGED = "case.caller_changed"
    CASE_REOPENED = "case.reopened"
    CASE_ACKNOWLEDGED = "case.acknowledged"
    CASE_ACKNOWLEDGEMENT_STALE = "case.acknowledgement_stale"
    CASE_TAKEN_OVER = "case.taken_over"
    CASE_HANDED_OVER = "case.handed_over"
    CASE_OWNER_CHANGED = "case.owner_changed"
    CASE_FIXER_CHANGED = "case.fixer_changed"
    CASE_WAITING = "case.waiting"
    CASE_RESUMED = "case.resumed"
    CASE_NOTED = "case.noted"
    CASE_REVIEWED = "case.reviewed"
    CASE_CONFIRMED = "case.confirmed"
    CASE_PROMISES_MOVED = "case.promises_moved"
    CASE_REVISED = "case.revised"
    CASE_WITHDRAWN = "case.withdrawn"
    CASE_FORGOTTEN = "case.forgotten"
    CASE_RESOLVED = "case.resolved"
    CONTACT_MADE = "contact.made"
    CONTACT_ATTEMPTED = "contact.attempted"
    CAUSE_REMOVED = "cause.removed"
    CLOCK_MISSED = "clock.missed"
    STEP_FIRED = "step.fired"
    CHECK_SURVEY_SENT = "check_survey.sent"
    CHECK_SURVEY_IMPOSSIBLE = "check_survey.impossible"
    CHECK_SURVEY_NEGATIVE = "check_survey.negative"
    REVIEW_ASKED = "review.asked"
    CORRECTION_PROPOSED = "correction.proposed"
    CORRECTION_APPROVED = "correction.approved"
    CORRECTION_DECLINED = "correction.declined"
    NOTIFICATION_SENT = "notification.sent"
    NOTIFICATION_REFUSED = "notification.refused"
    NOTIFICATION_BATCHED = "notification.batched"
    NOTIFICATION_HELD = "notification.held"
    NO_NOTIFICATION_SENT = "no_notification_sent"
    TEMPLATE_FAILED = "template.failed"
    PEOPLE_IMPORTED = "people.imported"
    PERSON_REACHABLE = "person.reachable"
    PERSON_UNREACHABLE = "person.unreachable"
    ANSWER_MATCHED = "answer.matched"
    ANSWER_LEFT = "answer.left"
    DEAD_LETTER_DISCARDED = "dead_letter.discarded"
    SILENCE_ADDED = "silence.added"
    SILENCE_ENDED = "silence.ended"
    RULEBOOK_ACTIVATED = "rulebook.activated"
    RULEBOOK_PROPOSED = "rulebook.proposed"
    RULEBOOK_DECLINED = "rulebook.declined"
    SENDING_HELD = "sending.held"
    SENDING_RELEASED = "sending.released"
    POSITIONS_ACCEPTED = "positions.accepted"
    CUSTOMER_FORGOTTEN = "customer.forgotten"


class Machine(StrEnum):
    """The product itself, where no person acts."""

    JUDGE = "judge"
    INTAKE = "intake"
    FOLLOW_UP = "follow-up"
    DELIVERY = "delivery"
    ERASURE = "erasure"


@dataclass(frozen=True, kw_only=True)
class EntrySubject:
    """What an entry is about: `kind` and `id` as they are stored."""

    kind: str
    id: str


def about_case(number: int) -> EntrySubject:
    return EntrySubject(kind="case", id=str(number))


INSTALLATION = EntrySubject(kind="instance", id="1")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry to be written. `facts` are JSON values; `personal` is text about a customer, of
    which only a commitment stands in the entry.
    """

    actor: str
    action: Action
    subject: EntrySubject
    happened_at: datetime
    cause: str | None = None
    customer_key: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    personal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RecordedEntry:
    """An entry as it is read again. `commitments` stand in it for personal values;
    `personal_values` are those that still exist.
    """

    id: int
    actor: str
    action: str
    cause: str | None
    happened_at: datetime
    recorded_at: datetime
    facts: Fields
    commitments: Mapping[str, str]
    personal_values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What an entry says of how a promise was kept or broken."""

    action: str
    at: datetime
    facts: Fields
