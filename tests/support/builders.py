"""Small builders of real values: an event, a customer, an alert, a rulebook made of the starter
files with changes.
"""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hypothesis import HealthCheck, settings

from alerting.adapters.rulebook.people_file import read_people
from alerting.adapters.rulebook.rule_files import read_files
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.domain.customers.customers import Customer
from alerting.domain.customers.signals import Order, Point, Signal, values_at
from alerting.domain.errors import Problem, RulebookInvalid
from alerting.domain.intake.events import Event, parse_event
from alerting.domain.people.people import Party
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rulebook

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 6, 8, 30, tzinfo=UTC)
"""A Friday morning. No test depends on today's date."""

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For machines with other things to do; what is slow is not wrong."""


LONG = int(os.environ.get("ALERTING_TEST_LONG", "1"))
"""How many times as many examples the comparisons with PostgreSQL try; `make test-long` sets it."""


def hours(number: float) -> datetime:
    """That many hours after NOW."""
    return NOW + timedelta(hours=number)


def envelope(type_: str = "survey.answered", **changes: Any) -> dict[str, Any]:
    """A structured CloudEvent; `...` as a value leaves an attribute out."""
    data = {
        "survey.answered": {
            "customer_id": "ACME",
            "survey_id": "relationship",
            "metric": "nps",
            "score": 2,
        },
        "interaction.recorded": {"customer_id": "ACME", "channel": "phone", "direction": "inbound"},
    }.get(type_, {"customer_id": "ACME"})
    whole = {
        "specversion": "1.0",
        "id": "1",
        "source": "/test",
        "type": type_,
        "time": "2026-03-06T08:00:00Z",
        "data": data,
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not ...}


def read(given: Mapping[str, Any] | bytes, received_at: datetime = NOW) -> Event:
    """An event as the log hands it over, read."""
    return parse_event(
        given if isinstance(given, bytes) else json.dumps(given).encode(), {}, received_at
    )


def event(
    type_: str = "survey.answered",
    *,
    at: datetime = NOW,
    id_: str = "1",
    source: str = "/test",
    **data: Any,
) -> Event:
    """An event by its type and what its data says beside the ordinary; `...` leaves a field out."""
    ordinary = envelope(type_)["data"]
    said = {name: value for name, value in {**ordinary, **data}.items() if value is not ...}
    return read(
        envelope(type_, time=at.isoformat(), id=id_, source=source, data=said), max(at, NOW)
    )


def call(outcome: str | None = "unresolved", **changes: Any) -> Event:
    """Somebody calls us."""
    return event("interaction.recorded", outcome=outcome, **changes)


def customer(key: str = "ACME", **state: Any) -> Customer:
    return Customer(key=key, known=True, state=state)


STRANGER = Customer(key="NEVER-HEARD-OF", known=False, state={})


def party(id_: str, **fields: Any) -> Party:
    return Party(**{"id": id_, "name": id_.title(), "email": f"{id_}@example.com", **fields})


def staff(*parties: Party) -> Staff:
    return Staff(parties={p.id: p for p in parties})


@cache
def starter_files() -> Mapping[str, str]:
    """rules/ and templates/ as they are in this repository; kept, and so nothing to write into."""
    return MappingProxyType(read_files(ROOT / "rules", ROOT / "templates"))


@cache
def starter_people() -> Mapping[str, Party]:
    return read_people(ROOT / "rules" / "people.yaml")


def changed(**edits: tuple[str, str]) -> dict[str, str]:
    """The starter files with one replacement each: `sla=("within: 24h", "within: 8h")` for
    rules/sla.yaml.
    """
    files = dict(starter_files())
    for name, (old, new) in edits.items():
        path = next(p for p in files if p.endswith(f"/{name}.yaml"))
        assert old in files[path], f"{path} does not say {old!r}"
        files[path] = files[path].replace(old, new, 1)
    return files


def value_at(signal: Signal, moment: Order, points: Iterable[Point]) -> Any:
    """One signal by itself."""
    return values_at({"it": signal}, moment, points)["it"]


def rulebook(files: Mapping[str, str] | None = None) -> Rulebook:
    return build_rulebook(files or starter_files(), starter_people())


def problems_of(
    files: Mapping[str, str], people: Mapping[str, Party] | None = None
) -> list[Problem]:
    """Why these files make no rulebook; an empty list if they do."""
    try:
        build_rulebook(files, people or starter_people())
    except RulebookInvalid as refused:
        return refused.problems
    return []
