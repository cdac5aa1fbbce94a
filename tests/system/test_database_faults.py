"""Two consumers at once, and databases that go away or are restored."""

import json
import signal
import time

import pytest

from tests.support.faults import assert_nothing_lost_or_sent_twice
from tests.support.services.postgres import PostgresServer
from tests.support.system.events import call, survey
from tests.support.system.installer import Installer, copy_database
from tests.support.system.roles import Role, wait_until

pytestmark = pytest.mark.apache_kafka


def test_two_consumers_meeting_the_same_customers_from_two_topics_open_one_case_each(
    install: Installer,
) -> None:
    place = install()
    one, other = place.run("consume"), place.run("consume")
    place.begun(one, other)
    customers = [f"both-{number}" for number in range(40)]
    for customer in customers:
        place.customer(customer, revenue_with_us=400_000)
    place.flush()
    place.wait_for_events(40)
    for _ in range(4):
        for customer in customers:
            # Each consumer has one partition of each topic: so these two events are with different
            # processes.
            place.produce("surveys", json.dumps(survey(customer)).encode(), partition=0)
            place.produce("interactions", json.dumps(call(customer)).encode(), partition=1)
    place.flush()
    place.wait_for_events(40 + 320, 60)
    cases = place.sql("SELECT customer_key, count(*) AS n FROM case_file GROUP BY 1")
    assert {row["customer_key"]: row["n"] for row in cases} == dict.fromkeys(customers, 1)
    assert (
        place.count("alert") == 4 * 40 + 2 * 40
    )  # each survey, and the third and the fourth call in vain
    assert place.count("alert", "case_id IS NULL") == 0
    assert place.count("dead_letter") == 0
    for role in (one, other):
        assert any(line["alerts"] for line in role.said("batch taken")), (
            "one process had all of them"
        )
        assert [line for line in role.lines if "deadlock" in str(line)] == []


def test_a_consumer_frozen_while_the_database_is_down_harms_nothing_when_both_are_back(
    install: Installer, postgres_server: PostgresServer
) -> None:
    """The other one is given its partitions when it cannot store where they begin; then the first
    one wakes up.
    """
    place = install()
    frozen, other = place.run("consume"), place.run("consume")
    place.begun(frozen, other)
    mine = partitions_only_of(frozen, other)
    events = [place.survey(f"frozen-{number}") for number in range(20)]
    frozen.pause()
    postgres_server.stop()
    events += [place.survey(f"frozen-{number}") for number in range(20)]
    place.flush()
    wait_until(lambda: "waiting for a service" in str(other.lines), 20)
    time.sleep(7)  # Kafka's session of the frozen one runs out
    postgres_server.start()
    place.wait_for_events(40)
    assert mine <= {str(line["partition"]) for line in other.said("partition begun")}
    frozen.resume()
    events += [place.survey(f"frozen-{number}") for number in range(20)]
    place.flush()
    place.wait_for_events(60)
    place.run("deliver")
    place.wait_for_sent(60)
    assert_nothing_lost_or_sent_twice(place, events)


def partitions_only_of(one: Role, other: Role) -> set[str]:
    last: dict[str, tuple[str, str]] = {}
    for name, role in (("one", one), ("other", other)):
        for line in role.said("partition begun"):
            last[line["partition"]] = max(
                last.get(line["partition"], ("", "")), (line["time"], name)
            )
    return {partition for partition, (_, name) in last.items() if name == "one"}


def test_a_database_restored_to_an_older_state_holds_all_sending_until_released(
    install: Installer,
) -> None:
    """Under a running consumer, which has seen more than the database now knows. After a start it
    is the same.
    """
    place = install()
    first = place.run("consume", "deliver")
    place.survey("restored-1")
    place.flush()
    place.wait_for_sent(1)
    first.end(signal.SIGTERM)
    backup = copy_database(place.database)
    place.run("consume", "deliver")
    place.survey("restored-2")
    place.flush()
    place.wait_for_sent(2)
    copy_database(backup, place.database)
    place.produce("surveys", json.dumps(survey("restored-3")).encode(), "restored-2")
    place.flush()
    place.wait_for_events(3)
    assert "restored: surveys/" in str(place.one("SELECT hold_reason FROM instance"))
    assert place.one("SELECT actor FROM audit_entry WHERE action = 'sending.held'") == "intake"
    time.sleep(1)
    assert place.count("notification", "status = 'pending'") == 2
    assert len(place.smtp.messages) == 2
    assert place.cli("hold", "release").returncode == 0
    place.wait_for_sent(3)
    assert len(place.smtp.messages) == 4, (
        "what the restored database does not know comes once more; hence the hold"
    )
