"""How cases end: the cause and what was done about it from declared lists, and what is asked
afterwards: whether it worked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerting.domain.audit.entries import Action
from alerting.domain.cases.cases import AuditLine, Case, Decision, Status
from alerting.domain.cases.clocks import NewTimer
from alerting.domain.errors import ActionRefused

OTHER = "other"
"""An entry of this name says nothing by itself: it needs words."""

REVIEW, CHECK = "review", "check_survey"
"""Kinds of timers: the effectiveness review falls due; the customer is asked."""


@dataclass(frozen=True, kw_only=True)
class EffectReview:
    """An effectiveness review: so long after the end of a case, by whom (`caller`, `fixer` or a
    role).
    """

    after: timedelta
    by: str


@dataclass(frozen=True, kw_only=True)
class Message:
    """What customers read in a mail; the link to the form follows the text."""

    subject: str
    text: str


@dataclass(frozen=True, kw_only=True)
class CheckSurvey:
    """The customer is asked by a mail, so long after the end of a case, with a link to one of our
    forms. By locale.
    """

    survey: str
    after: timedelta
    mail: Mapping[str, Message]

    def message(self, locale: str) -> Message:
        """In that language, its main one, English, or whichever there is."""
        for wanted in (locale, locale.split("-")[0], "en"):
            if wanted in self.mail:
                return self.mail[wanted]
        return next(iter(self.mail.values()))


@dataclass(frozen=True, kw_only=True)
class Resolutions:
    """rules/resolutions.yaml: names with their titles, and what follows the end of a case. All of
    it may be left out.

    `reopen_within`: a complaint that comes so soon after the end opens the case again, in its next
    cycle.
    """

    required: bool = True
    root_causes: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)
    corrective_actions: Mapping[str, str] = field(default_factory=dict)
    reopen_within: timedelta | None = None
    review: EffectReview | None = None
    check_survey: CheckSurvey | None = None

    def reopens(self, resolved_at: datetime | None, sent: datetime) -> bool:
        """Whether a complaint opens a case again that ended then."""
        return (
            self.reopen_within is not None
            and resolved_at is not None
            and sent <= resolved_at + self.reopen_within
        )


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What was wrong and what was done about it: names from the lists, the number of a corrective
    action, words.
    """

    note: str = ""
    root_cause: str | None = None
    action: str | None = None
    corrective_action: str | None = None


def check_resolution(given: Resolution, known: Resolutions) -> None:
    """Raises ActionRefused for a name that is not declared, for one that is missing, and for
    `other` without words.
    """
    lists = (
        ("root cause", given.root_cause, known.root_causes, known.required),
        ("action", given.action, known.actions, known.required),
        ("corrective action", given.corrective_action, known.corrective_actions, False),
    )
    for what, name, declared, required in lists:
        if name is None and required and declared:
            raise ActionRefused(f"say the {what}: one of {', '.join(declared)}")
        if name is not None and not declared:
            raise ActionRefused(f"rules/resolutions.yaml declares no {what}s; say it in the note")
        if name is not None and name not in declared:
            raise ActionRefused(f"{what} is one of {', '.join(declared)}, not {name!r}")
    if not given.note.strip():
        if OTHER in {given.root_cause, given.action}:
            raise ActionRefused("'other' says nothing by itself: say what it was in the note")
        if given.root_cause is None or given.action is None:
            raise ActionRefused("say what was wrong and what was done about it")


def resolved_with(case: Case, given: Resolution) -> Case:
    return replace(
        case,
        root_cause=given.root_cause,
        action=given.action,
        corrective_action=given.corrective_action,
    )


def after_resolution(before: Case, decision: Decision, known: Resolutions) -> Decision:
    """A decision that ends the case also plans what is asked afterwards."""
    case = decision.case
    if (
        case.status is not Status.RESOLVED
        or before.status is Status.RESOLVED
        or case.resolved_at is None
    ):
        return decision
    timers = []
    if known.review is not None:
        due = case.resolved_at + known.review.after
        timers.append(
            NewTimer(
                kind=REVIEW, key=f"{case.cycle}.{REVIEW}", due_at=due, data={"by": known.review.by}
            )
        )
    if known.check_survey is not None:
        due = case.resolved_at + known.check_survey.after
        timers.append(NewTimer(kind=CHECK, key=f"{case.cycle}.{CHECK}", due_at=due, data={}))
    return replace(decision, timers=(*decision.timers, *timers))


def asked_no_more(case: Case) -> tuple[str, ...]:
    """Keys of what would be asked after the end of this cycle: the case is open again."""
    return (f"{case.cycle}.{REVIEW}", f"{case.cycle}.{CHECK}")


def review_effect(case: Case, by: str, effective: bool, note: str, now: datetime) -> Decision:
    """Whether what was done has worked. The case stays closed; an early word does not keep the
    question from being asked when it is due. Raises ActionRefused before the case is closed.
    """
    if case.status is not Status.RESOLVED:
        raise ActionRefused(
            f"{case.number} is not resolved yet; whether it worked can be said afterwards"
        )
    if not effective and not note.strip():
        raise ActionRefused("say in a few words what did not work")
    line = AuditLine(
        action=Action.CASE_REVIEWED,
        happened_at=now,
        facts={"by": by, "effective": effective},
        personal={"note": note.strip()} if note.strip() else {},
    )
    return Decision(case=case, audit=(line,))
