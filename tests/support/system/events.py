"""Events that happen when the log takes them."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def envelope(kind: str, data: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Without `time`: it happened when the log took it, so no test depends on a date."""
    return {
        "specversion": "1.0",
        "type": kind,
        "source": "/fault-tests",
        "id": uuid.uuid4().hex,
        "data": data,
        **more,
    }


def survey(customer: str, score: int = 2, **more: Any) -> dict[str, Any]:
    parts = {name: more.pop(name) for name in ("id", "source", "time") if name in more}
    data = {
        "customer_id": customer,
        "survey_id": "relationship",
        "metric": "nps",
        "score": score,
        **more,
    }
    return envelope("survey.answered", data, **parts)


def call(customer: str, outcome: str = "unresolved", **more: Any) -> dict[str, Any]:
    parts = {name: more.pop(name) for name in ("id", "source", "time") if name in more}
    data = {
        "customer_id": customer,
        "channel": "phone",
        "direction": "inbound",
        "outcome": outcome,
        **more,
    }
    # A phone system knows when a call was: three of one millisecond, in two batches, would be told
    # apart by their ids.
    return envelope(
        "interaction.recorded", data, **{"time": datetime.now(UTC).isoformat(), **parts}
    )
