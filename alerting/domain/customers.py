"""Customers: dated changes, and the state they add up to at any moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from alerting.domain.conditions import Type

FIELDS: Mapping[str, Type] = {
    "id": Type.TEXT,
    "name": Type.TEXT,
    "parent": Type.TEXT,
    "revenue_with_us": Type.NUMERIC,
    "industry": Type.TEXT,
    "country": Type.TEXT,
    "region": Type.TEXT,
    "city": Type.TEXT,
    "employees": Type.BIGINT,
    "lifecycle": Type.TEXT,
    "renewal_date": Type.DATE,
    "owner": Type.TEXT,
    "language": Type.TEXT,
    "time_zone": Type.TEXT,
}
"""What conditions may read of a customer, by bare name in segments and as `customer.<name>` in rules."""

_MERGED = ("attributes", "contract")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One dated change of a customer, as `customer.updated` gave it; `changes` holds JSON values."""

    valid_from: datetime
    source: str
    event_id: str
    changes: Mapping[str, Any]

    @property
    def order(self) -> tuple[datetime, str, str]:
        return (self.valid_from, self.source, self.event_id)


def apply_change(state: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The state after one change: given fields replace, null clears, `attributes` and `contract` merge by key."""
    after = {**state, **{name: value for name, value in changes.items() if name not in _MERGED}}
    for name in _MERGED:
        given = changes.get(name)
        if name in changes and given is None:
            after[name] = None
        elif given is not None:
            merged = {**(state.get(name) or {}), **given}
            after[name] = {key: value for key, value in merged.items() if value is not None}
    return {name: value for name, value in after.items() if value is not None}


def states_after(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """The state after each of the changes, which must be in their order."""
    states: list[dict[str, Any]] = []
    state: dict[str, Any] = {}
    for change in changes:
        state = apply_change(state, change.changes)
        states.append(state)
    return states


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A customer as known at one moment. `known` is False for a key nobody has told us about."""

    key: str
    known: bool
    state: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What people call the customer; an unknown one goes by its key."""
        if self.key.startswith("respondent:"):
            return "an unknown respondent"
        return str(self.state.get("name") or self.key)

    @property
    def contacts(self) -> list[Mapping[str, Any]]:
        return list(self.state.get("contacts") or ())

    def contact_named(self, name: str | None, email: str | None) -> Mapping[str, Any] | None:
        """The contact who wrote, by address or name; else the first one, who stands for the customer."""
        for contact in self.contacts:
            if email and str(contact.get("email") or "").casefold() == email.casefold():
                return contact
        for contact in self.contacts:
            if name and str(contact["name"]).casefold() == name.casefold():
                return contact
        return self.contacts[0] if self.contacts else None

    def fields(self) -> dict[str, Any]:
        """The customer as conditions see it, by bare name; fractions as Decimal."""
        found: dict[str, Any] = {name: self.state.get(name) for name in FIELDS}
        found["id"] = self.key
        revenue = found["revenue_with_us"]
        found["revenue_with_us"] = Decimal(str(revenue)) if isinstance(revenue, float) else revenue
        renewal = found["renewal_date"]
        found["renewal_date"] = None if renewal is None else date.fromisoformat(renewal)
        return found
