"""Brokers that stop, topics made anew, records deleted before they were read."""

import json
import signal
import time

import pytest

from tests.support.faults import assert_nothing_lost_or_sent_twice
from tests.support.system.events import survey
from tests.support.system.installer import Installer
from tests.support.system.roles import wait_until
from tests.support.system.topics import delete_records, delete_topics, make_topics

pytestmark = pytest.mark.apache_kafka


def test_a_broker_that_stops_and_comes_back_costs_nothing(install: Installer) -> None:
    place = install()
    assert place.broker is not None
    web, consume = place.run("web"), place.run("consume", "deliver")
    place.begun(consume)
    place.wait_for_web(web)
    assert place.http("/readyz")[0] == 200
    events = [place.survey(f"before-{number}") for number in range(20)]
    place.flush()
    place.broker.stop()
    began = time.monotonic()
    status, answer = place.http("/readyz")
    assert (status, list(answer["problems"])) == (503, ["event_log"])
    assert time.monotonic() - began < 5
    assert place.http("/v1/events", survey("refused-at-the-door"))[0] == 503
    late = place.run("consume")  # starts while there is no broker
    place.broker.start()
    began = time.monotonic()
    posted = survey("after-the-door")
    wait_until(lambda: place.http("/v1/events", posted)[0] == 202, 30)
    print(
        f"\nthe door took an event again {time.monotonic() - began:.1f} s after the broker's start"
    )
    events += [str(posted["id"]), *(place.survey(f"after-{number}") for number in range(20))]
    place.flush()
    wait_until(lambda: place.count("event", "customer_key <> 'refused-at-the-door'") >= 41, 60)
    print(f"all was taken in {time.monotonic() - began:.1f} s after the broker's start")
    wait_until(lambda: place.http("/readyz")[0] == 200)
    place.begun(consume, late)
    place.wait_for_sent(41)
    assert_nothing_lost_or_sent_twice(place, events)


def test_a_topic_deleted_and_made_anew_stops_loudly_and_is_mended_by_accepting_it(
    install: Installer,
) -> None:
    place = install()
    assert place.broker is not None
    role = place.run("web", "consume")
    place.begun(role)
    place.wait_for_web(role)
    old = [place.survey(f"old-{number}") for number in range(10)]
    place.flush()
    place.wait_for_events(10)
    delete_topics(place.broker, "surveys")
    make_topics(place.broker, "surveys")
    # More than there were: the consumer's offset exists in the new topic, too, and would not look
    # odd.
    fresh = [place.survey(f"new-{number % 5}") for number in range(30)]
    place.flush()
    wait_until(lambda: place.count("stopped_partition", "topic = 'surveys'") == 2, 60)
    assert place.count("event") == 10, (
        "records of another topic were taken for those of the old one"
    )
    status, answer = place.http("/readyz")
    assert status == 503
    assert "a topic made anew" in str(answer["problems"])
    listed = place.cli("positions", "list").stdout
    assert "a topic made anew" in listed
    assert "alerting positions accept" in listed
    other = place.call("meanwhile")
    place.flush()
    wait_until(lambda: place.one("SELECT 1 FROM event WHERE id = %s", other))
    done = place.cli("positions", "accept", "surveys")
    assert done.returncode == 0, done.stderr
    role.end(signal.SIGTERM)
    again = place.run("web", "consume", "deliver")
    place.wait_for_events(10 + 30 + 1)
    place.wait_for_web(again)
    assert place.http("/readyz")[0] == 200
    assert place.one("SELECT hold_reason FROM instance") is None
    place.wait_for_sent(40)
    assert_nothing_lost_or_sent_twice(place, [*old, *fresh, other])


def test_records_deleted_before_they_were_read_are_a_recorded_gap(install: Installer) -> None:
    place = install()
    assert place.broker is not None
    consume = place.run("consume")
    for _ in range(5):
        place.produce("surveys", json.dumps(survey("gap", 10)).encode(), partition=0)
    place.flush()
    place.wait_for_events(5)
    consume.end(signal.SIGTERM)
    for _ in range(5):
        place.produce("surveys", json.dumps(survey("gap", 10)).encode(), partition=0)
    place.flush()
    delete_records(place.broker, "surveys", 0, before=8)
    place.wait_for_web(place.run("web", "consume"))
    place.wait_for_events(7)
    (gap,) = place.sql("SELECT * FROM position_gap")
    assert (gap["topic"], gap["partition"], gap["expected"], gap["found"]) == ("surveys", 0, 5, 8)
    assert "alerting_log_gaps 1.0" in place.http("/metrics")[1]
