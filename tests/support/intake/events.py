"""None"""

import json
from typing import Any

import pytest

from alerting.domain.errors import UnreadableEvent
from alerting.domain.intake.events import parse_event
from tests.support.builders import NOW


def refused(
    given: dict[str, Any] | bytes | None, headers: dict[str, bytes] | None = None
) -> UnreadableEvent:
    value = json.dumps(given).encode() if isinstance(given, dict) else given
    with pytest.raises(UnreadableEvent) as caught:
        parse_event(value, headers or {}, NOW)
    return caught.value
