"""What a change would make of a customer: field by field, before and after."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alerting.domain.customers.customers import apply_change
from alerting.domain.fields import Fields

_NESTED = ("attributes", "contract")


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """One field; None where there is no value."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, kw_only=True)
class CustomerDiff:
    """One customer of a file; `new` where nothing was known of it. Without `fields` nothing
    changes.
    """

    customer_id: str
    name: str
    line: int
    new: bool
    fields: tuple[FieldChange, ...]

    @property
    def kind(self) -> str:
        if self.new:
            return "new"
        return "changed" if self.fields else "unchanged"


def field_changes(
    before: Mapping[str, object], changes: Mapping[str, object]
) -> tuple[FieldChange, ...]:
    """The fields a change moves, in their order; `attributes` and `contract` key by key, a contact
    whole.
    """
    after = apply_change(before, changes)
    if after == before:
        return ()
    old, new = dict(_flat(before)), dict(_flat(after))
    names = dict.fromkeys([*old, *new])
    return tuple(
        FieldChange(field=name, before=old.get(name), after=new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )


def _flat(state: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    said = Fields(state)
    for name, value in state.items():
        if name in _NESTED:
            yield from ((f"{name}.{key}", item) for key, item in said.object(name).items())
        elif name == "contacts":
            contacts = enumerate(said.objects(name), 1)
            yield from ((f"contact {number}", _contact(one)) for number, one in contacts)
        else:
            yield name, value


def _contact(contact: Mapping[str, object]) -> dict[str, object]:
    """Without the parts nobody gave."""
    return {name: value for name, value in contact.items() if value is not None}
