"""SLA policies: what is promised, by whom, within what, and who is told around it. Clocks run by
them.

Lengths are working time of the target's calendar; on `always` that is elapsed time. Instants are
UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Literal, Protocol

from alerting.domain.times.calendars import ALWAYS, Calendar, NeverOpen
from alerting.domain.times.working_time import (
    Amount,
    Pause,
    due_instant,
    instant_before,
    read_amount,
    share_instant,
)


class ClockKind(StrEnum):
    """What is promised: to take the case, to speak with the customer, to remove the cause."""

    ACKNOWLEDGE = "acknowledge"
    CONTACT = "contact"
    RESOLVE = "resolve"


Duty = Literal["caller", "fixer"]
CALLER: Duty = "caller"
FIXER: Duty = "fixer"


class WaitingFor(StrEnum):
    """Who has to do something before we can go on."""

    CUSTOMER = "customer"
    THIRD_PARTY = "third_party"


@dataclass(frozen=True, kw_only=True)
class Step:
    """Somebody is told before the due instant, after it, or when a share of the target is used up.
    One of the three.

    With `every` that happens again, `times` in all, until somebody takes the case.
    """

    notify: tuple[str, ...]
    before: timedelta | None = None
    after: timedelta | None = None
    at: Fraction | None = None
    every: timedelta | None = None
    times: int = 1
    urgent: bool = False
    """Tells its people outside their working hours, too."""

    @property
    def words(self) -> str:
        """`before 4h`, `after 0h`, `at 80%`."""
        if self.at is not None:
            when = f"at {self.at.numerator * 100 // self.at.denominator}%"
        elif self.before is not None:
            when = f"before {Amount(length=self.before)}"
        else:
            when = f"after {Amount(length=self.after)}"
        return (
            when
            if self.every is None
            else f"{when}, every {Amount(length=self.every)}, {self.times} times"
        )

    def instant(
        self,
        started_at: datetime,
        due_at: datetime,
        calendar: Calendar = ALWAYS,
        pauses: Iterable[Pause] = (),
    ) -> datetime:
        """When it comes to pass, in working time of the calendar: so long before or after the due
        instant, or at a share.
        """
        if self.before is not None:
            return instant_before(calendar, due_at, self.before, pauses)
        if self.after is not None:
            return calendar.add(due_at, self.after)
        assert self.at is not None, "loading refuses a step without before, after or at"
        return share_instant(calendar, started_at, due_at, self.at, pauses)

    def instants(
        self,
        started_at: datetime,
        due_at: datetime,
        calendar: Calendar = ALWAYS,
        pauses: Iterable[Pause] = (),
    ) -> list[datetime]:
        """The first and those at which it is repeated, in working time without the pauses, too."""
        found = [self.instant(started_at, due_at, calendar, pauses)]
        held = tuple(pauses)
        while self.every is not None and len(found) < self.times:
            after = due_instant(calendar, found[-1], Amount(length=self.every), held)
            assert after is not None, "these pauses have an end"
            found.append(after)
        return found


@dataclass(frozen=True, kw_only=True)
class Target:
    """One promise of a policy: by whom, within what, on which calendar, with which steps, and which
    waits it pauses for.
    """

    by: Duty
    within: Amount
    calendar: Calendar = ALWAYS
    steps: tuple[Step, ...] = ()
    pauses: frozenset[WaitingFor] = frozenset(WaitingFor)
    calendar_of: Duty | None = None
    """Whose own calendar counts; `calendar` is for those who have none."""
    stale_after: timedelta | None = None
    """Of an acknowledgement: in how much working time something has to follow it."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A named set of targets. `starts` says which of the three starts counts; all three are kept.

    `rulebook` is the hash of the one that says so: clocks keep it, and run by it when the active
    one is another.
    """

    id: str
    starts: Literal["customer_sent", "received", "case_opened"]
    targets: Mapping[ClockKind, Target]
    rulebook: str = ""
    moves_open_cases: bool = False
    """Whether cases that are open when the policy is edited are promised what it says from then
    on.
    """

    @property
    def tells_fixer(self) -> bool:
        steps = [step for target in self.targets.values() for step in target.steps]
        return any(word.endswith("fixer") for step in steps for word in step.notify)


def is_ever_due(target: Target) -> bool:
    """Whether its calendar is open for so long within a lifetime."""
    try:
        due_at(datetime(2026, 1, 1, tzinfo=UTC), target)
    except NeverOpen:
        return False
    return True


def under_contract(
    policy: Policy, contract: Mapping[str, object], calendars: Mapping[str, Calendar]
) -> Policy:
    """The policy with the lengths a customer's contract promises: `{"contact": "8h", "calendar":
    "berlin"}`.

    Who owes what to whom stays as the policy says, and so does what the contract is silent about,
    or says of a calendar that is not known or has no such lengths.
    """
    targets = dict(policy.targets)
    for kind, target in policy.targets.items():
        text, calendar = (
            contract.get(kind.value),
            calendars.get(str(contract.get("calendar")), target.calendar),
        )
        try:
            within = read_amount(str(text), calendar) if text is not None else None
        except ValueError:
            continue
        if within is not None and is_ever_due(replace(target, within=within, calendar=calendar)):
            named = calendars.get(str(contract.get("calendar")))
            targets[kind] = replace(
                target,
                within=within,
                calendar=calendar,
                calendar_of=None if named else target.calendar_of,
            )
    return policy if targets == policy.targets else replace(policy, targets=targets)


def contract_problem(
    contract: Mapping[str, object], calendars: Mapping[str, Calendar]
) -> str | None:
    """What of a contract cannot be kept whatever the policy, as a clause; the policy's own promise
    holds in its place.
    """
    name = contract.get("calendar")
    if name is not None and str(name) not in calendars:
        return f"names the calendar {name!r}, which calendars.yaml does not have"
    for kind in ClockKind:
        text, calendar = contract.get(kind.value), calendars.get(str(name))
        if text is not None and calendar is not None:
            try:
                read_amount(str(text), calendar)
            except ValueError as error:
                return f"{kind.value}: {error}"
    return None


class HasCalendar(Protocol):
    """A person or an office, who may work by a calendar of its own: a name of
    `rules/calendars.yaml`.
    """

    @property
    def calendar(self) -> str | None: ...


def on_calendars_of(
    policy: Policy, people: Mapping[Duty, HasCalendar | None], calendars: Mapping[str, Calendar]
) -> Policy:
    """The policy with the calendars of those who owe something, where it says so and they have
    one.
    """
    targets = dict(policy.targets)
    for kind, target in policy.targets.items():
        holder = people.get(target.calendar_of) if target.calendar_of else None
        own = calendars.get(holder.calendar or "") if holder is not None else None
        if own is not None and (own.name != ALWAYS.name or target.within.length is not None):
            targets[kind] = replace(target, calendar=own)
    return policy if targets == policy.targets else replace(policy, targets=targets)


def due_at(start: datetime, target: Target) -> datetime:
    """The earliest instant at which the target is used up."""
    found = due_instant(target.calendar, start, target.within)
    assert found is not None, "nothing is paused yet"
    return found
