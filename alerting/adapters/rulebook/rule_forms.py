"""The forms of the files under rules/: what a business may write, key by key.

docs/reference/rule-files.md is written from them.
"""

import re
from datetime import datetime, time, timedelta
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from alerting.domain.cases.sla import CALLER, FIXER, ClockKind, Duty, Step, Target, WaitingFor
from alerting.domain.customers.signals import Aggregate
from alerting.domain.people.people import Absence, Party, PartyId, Team
from alerting.domain.routing.routing import OwnerChange, Role, Territory
from alerting.domain.rulebook.rulebook import Weekly
from alerting.domain.times.calendars import Calendar
from alerting.domain.times.durations import parse_duration
from alerting.domain.times.working_time import Amount


class Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _duration(value: Any) -> Any:
    """A bare number would be read as seconds."""
    found = parse_duration(str(value))
    if found > LONGEST:
        raise ValueError(f"{str(value)!r} is longer than ten years")
    return found


def _not_zero(value: timedelta) -> timedelta:
    if not value:
        raise ValueError("must be longer than nothing")
    return value


def written_out(value: Any) -> Any:
    """A bare number would be read as seconds since 1970."""
    if not isinstance(value, datetime) and not re.match(r"\d{4}-\d\d-\d\dT", str(value)):
        raise ValueError('write a time with its zone, such as "2026-01-01T00:00:00Z"')
    return value


def _share(value: Any) -> Any:
    text = str(value).strip()
    if not text.endswith("%") or not text[:-1].isdigit() or not 0 < int(text[:-1]) <= 100:
        raise ValueError(f"{text!r} is not a share of the target; write 80%")
    return Fraction(int(text[:-1]), 100)


def listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


_WEEKLY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):([0-5]\d)")


def _weekly(value: Any) -> Weekly:
    found = _WEEKLY.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"{str(value)!r} is no time of the week; write mon 07:00")
    weekday = ("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(found[1])
    return Weekly(weekday=weekday, at=time(int(found[2]), int(found[3])))


LONGEST = timedelta(days=3660)
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Length = Annotated[Duration, AfterValidator(_not_zero)]
Worded = Annotated[str, Field(min_length=1, max_length=120)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


class SettingsForm(Form):
    """rules/settings.yaml"""

    go_live: Annotated[AwareDatetime, BeforeValidator(written_out)]
    notify_max_age: Length = timedelta(days=7)
    lateness: Length = timedelta(days=7)
    second_person: bool = False
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    audit_holder: PartyId | None = None
    wait_at_most: Length = timedelta(days=14)
    calendar: str | None = None
    weekly_mail: Annotated[Weekly, BeforeValidator(_weekly)] | None = None

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class ListsForm(Form):
    """rules/lists.yaml: words, or the name of a CSV file whose first column they are."""

    lists: dict[Identifier, list[str] | str]


class AttributesForm(Form):
    """rules/attributes.yaml: the types of free attributes."""

    attributes: dict[
        Identifier,
        Literal["text", "number", "whole number", "true/false", "date", "time", "list of texts"],
    ]


class SegmentForm(Form):
    id: Identifier
    title: str | None = None
    rank: int | None = None
    members: str | None = None
    when: str | None = None
    otherwise: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "SegmentForm":
        if sum(way is not None for way in (self.members, self.when, self.otherwise)) != 1:
            raise ValueError("a segment has exactly one of members, when and otherwise")
        return self


class SegmentsForm(Form):
    """rules/segments.yaml"""

    segments: Annotated[list[SegmentForm], Field(min_length=1)]
    tags: dict[Identifier, str] = Field(default_factory=dict)


class ScoreForm(Form):
    score: Annotated[int, Field(ge=0, le=100)]
    when: str


class HealthPartForm(Form):
    weight: Annotated[int, Field(ge=1, le=1000)]
    scores: Annotated[list[ScoreForm], Field(min_length=1)]


class HealthForm(Form):
    """rules/health.yaml: the parts of health; in each the first `when` that is true gives the
    score
    """

    parts: Annotated[dict[Identifier, HealthPartForm], Field(min_length=1)]


class ValueForm(Form):
    """rules/value.yaml: how long a purchase counts for recency, frequency and monetary value"""

    within: Length = timedelta(days=365)


class SignalForm(Form):
    """One of the aggregates names the event type; all but `count` and `days_since` say `of` which
    field.
    """

    count: str | None = None
    sum: str | None = None
    avg: str | None = None
    min: str | None = None
    max: str | None = None
    distinct: str | None = None
    last: str | None = None
    days_since: str | None = None
    of: str | None = None
    where: str | None = None
    within: Length
    reset_when: str | None = None

    @model_validator(mode="after")
    def _one_aggregate(self) -> "SignalForm":
        given = [aggregate for aggregate in Aggregate if getattr(self, aggregate.value) is not None]
        if len(given) != 1:
            raise ValueError(f"a signal has exactly one of {', '.join(Aggregate)}")
        if given[0].takes_field != (self.of is not None):
            raise ValueError(
                f"{given[0]} needs `of:`, the field it reckons with"
                if given[0].takes_field
                else f"{given[0]} has no `of:`"
            )
        return self


class SignalsForm(Form):
    """rules/signals.yaml"""

    signals: dict[Identifier, SignalForm]


class StepForm(Form):
    notify: Annotated[list[str], BeforeValidator(listed), Field(min_length=1)]
    before: Duration | None = None
    after: Duration | None = None
    at: Annotated[Fraction, BeforeValidator(_share)] | None = None
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
        return getattr(self, kind.value)  # type: ignore[no-any-return]


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


class RuleForm(Form):
    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=120)]
    on: str
    when: Annotated[dict[str, str], Field(min_length=1)]
    severity: Literal["low", "normal", "high", "critical"]
    caller: str
    fixer: str | None = None
    inform: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)
    policy: str
    template: Identifier = "call"
    of: str | None = None
    silent_for: Annotated[Length | None, Field(alias="for")] = None
    mode: Literal["live", "shadow"] = "live"
    cooldown: Length | None = None

    @model_validator(mode="after")
    def _silent_of_what(self) -> "RuleForm":
        silent = self.on == "silence"
        if silent != (self.of is not None) or silent != (self.silent_for is not None):
            raise ValueError(
                "a rule `on: silence` says `of:` which event type and `for:` how long; no other "
                "rule does"
            )
        return self


