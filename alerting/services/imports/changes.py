"""Parts of what `customer.updated` says, where it is written as JSON."""

from collections.abc import Mapping


def attributes_of(changes: Mapping[str, object]) -> dict[str, object]:
    """The free attributes by name; empty where none are given."""
    found = changes.get("attributes")
    return dict(found) if isinstance(found, Mapping) else {}


def contacts_of(changes: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The contacts, each by its fields; empty where none are given."""
    found = changes.get("contacts")
    if not isinstance(found, (list, tuple)):
        return []
    return [one for one in found if isinstance(one, Mapping)]
