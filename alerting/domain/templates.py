"""The mails of the product by name. A rule may name one of its own for the call."""

from enum import StrEnum


class Template(StrEnum):
    """What a mail says; the files under `templates/mail/<locale>/` bear the same names."""

    CALL = "call"
    FIX = "fix"
    INFORMED = "informed"
    HANDLED = "handled"
    REMINDER = "reminder"
    STAND_IN = "stand_in"
    OVERDUE = "overdue"
    UNDELIVERED = "undelivered"
    DIGEST = "digest"
    WITHDRAWN = "withdrawn"
    WAITING = "waiting"
    RESUMED = "resumed"
    STALE = "stale"
    REVIEW = "review"
    CORRECTION = "correction"
    WEEKLY = "weekly"
    CHECK_SURVEY = "check_survey"
    """To a customer's contact: whether it is well now. The text is the rulebook's."""
    APPROVAL = "approval"
    CHECKPOINT = "checkpoint"
    PEOPLE_CHECK = "people_check"


OF_CASES = tuple(Template)[: list(Template).index(Template.CHECK_SURVEY)]
"""Those that stand in files; the others are notices in plain lines."""

ESCALATING = frozenset({Template.REMINDER, Template.STAND_IN, Template.OVERDUE})
"""Mails of a clock's steps."""


def duty_told(template: str, duty: str | None) -> str:
    """What a mail asks of its reader: the duty its cause names, else what the mail is called."""
    return duty or template
