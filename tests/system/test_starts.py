"""`alerting run` as a process: what stops the start."""

import socket
from pathlib import Path

from alerting.database.intake import positions
from alerting.services.intake.event_log import NewRecord
from tests.support.installation import Run
from tests.support.world import World


def test_a_port_that_is_taken_stops_the_start_before_anything_is_consumed(
    process: Run, own_world: World, installation: Path
) -> None:
    own_world.app.event_log.append([NewRecord(topic="surveys", key="k", value=b"{")])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = process("run", ALERTING_LISTEN=address)
    assert done.returncode == 2
    assert f"ALERTING_LISTEN: nobody can listen on {address}" in done.stderr
    with own_world.app.ctx.db.read() as tx:
        assert positions.all_positions(tx) == {}


def test_a_rulebook_with_errors_stops_the_start_with_all_of_them(
    process: Run, installation: Path
) -> None:
    rules = installation / "rules"
    (rules / "sla.yaml").write_text(
        (rules / "sla.yaml").read_text().replace("within: 4h", "within: 4 hours", 1)
    )
    (rules / "routing.yaml").write_text(
        (rules / "routing.yaml").read_text().replace("person: vp_sales", "person: vp_sale")
    )
    done = process("run")
    assert done.returncode == 1
    assert "rules/sla.yaml:7:" in done.stderr
    assert "rules/routing.yaml:4:" in done.stderr
    assert "did you mean 'vp_sales'?" in done.stderr


def test_running_needs_a_database_that_is_no_demos_and_up_to_date(
    process: Run, installation: Path
) -> None:
    early = process("run", "deliver", ALERTING_SMTP_HOST="127.0.0.1")
    assert early.returncode == 2
    assert "alerting migrate" in early.stderr
    demo = process("demo", "--exit")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    for role in ("all", "consume"):
        refused = process("run", role, ALERTING_DATA="demo-data")
        assert refused.returncode == 2
        assert "alerting demo" in refused.stderr
    (installation / "precious").mkdir()
    (installation / "precious" / "file").write_text("mine")
    assert process("demo", "--exit", "--data", "precious").returncode == 2
    assert (installation / "precious" / "file").read_text() == "mine"
