"""What proves a contact: the phone system's record, another system's event, or somebody's own
word.
"""

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from alerting.bootstrap import web_parts
from alerting.domain.cases.contact_proof import Logged, proof_of
from alerting.entrypoints.web.app import create_app
from alerting.services.cases.case_view import case_view
from alerting.services.cases.timeline import StoryLine, timeline
from tests.support.builders import NOW
from tests.support.world import World


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


def contact(world: World) -> StoryLine:
    with world.app.ctx.db.read() as tx:
        case_id = world.case("ACME-AERO").id
        assert case_id is not None
        view = case_view(tx, world.app.ctx.shelf.active(tx), case_id)
        (found,) = [moment for moment in timeline(tx, view) if moment.kind == "contact"]
    return found


def test_a_call_of_the_phone_system_attaches_itself_whenever_it_arrives(world: World) -> None:
    world.known_customers()
    world.take(world.survey("ACME-AERO"))
    world.pass_time(hours=2)
    world.reached("ACME-AERO", "vp_sales", minutes_ago=45)
    assert contact(world).proof == "own word, 45 min later"
    at = (world.now() - timedelta(minutes=50)).isoformat()
    inbound = world.call("ACME-AERO", outcome="resolved", time=at, id="in", duration_seconds=60)
    outbound = world.call(
        "ACME-AERO",
        outcome=None,
        direction="outbound",
        time=at,
        id="out",
        source="/pbx",
        duration_seconds=310,
    )
    world.take(inbound, outbound)
    assert contact(world).proof == "phone log: event out of /pbx"
    with TestClient(create_app(web_parts(world.app))) as client:
        client.post("/login", data={"token": "test-admin-token-0123"})
        page = client.get(f"/cases/{world.case('ACME-AERO').id}").text
    assert "phone log: event out of /pbx" in page
