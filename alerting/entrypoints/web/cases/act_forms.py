"""Forms and bodies that act on a case, read as one of the acts of `services/cases/acts.py`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from alerting.domain.errors import ActionRefused
from alerting.services.cases.acts import Act

MAX_TEXT = 5_000
_MOMENTS = ("happened_at", "until", "becomes")
_ACTS: TypeAdapter[Act] = TypeAdapter(Act)
FIELDS = (
    "act", "by", "take_over", "channel", "outcome", "happened_at", "note", "to", "duty", "reason",
    "waiting_for", "until", "root_cause", "action", "corrective_action", "text", "effective",
    "what", "call", "cycle", "becomes", "correction", "approve", "revision",
)  # fmt: skip
"""All that a form may send; anything else is passed over."""


async def form_fields(request: Request) -> dict[str, str]:
    """What a form has sent, empty where it was silent. PostgreSQL takes no NUL in a text; the rest
    of it is kept.
    """
    form = await request.form()
    found = {name: form.get(name, "") for name in FIELDS}
    return {
        name: _kept(value)[:MAX_TEXT] if isinstance(value, str) else ""
        for name, value in found.items()
    }


def _kept(text: str) -> str:
    return text.replace("\x00", "\ufffd")


def read_act(given: Mapping[str, str], zone: ZoneInfo) -> Act:
    """The act a form asks for; its times are wall-clock times of `zone` unless they say otherwise.
    Raises ActionRefused.
    """
    texts = {name: text.strip() for name, text in given.items() if text.strip()}
    moments = {name: _moment(texts[name], zone) for name in _MOMENTS if name in texts}
    said: dict[str, object] = {**texts, **moments}
    try:
        return _ACTS.validate_python({"act": said.get("act"), **_wanted(said)})
    except ValidationError as error:
        raise ActionRefused(refusal(error)) from error


def _wanted(said: Mapping[str, object]) -> dict[str, object]:
    """The fields of the act that is asked for: a form sends others along."""
    known = next((k for k in _KINDS if k.model_fields["act"].default == said.get("act")), None)
    return (
        {}
        if known is None
        else {name: value for name, value in said.items() if name in known.model_fields}
    )


def refusal(error: ValidationError) -> str:
    """The first mistake in words: which field, and what is wrong with it."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if part not in _NAMES]
    what = (
        "is missing" if first["type"] == "missing" else first["msg"][:1].lower() + first["msg"][1:]
    )
    if not place:
        return f"act is one of {', '.join(sorted(_NAMES))}"
    return f"{'.'.join(place)} {what}" if what == "is missing" else f"{'.'.join(place)}: {what}"


def _moment(text: str, zone: ZoneInfo) -> datetime:
    """A time as the browser's field gives it."""
    try:
        local = datetime.fromisoformat(text)
        return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    except (
        ValueError,
        OverflowError,
    ) as error:  # the first and the last day of all have no UTC in every zone
        raise ActionRefused(f"{text!r} is not a time; write it as 2026-03-06T14:30") from error


_KINDS = tuple(Act.__args__[0].__args__)
_NAMES = {kind.model_fields["act"].default for kind in _KINDS}
