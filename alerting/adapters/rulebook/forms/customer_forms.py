"""The forms of the files that say who customers are: lists, attributes, signals, health, value and
segments.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from alerting.adapters.rulebook.forms.values import Form, Identifier, Length
from alerting.domain.customers.signals import Aggregate


class ListsForm(Form):
    """rules/lists.yaml: words, or the name of a CSV file whose first column they are."""

    lists: dict[Identifier, list[str] | str]


class AttributesForm(Form):
    """rules/attributes.yaml: the types of free attributes."""

    attributes: dict[
        Identifier,
        Literal["text", "number", "whole number", "true/false", "date", "time", "list of texts"],
    ]


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
                f"{given[0]} needs `of:`, the field it is computed from"
                if given[0].takes_field
                else f"{given[0]} has no `of:`"
            )
        return self


class SignalsForm(Form):
    """rules/signals.yaml"""

    signals: dict[Identifier, SignalForm]


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
