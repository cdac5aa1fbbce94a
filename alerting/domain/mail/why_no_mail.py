"""Why a mail about a case is not sent, or not yet: every stage, in order.

Asked under the customer's lock, just before a notification is claimed: a reminder must not reach
somebody who has just acted. An alert passes the stages of `alerts/suppression.py` before it has any
notification at all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.domain.cases.cases import SEVERITIES, Case, Status
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.sla import ClockKind
from alerting.domain.fields import Fields
from alerting.domain.mail.stages import Stage
from alerting.domain.people.people import Party
from alerting.domain.templates import ESCALATING, Template, duty_told
from alerting.domain.times.calendars import Calendar


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A notification about a case that could go now. What costs a query is asked for only where a
    stage wants it.
    """

    template: str
    data: Fields
    recipient: str
    reader: Party | None
    """None where the recipient is not known any more."""
    calendar: Calendar | None
    """The reader's own."""
    by_timer: bool
    not_before: datetime
    lease_until: datetime | None
    """Not None while another attempt may be under way."""
    case: Case
    clocks: Sequence[Clock]
    held: str | None
    """Why all sending is held."""
    now: datetime
    is_decided: Callable[[], bool]
    """Of a correction: whether somebody has approved or declined it."""
    is_repeated: Callable[[], bool]
    """Of a step's repetition: whether a later one says the same."""

    @property
    def duty(self) -> str:
        return duty_told(self.template, self.data.text_or_none("duty"))

    @property
    def wakes(self) -> bool:
        """What is critical or urgent waits for no quiet hours."""
        return self.case.severity == SEVERITIES[-1] or bool(self.data.get("urgent"))


def _held(mail: Outgoing) -> str | None:
    return mail.held


def _under_way(mail: Outgoing) -> str | None:
    if mail.lease_until is None or mail.lease_until <= mail.now:
        return None
    return "another attempt is under way"


def _not_due(mail: Outgoing) -> datetime | None:
    return mail.not_before if mail.not_before > mail.now else None


def _reason_gone(mail: Outgoing) -> str | None:
    if mail.template in ESCALATING:
        return _step_gone(mail)
    if mail.duty == Template.CALL:
        return _call_gone(mail)
    checks = _GONE.get(mail.template, ())
    return next((reason for check in checks if (reason := check(mail)) is not None), None)


def _step_gone(mail: Outgoing) -> str | None:
    kind, plan, cycle = mail.data["clock"], mail.data["plan"], mail.data["cycle"]
    current = [c for c in mail.clocks if c.kind == kind and c.cycle == cycle]
    clock = max(current, key=lambda c: c.plan, default=None)
    if clock is None or clock.plan != plan or mail.case.cycle != cycle:
        return f"the {kind} clock was planned anew"
    if clock.paused_at is not None:
        return "the case waits"
    if mail.data.get("n", 1) != 1 and mail.case.status is not Status.OPEN:
        return "somebody has taken the case"
    return None if clock.running else f"the {kind} clock has stopped"


def _call_gone(mail: Outgoing) -> str | None:
    if mail.case.caller != mail.recipient:
        return "the case has another caller now"
    present = [c for c in mail.clocks if c.kind is ClockKind.CONTACT]
    contact = [c for c in present if c.cycle == mail.case.cycle]
    if contact and not any(c.running for c in contact):
        return "the customer has been reached"
    return None


def _case_over(mail: Outgoing) -> str | None:
    return "the case is over" if mail.case.status is Status.RESOLVED else None


def _taken(mail: Outgoing) -> str | None:
    return None if mail.case.status is Status.OPEN else "the case has been taken"


def _wait_over(mail: Outgoing) -> str | None:
    return "the wait is over" if mail.case.waiting_since is None else None


def _waits_again(mail: Outgoing) -> str | None:
    return None if mail.case.waiting_since is None else "the case waits again"


def _open_again(mail: Outgoing) -> str | None:
    case = mail.case
    removed = case.cause_removed_at is not None and mail.recipient == case.caller
    return None if case.contacted_at is not None or removed else "the case is open again"


def _fix_gone(mail: Outgoing) -> str | None:
    if mail.case.fixer != mail.recipient:
        return "the case has another fixer now"
    done = mail.case.cause_removed_at is not None or mail.case.status is Status.RESOLVED
    return "the cause has been removed" if done else None


_GONE: Mapping[str, tuple[Callable[[Outgoing], str | None], ...]] = {
    Template.WAITING: (_case_over, _wait_over),
    Template.RESUMED: (_case_over, _waits_again),
    Template.STALE: (_case_over, _taken),
    Template.HANDLED: (_open_again,),
    Template.FIX: (_fix_gone,),
}
"""What may have taken a mail's reason away, by template."""


def _decided(mail: Outgoing) -> str | None:
    if mail.template != Template.CORRECTION or not mail.is_decided():
        return None
    return "it is decided already"


def _repeated(mail: Outgoing) -> str | None:
    if "step" not in mail.data or not mail.is_repeated():
        return None
    return "the next reminder says it"


def _nobody(mail: Outgoing) -> str | None:
    return None if mail.reader is not None else f"{mail.recipient} is not in people.yaml any more"


def _quiet_hours(mail: Outgoing) -> datetime | None:
    if mail.wakes or mail.reader is None:
        return None
    return mail.reader.quiet_until(mail.now)


def _off_hours(mail: Outgoing) -> datetime | None:
    """When the reader's next working hours begin, by the reader's own calendar."""
    if mail.wakes or not mail.by_timer or mail.calendar is None:
        return None
    begins = mail.calendar.next_open(mail.now)
    return begins if begins > mail.now else None


STAGES: tuple[Stage[Outgoing], ...] = (
    Stage(name="hold", words="sending is held", applies=_held, effect="later"),
    Stage(name="under way", words="another attempt", applies=_under_way, effect="later"),
    Stage(name="not due", words="not", applies=_not_due, effect="later"),
    Stage(name="reason gone", words="what it was to say no longer holds", applies=_reason_gone),
    Stage(name="decided", words="the correction is decided", applies=_decided),
    Stage(name="repeated", words="a later repetition says the same", applies=_repeated),
    Stage(name="nobody", words="the recipient is not known any more", applies=_nobody),
    Stage(name="quiet hours", words="quiet hours", applies=_quiet_hours, effect="waits"),
    Stage(name="off hours", words="quiet hours", applies=_off_hours, effect="waits"),
)
"""After these a digest may gather what is left, see `services/mail/digest.py`."""

DIGEST = "digest"
"""The last stage: it waits for the reader's next digest."""
