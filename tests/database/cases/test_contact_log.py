"""The phone system's record attaches itself to the call it proves."""

from datetime import timedelta

from starlette.testclient import TestClient

from alerting.bootstrap import web_parts
from alerting.entrypoints.web.app import create_app
from alerting.services.cases.case_view import case_view
from alerting.services.cases.timeline import StoryLine, timeline
from tests.support.world import World


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
