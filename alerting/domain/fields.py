"""Members of JSON objects, read by the type they must have."""

from collections.abc import Iterator, Mapping
from datetime import datetime


class Fields(Mapping[str, object]):
    """A JSON object. Each reader raises KeyError where the member is missing and TypeError where it
    is of another type.
    """

    def __init__(self, said: Mapping[str, object]) -> None:
        self._said = said

    def __getitem__(self, name: str) -> object:
        return self._said[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)

    def __len__(self) -> int:
        return len(self._said)

    def text(self, name: str) -> str:
        value = self._said[name]
        if not isinstance(value, str):
            raise TypeError(f"{name} is {value!r}, not a text")
        return value

    def text_or_none(self, name: str) -> str | None:
        """None where the member is missing or null."""
        return None if self._said.get(name) is None else self.text(name)

    def number(self, name: str) -> int:
        value = self._said[name]
        if not isinstance(value, int):
            raise TypeError(f"{name} is {value!r}, not a whole number")
        return value

    def instant(self, name: str) -> datetime:
        """A moment in ISO 8601."""
        return datetime.fromisoformat(self.text(name))

    def texts(self, name: str) -> list[str]:
        """A list of texts; none where the member is missing or null."""
        value = self._said.get(name)
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"{name} is {value!r}, not a list")
        return [str(one) for one in value]

    def object(self, name: str) -> "Fields":
        """An object; an empty one where the member is missing or null."""
        value = self._said.get(name)
        if value is None:
            return Fields({})
        if not isinstance(value, Mapping):
            raise TypeError(f"{name} is {value!r}, not an object")
        return Fields(value)

    def objects(self, name: str) -> list["Fields"]:
        """A list of objects; none where the member is missing or null."""
        value = self._said.get(name)
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"{name} is {value!r}, not a list")
        return [Fields(one) for one in value]
