"""Customers: dated changes, and the state they add up to at any moment."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import MappingProxyType

from alerting.domain.conditions import Type
from alerting.domain.conditions.facts import fact_or_none, read_facts
from alerting.domain.customers.vocabulary import CUSTOMER_FIELDS
from alerting.domain.fields import Fields

NO_ATTRIBUTES: Mapping[str, Type] = MappingProxyType({})

_FACTS = {name: (f"customer.{name}", kind) for name, kind in CUSTOMER_FIELDS.items()}
_NOTHING = dict.fromkeys(key for key, _ in _FACTS.values())

_MERGED = ("attributes", "contract")


@dataclass(frozen=True, kw_only=True)
class CustomerChange:
    """One dated change of a customer, as `customer.updated` gave it; `changes` holds JSON
    values.
    """

    valid_from: datetime
    source: str
    event_id: str
    changes: Mapping[str, object]

    @property
    def order(self) -> tuple[datetime, str, str]:
        return (self.valid_from, self.source, self.event_id)


def apply_change(state: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """The state after one change: given fields replace, null clears, `attributes` and `contract`
    merge by key.
    """
    after = {**state, **changes}
    for name in _MERGED:
        given = changes.get(name)
        if given is not None:
            merged = {**_object(state, name), **_object(changes, name)}
            after[name] = {key: value for key, value in merged.items() if value is not None}
    return {name: value for name, value in after.items() if value is not None}


def _object(state: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = state.get(name)
    return found if isinstance(found, Mapping) else {}


def states_after(changes: Iterable[CustomerChange]) -> list[dict[str, object]]:
    """The state after each of the changes, which must be in their order."""
    states: list[dict[str, object]] = []
    state: dict[str, object] = {}
    for change in changes:
        state = apply_change(state, change.changes)
        states.append(state)
    return states


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A customer as known at one moment. `known` is False for a key nobody has told us about."""

    key: str
    known: bool
    state: Mapping[str, object]
    _facts: dict[int, tuple[Mapping[str, Type], Mapping[str, object]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def name(self) -> str:
        """What people call the customer; an unknown one goes by its key."""
        if self.key.startswith("respondent:"):
            return "an unknown respondent"
        return str(self.state.get("name") or self.key)

    @property
    def owner(self) -> str | None:
        """Who the account belongs to: an id or a mail address."""
        return Fields(self.state).text_or_none("owner")

    @property
    def contract(self) -> Mapping[str, object]:
        """The lengths its contract promises, by clock, and their calendar."""
        return _object(self.state, "contract")

    @property
    def territory(self) -> str:
        """Country and region, as reports sort by it: "DE / BE"; "unknown" without either."""
        return (
            " / ".join(
                str(self.state[name]) for name in ("country", "region") if self.state.get(name)
            )
            or "unknown"
        )

    @property
    def contacts(self) -> list[Mapping[str, object]]:
        return list(Fields(self.state).objects("contacts"))

    def contact_named(self, name: str | None, email: str | None) -> Mapping[str, object] | None:
        """The contact who wrote, by address or name; else the first one, who stands for the
        customer.
        """
        for contact in self.contacts:
            if email and str(contact.get("email") or "").casefold() == email.casefold():
                return contact
        for contact in self.contacts:
            if name and str(contact["name"]).casefold() == name.casefold():
                return contact
        return self.contacts[0] if self.contacts else None

    def fields(self, attributes: Mapping[str, Type] = NO_ATTRIBUTES) -> dict[str, object]:
        """The customer as conditions see it, by bare name; free attributes with their declared
        types.
        """
        return {
            key.removeprefix("customer."): value for key, value in self.facts(attributes).items()
        }

    def facts(self, attributes: Mapping[str, Type] = NO_ATTRIBUTES) -> Mapping[str, object]:
        """The same by the keys conditions use; kept, because a customer is asked for them by every
        event.
        """
        found = self._facts.get(id(attributes))
        if found is None or found[0] is not attributes:
            free = read_facts(_object(self.state, "attributes"), attributes) if attributes else {}
            facts = {**{f"customer.{name}": value for name, value in free.items()}, **_NOTHING}
            for name in self.state.keys() & _FACTS.keys():
                key, kind = _FACTS[name]
                facts[key] = fact_or_none(self.state[name], kind)
            facts["customer.id"] = self.key
            found = (attributes, facts)
            self._facts[id(attributes)] = found
        return found[1]


@dataclass(frozen=True, kw_only=True)
class History:
    """A customer's versions, oldest first: each change with the state after it."""

    key: str
    versions: Sequence[tuple[CustomerChange, Mapping[str, object]]]

    @property
    def parents(self) -> set[str]:
        """Every group it was ever part of."""
        return {str(state["parent"]) for _, state in self.versions if state.get("parent")}

    @property
    def known_since(self) -> datetime | None:
        return self.versions[0][0].valid_from if self.versions else None

    def begins_with(self, source: str, event_id: str) -> bool:
        """Whether this event is the first we know of the customer."""
        first = self.versions[0][0] if self.versions else None
        return first is not None and (first.source, first.event_id) == (source, event_id)

    @property
    def newest(self) -> Customer:
        """The customer by its newest version."""
        return (
            self._customers[-1] if self.versions else Customer(key=self.key, known=False, state={})
        )

    def as_of(self, moment: datetime) -> Customer:
        """The customer as it was. What we first heard of it also counts for the time before: we
        know nothing else.
        """
        if not self.versions:
            return Customer(key=self.key, known=False, state={})
        if len(self.versions) == 1:
            return self._customers[0]
        return self._customers[max(bisect_right(self._times, moment) - 1, 0)]

    @cached_property
    def _times(self) -> list[datetime]:
        return [change.valid_from for change, _ in self.versions]

    @cached_property
    def _customers(self) -> list[Customer]:
        """One for each version: its facts are read once, however many events they are asked for."""
        return [Customer(key=self.key, known=True, state=state) for _, state in self.versions]
