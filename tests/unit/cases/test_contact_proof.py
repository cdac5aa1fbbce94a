"""What proves a contact: the phone system's record, another system's event, or somebody's own
word.
"""

from datetime import timedelta
from typing import Any

import pytest

from alerting.domain.cases.contact_proof import Logged, proof_of
from tests.support.builders import NOW


def logged(minutes: float = 0, **more: Any) -> Logged:
    given: dict[str, Any] = {
        "source": "/pbx",
        "id": f"call{minutes:+g}",
        "channel": "phone",
        "duration_seconds": 240,
    }
    return Logged(time=NOW + timedelta(minutes=minutes), **{**given, **more})


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], "own word, 3 h later"),
        ([logged(-12)], "phone log: event call-12 of /pbx"),
        ([logged(20), logged(-12)], "phone log: event call-12 of /pbx"),
        (
            [logged(1, duration_seconds=None, source="/crm"), logged(-22)],
            "phone log: event call-22 of /pbx",
        ),
        ([logged(1, duration_seconds=None, source="/crm")], "CRM event: event call+1 of /crm"),
        ([logged(31)], "own word, 3 h later"),
        ([logged(0, channel="email")], "own word, 3 h later"),
        ([logged(0, outcome="voicemail"), logged(2, outcome="abandoned")], "own word, 3 h later"),
        ([logged(0, outcome="resolved")], "phone log: event call+0 of /pbx"),
        ([logged(0, duration_seconds=0)], "own word, 3 h later"),
        ([logged(-25)], "phone log: event call-25 of /pbx"),
        ([logged(-25, duration_seconds=60)], "own word, 3 h later"),
    ],
)
def test_the_best_event_near_the_recorded_time_proves_a_contact(
    events: list[Logged], words: str
) -> None:
    since = NOW - timedelta(minutes=23)
    assert proof_of("phone", NOW, NOW + timedelta(hours=3), events, since).words == words


def test_what_was_recorded_at_once_is_said_plainly() -> None:
    assert proof_of("phone", NOW, NOW + timedelta(seconds=90), []).words == "own word"
