"""The form of rules/tests/*.yaml: what a business may write to say what its rules must do."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainValidator,
    model_validator,
)

from alerting.adapters.rulebook.forms.values import LONGEST, Form, Identifier, listed, written_out
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.rulebook.rule_tests import Deed, parse_offset


def _offset(value: object) -> timedelta:
    found = parse_offset(str(value))
    if found > LONGEST:
        raise ValueError(f"{str(value)!r} is longer than ten years")
    return found


def _moment(value: object) -> timedelta | datetime:
    """An offset from the begin, or a time with its zone."""
    if not isinstance(value, date) and not re.match(r"\d{4}-\d\d", str(value)):
        return _offset(value)
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError(
            'write an offset such as 2h, or a time with its zone such as "2026-03-06T08:30:00Z"'
        )
    return found


def _within_reach(value: datetime) -> datetime:
    """Clocks are computed some years back and forth from here."""
    if not 1971 <= value.year <= 9900:
        raise ValueError("lies outside the years 1971 to 9900")
    return value


Offset = Annotated[timedelta, PlainValidator(_offset)]
Moment = Annotated[timedelta | datetime, PlainValidator(_moment)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Outcome = Literal["reached", "voicemail", "auto_reply", "no_answer", "wrong_number"]
Clock = Literal["acknowledge", "contact", "resolve"]


class TimelineForm(Form):
    """An event that arrives, or what a person does."""

    at: Moment
    event: dict[str, object] | None = None
    does: Deed | None = None
    by: Name | None = None
    to: Name | None = None
    outcome: Outcome | None = None
    note: Name | None = None
    waiting_for: Annotated[WaitingFor | None, Field(alias="for")] = None
    customer: Name | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> "TimelineForm":
        if (self.event is None) == (self.does is None):
            raise ValueError("exactly one of `event` and `does` happens at a time")
        if self.event is not None and (given := self.model_fields_set - {"at", "event"}):
            raise ValueError(
                f"an event has no {', '.join(sorted(given))}; its own fields stand inside `event`"
            )
        if self.does is not None and self.by is None:
            raise ValueError("say who does it: add `by:`, a role or a person")
        if (self.to is not None) != (self.does == "hand_over"):
            raise ValueError("hand_over names to whom, and nothing else has a `to`")
        if self.outcome is not None and self.does != "contact":
            raise ValueError("only a contact has an outcome")
        if self.waiting_for is not None and self.does != "wait":
            raise ValueError("only a wait is `for` the customer or a third_party")
        return self


class ExpectForm(Form):
    """One line of `expect`: exactly one of alert, mail, missed and none; the rest are filters."""

    alert: Identifier | None = None
    mail: Identifier | None = None
    missed: Clock | None = None
    none: Literal["alert", "mail", "missed"] | None = None
    rule: Identifier | None = None
    template: Identifier | None = None
    to: Name | None = None
    customer: Name | None = None
    at: Moment | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "ExpectForm":
        if sum(kind is not None for kind in (self.alert, self.mail, self.missed, self.none)) != 1:
            raise ValueError("expect exactly one of alert, mail, missed and none")
        kind = self.kind
        if self.to is not None and kind != "mail":
            raise ValueError("only a mail has a `to`")
        if self.rule is not None and (self.none is None or kind != "alert"):
            raise ValueError("`rule:` goes with `none: alert`; write `alert: the-rule` otherwise")
        if self.template is not None and (self.none is None or kind != "mail"):
            raise ValueError(
                "`template:` goes with `none: mail`; write `mail: the_template` otherwise"
            )
        if self.none is not None and self.at is not None:
            raise ValueError("`none` is meant from begin to end; it has no `at`")
        return self

    @property
    def kind(self) -> Literal["alert", "mail", "missed"]:
        if self.none is not None:
            return self.none
        if self.alert is not None:
            return "alert"
        return "mail" if self.mail is not None else "missed"

    @property
    def what(self) -> str | None:
        return self.alert or self.mail or self.missed or self.rule or self.template


class RuleTestForm(Form):
    name: Name
    customers: list[dict[str, object]] = Field(default_factory=list)
    begin: (
        Annotated[AwareDatetime, BeforeValidator(written_out), AfterValidator(_within_reach)] | None
    ) = None
    timeline: Annotated[list[TimelineForm], Field(min_length=1)]
    until: Offset = timedelta(0)
    expect: Annotated[list[ExpectForm], BeforeValidator(listed)]
    only: bool = False

    @model_validator(mode="after")
    def _expects_something(self) -> "RuleTestForm":
        if not self.expect and not self.only:
            raise ValueError(
                "a test that expects nothing cannot fail; write `only: true` if nothing may happen"
            )
        return self


class RuleTestsForm(Form):
    """rules/tests/*.yaml"""

    tests: Annotated[list[RuleTestForm], Field(min_length=1)]
