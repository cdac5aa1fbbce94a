"""The forms of rules/routing.yaml and rules/sla.yaml: who is responsible, and within what."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from alerting.adapters.rulebook.forms.values import (
    Duration,
    Form,
    Identifier,
    Length,
    listed,
    share,
)
from alerting.domain.cases.sla import CALLER, FIXER, ClockKind, Duty, Step, Target, WaitingFor
from alerting.domain.people.people import PartyId
from alerting.domain.routing.routing import OwnerChange, Role, Territory
from alerting.domain.times.calendars import Calendar
from alerting.domain.times.working_time import Amount


class StepForm(Form):
    notify: Annotated[list[str], BeforeValidator(listed), Field(min_length=1)]
    before: Duration | None = None
    after: Duration | None = None
    at: Annotated[Fraction, BeforeValidator(share)] | None = None
    every: Length | None = None
    times: Annotated[int, Field(ge=2, le=50)] | None = None
    urgent: bool = False

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @model_validator(mode="after")
    def _one_time(self) -> "StepForm":
        if sum(when is not None for when in (self.before, self.after, self.at)) != 1:
            raise ValueError("a step has exactly one of before, after and at")
        if (self.every is None) != (self.times is None):
            raise ValueError(
                "a step that is repeated says `every:` so long and how many `times:` in all"
            )
        return self

    def built(self) -> Step:
        return Step(
            notify=tuple(self.notify),
            before=self.before,
            after=self.after,
            at=self.at,
            every=self.every,
            urgent=self.urgent,
            times=self.times or 1,
        )


class TargetForm(Form):
    by: Literal["caller", "fixer"]
    within: str
    calendar: str = "always"
    steps: list[StepForm] = Field(default_factory=list)
    pauses: Annotated[list[WaitingFor] | None, BeforeValidator(listed)] = None
    stale_after: Length | None = None

    @property
    def calendar_of(self) -> Duty | None:
        """Whose calendar it is, where it says `of caller` or `of fixer`."""
        return {"of caller": CALLER, "of fixer": FIXER}.get(" ".join(self.calendar.split()))

    def built(self, within: Amount, calendar: Calendar) -> Target:
        return Target(
            by=self.by,
            within=within,
            calendar=calendar,
            steps=tuple(step.built() for step in self.steps),
            pauses=frozenset(WaitingFor if self.pauses is None else self.pauses),
            calendar_of=self.calendar_of,
            stale_after=self.stale_after,
        )


class PolicyForm(Form):
    starts: Literal["customer_sent", "received", "case_opened"]
    acknowledge: TargetForm | None = None
    contact: TargetForm
    resolve: TargetForm | None = None
    open_cases: Literal["keep", "move"] = "keep"

    @model_validator(mode="after")
    def _only_acknowledgements_go_stale(self) -> "PolicyForm":
        if self.contact.stale_after is not None or (
            self.resolve is not None and self.resolve.stale_after is not None
        ):
            raise ValueError(
                "only `acknowledge` has `stale_after`: a contact, once made, stays made"
            )
        return self

    def target(self, kind: ClockKind) -> TargetForm | None:
        """What is promised for this clock; None where nothing is."""
        found: TargetForm | None = getattr(self, kind.value)
        return found


class PoliciesForm(Form):
    """rules/sla.yaml"""

    policies: dict[Identifier, PolicyForm]


class RoutingForm(Form):
    """rules/routing.yaml"""

    roles: dict[Identifier, Role]
    territories: list[Territory] = Field(default_factory=list)
    industries: dict[str, PartyId] = Field(default_factory=dict)
    segments: dict[str, PartyId] = Field(default_factory=dict)
    owner_change: OwnerChange = Field(default_factory=OwnerChange)