class RulesForm(Form):
    """rules/escalations/*.yaml"""

    rules: list[RuleForm]


class SurveyForm(Form):
    title: str
    question: str
    metric: Literal["nps", "csat", "ces", "rating"] = "nps"
    scale: Annotated[int, Field(ge=2, le=10)] | None = None
    low_label: str = "not at all"
    high_label: str = "very much"
    comment_label: str = "What is the main reason for your answer?"
    contact_label: str = "You may call me about this"
    thanks: str = "Thank you. We have your answer."
    language: str = "en"

    @model_validator(mode="after")
    def _scaled(self) -> "SurveyForm":
        if (self.metric == "rating") != (self.scale is not None):
            raise ValueError("a rating needs its scale, and only a rating has one")
        return self


class SurveysForm(Form):
    """rules/surveys.yaml"""

    surveys: dict[Identifier, SurveyForm]


class WordsForm(Form):
    """rules/words/<locale>.yaml: on the left what stands in the rules, on the right what its
    readers read
    """

    conditions: dict[str, Worded] = Field(default_factory=dict)
    rules: dict[str, Worded] = Field(default_factory=dict)
    segments: dict[str, Worded] = Field(default_factory=dict)


class OfficeForm(Form):
    id: PartyId
    name: str
    email: str
    phone: str | None = None
    manager: PartyId | None = None
    substitute: PartyId | None = None
    locale: str = "en"
    time_zone: str = "UTC"
    quiet_hours: str | None = None
    calendar: str | None = None
    digest: str | None = None


class AbsenceForm(Absence):
    person: PartyId


class PeopleForm(Form):
    """rules/people.yaml; facts that are imported, not part of the rulebook's hash."""

    people: Annotated[list[Party], Field(min_length=1)]
    offices: list[OfficeForm] = Field(default_factory=list)
    teams: list[Team] = Field(default_factory=list)
    absences: list[AbsenceForm] = Field(default_factory=list)
