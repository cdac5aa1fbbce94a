"""The names conditions may use, and their types: event fields, customer fields, signals, history,
lists.

In the facts a name stands under where it comes from: `event.score`, `customer.industry`,
`signal.calls_in_vain`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alerting.domain.conditions import Scope, Type
from alerting.domain.customers.health import HEALTH_FIELDS
from alerting.domain.customers.value import GROUPS, VALUE_FIELDS

Names = dict[str, tuple[str, Type]]

_COMMON = {
    "type": Type.TEXT,
    "source": Type.TEXT,
    "id": Type.TEXT,
    "time": Type.TIME,
    "customer_id": Type.TEXT,
}

EVENT_FIELDS: Mapping[str, Mapping[str, Type]] = {
    "survey.answered": {
        **_COMMON,
        "survey_id": Type.TEXT,
        "metric": Type.TEXT,
        "scale": Type.BIGINT,
        "score": Type.NUMBER,
        "sentiment": Type.TEXT,
        "comment": Type.TEXT,
        "language": Type.TEXT,
        "contact_me": Type.BOOLEAN,
        "respondent.name": Type.TEXT,
        "respondent.email": Type.TEXT,
        "respondent.phone": Type.TEXT,
    },
    "interaction.recorded": {
        **_COMMON,
        "channel": Type.TEXT,
        "direction": Type.TEXT,
        "outcome": Type.TEXT,
        "office": Type.TEXT,
        "agent": Type.TEXT,
        "contact": Type.TEXT,
        "topic": Type.TEXT,
        "duration_seconds": Type.NUMBER,
        "text": Type.TEXT,
    },
    "purchase.recorded": {**_COMMON, "amount": Type.NUMBER, "currency": Type.TEXT},
    "segment.changed": {
        **_COMMON,
        "from_segment": Type.TEXT,
        "to_segment": Type.TEXT,
        "why": Type.TEXT,
        "tags": Type.TEXTS,
        "tags_added": Type.TEXTS,
        "tags_removed": Type.TEXTS,
        "cause": Type.TEXT,
    },
    "silence": {
        **_COMMON,
        "rule": Type.TEXT,
        "of": Type.TEXT,
        "since": Type.TIME,
        "days": Type.BIGINT,
    },
}
"""What a condition may read of an event, by type. Types that are not here cannot be the `on` of a
rule.
"""

EVENT_VALUES: Mapping[str, frozenset[str]] = {
    "event.type": frozenset(EVENT_FIELDS),
    "event.metric": frozenset({"nps", "csat", "ces", "rating"}),
    "event.sentiment": frozenset({"negative", "neutral", "positive"}),
    "event.direction": frozenset({"inbound", "outbound"}),
    "event.channel": frozenset({"phone", "email", "chat", "meeting", "ticket", "web", "social"}),
    "event.outcome": frozenset(
        {"resolved", "unresolved", "escalated", "voicemail", "abandoned", "none"}
    ),
    "customer.last_sentiment": frozenset({"negative", "neutral", "positive"}),
    "customer.rfm_group": frozenset(GROUPS),
}
"""Fields that take only certain texts, by their key in the facts; a test holds them to the event
models.
"""

STRETCHES: Mapping[str, tuple[int, int | None]] = {
    "event.score": (0, 1000),
    "event.scale": (2, 1000),
    "event.duration_seconds": (0, None),
    "event.days": (0, None),
    "customer.last_score": (0, 1000),
    "customer.days_since_contact": (0, None),
    "customer.purchases": (0, None),
    "customer.days_since_purchase": (0, None),
    **dict.fromkeys(
        ("customer.rfm_recency", "customer.rfm_frequency", "customer.rfm_monetary"), (1, 5)
    ),
    "customer.value_decile": (1, 10),
    "customer.health": (0, 100),
}
"""Fields that take only certain numbers: from, to (None: any above). A rating may run to 1,000,
other scores end at 10.
"""

CUSTOMER_FIELDS: Mapping[str, Type] = {
    "id": Type.TEXT,
    "name": Type.TEXT,
    "parent": Type.TEXT,
    "revenue_with_us": Type.NUMBER,
    "industry": Type.TEXT,
    "country": Type.TEXT,
    "region": Type.TEXT,
    "city": Type.TEXT,
    "employees": Type.BIGINT,
    "lifecycle": Type.TEXT,
    "renewal_date": Type.DATE,
    "owner": Type.TEXT,
    "language": Type.TEXT,
    "time_zone": Type.TEXT,
}
"""What conditions may read of a customer, by bare name in segments and tags, and as
`customer.<name>` everywhere.
"""

HISTORY: Mapping[str, Type] = {
    "last_score": Type.NUMBER,
    "last_sentiment": Type.TEXT,
    "score_change": Type.NUMBER,
    "days_since_contact": Type.BIGINT,
    "days_to_renewal": Type.BIGINT,
}
"""What was known of a customer just before the event: see `history` in `domain.history`."""

ATTRIBUTE_TYPES: Mapping[str, Type] = {
    "text": Type.TEXT,
    "number": Type.NUMBER,
    "whole number": Type.BIGINT,
    "true/false": Type.BOOLEAN,
    "date": Type.DATE,
    "time": Type.TIME,
    "list of texts": Type.TEXTS,
}
"""How rules/attributes.yaml names the types of free attributes."""


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What a rulebook adds to the names everybody has. `complete` is False where a file of it
    cannot be read.
    """

    signals: Mapping[str, Type] = field(default_factory=dict)
    attributes: Mapping[str, Type] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    has_health: bool = False
    complete: bool = True

    def for_signals(self, event_type: str) -> Scope:
        """Names in a signal's conditions: the fields of its event."""
        return self._scope(_event(EVENT_FIELDS[event_type]), event_type)

    def for_segments(self) -> Scope:
        """Names in the condition of a segment or a tag: a customer field, then a signal, then
        history.
        """
        customer = {
            name.removeprefix("customer."): found for name, found in self._customer().items()
        }
        late = _keyed("customer", {**HISTORY, **VALUE_FIELDS})
        names = {**late, **self._signals(), **customer, **self._customer(), **_NOW}
        return self._scope(names)

    def for_rules(self, event_type: str | None) -> Scope:
        """Names in a rule's conditions: an event field, then a signal, then history; elsewhere
        `customer.x`.

        Without an event type the fields of all of them.
        """
        fields = (
            EVENT_FIELDS[event_type]
            if event_type
            else {n: t for one in EVENT_FIELDS.values() for n, t in one.items()}
        )
        standing: Names = {
            "customer.segment": ("customer.segment", Type.TEXT),
            "customer.tags": ("customer.tags", Type.TEXTS),
        }
        history = _keyed("customer", HISTORY)
        names = {**history, **self._signals(), **_event(fields), **self._customer(), **standing}
        return self._scope(names, event_type or "survey.answered")

    def facts(self) -> dict[str, Type]:
        """Every fact a rule may read, by its key, whatever the event; the answers of a survey are
        `event.answers`.
        """
        return {**dict(self.for_rules(None).names.values()), "event.answers": Type.ANY}

    def _scope(self, names: Names, event_type: str | None = None) -> Scope:
        answers = {
            "answers.": ("event.answers.", Type.ANY),
            "event.answers.": ("event.answers.", Type.ANY),
        }
        return Scope(
            names=names,
            open=answers if event_type == "survey.answered" else {},
            lists=self.lists,
            complete=self.complete,
        )

    def _signals(self) -> Names:
        names = _keyed("signal", self.signals)
        return {**names, **{f"signals.{name}": found for name, found in names.items()}}

    def _customer(self) -> Names:
        health = HEALTH_FIELDS if self.has_health else {}
        names = _keyed(
            "customer", {**self.attributes, **CUSTOMER_FIELDS, **HISTORY, **VALUE_FIELDS, **health}
        )
        attributes = {f"customer.attributes.{name}": names[name] for name in self.attributes}
        return {**{f"customer.{name}": found for name, found in names.items()}, **attributes}


_NOW: Names = {"now": ("event.time", Type.TIME)}


def _event(fields: Mapping[str, Type]) -> Names:
    names = _keyed("event", fields)
    return {**_NOW, **names, **{f"event.{name}": found for name, found in names.items()}}


def _keyed(place: str, fields: Mapping[str, Type]) -> Names:
    return {name: (f"{place}.{name}", kind) for name, kind in fields.items()}
