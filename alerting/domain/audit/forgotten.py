"""What is left of a customer who is forgotten: figures, and what says nothing about a person."""

from collections.abc import Iterable, Mapping

from alerting.domain.fields import Fields

KEPT: Mapping[str, frozenset[str]] = {
    "survey.answered": frozenset(
        {"survey_id", "metric", "scale", "score", "language", "contact_me"}
    ),
    "interaction.recorded": frozenset(
        {"channel", "direction", "outcome", "office", "duration_seconds"}
    ),
    "customer.updated": frozenset(
        {
            "parent",
            "revenue_with_us",
            "industry",
            "country",
            "region",
            "employees",
            "lifecycle",
            "renewal_date",
            "owner",
        }
    ),
    "purchase.recorded": frozenset({"amount", "currency"}),
}
"""Fields of a payload that stay, by event type; what is not here loses all of them but the
customer's key.
"""

_HARMLESS = frozenset(
    {"sentiment", "metric", "channel", "direction", "outcome", "type", "survey_id"}
)
NOBODY = {"email": "forgotten@forgotten.invalid"}
"""The address of whoever was forgotten and known by an address alone."""


def forgotten_payload(
    event_type: str, customer_key: str, payload: Mapping[str, object], unnamed: bool
) -> dict[str, object]:
    """The payload without anything personal; it can still be read. `unnamed`: the customer was
    known by an address alone.
    """
    if event_type in {"silence", "segment.changed"}:
        return dict(payload)
    kept = {name: value for name, value in payload.items() if name in KEPT.get(event_type, ())}
    if event_type in {
        "survey.answered",
        "interaction.recorded",
    }:  # pages and mails read what is there and empty
        empty: dict[str, object] = {name: {} if name == "answers" else None for name in payload}
        kept = {**empty, **kept}
    return {**kept, "respondent": NOBODY} if unnamed else {**kept, "customer_id": customer_key}


def forgotten_state(state: Mapping[str, object]) -> dict[str, object]:
    """A customer's fields, or a change of them, without names, contacts and free attributes."""
    return {name: value for name, value in state.items() if name in KEPT["customer.updated"]}


def forgotten_reads(because: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
    """What made conditions true, without texts that may be the customer's own."""
    return [{**one, "reads": _without_texts(Fields(one).object("reads"))} for one in because]


def _without_texts(reads: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value
        for name, value in reads.items()
        if not isinstance(value, str) or _is_harmless(name)
    }


def _is_harmless(name: str) -> bool:
    return name in _HARMLESS or name in {"customer.segment", "customer.rfm", "customer.rfm_group"}
