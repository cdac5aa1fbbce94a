"""The forms of settings, rules, surveys and words: what a business may write, key by key."""

import re
from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, model_validator

from alerting.adapters.rulebook.forms.values import (
    Form,
    Identifier,
    Length,
    Worded,
    listed,
    written_out,
)
from alerting.domain.people.people import PartyId
from alerting.domain.rulebook.rulebook import Weekly

_WEEKLY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):([0-5]\d)")


def _weekly(value: object) -> Weekly:
    found = _WEEKLY.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"{str(value)!r} is no time of the week; write mon 07:00")
    weekday = ("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(found[1])
    return Weekly(weekday=weekday, at=time(int(found[2]), int(found[3])))


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
