"""What a table of customers may say: its columns, and each row read as a change of one customer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from alerting.domain.conditions import Type
from alerting.domain.facts import WrongType, read_fact
from alerting.domain.payloads import CustomerUpdated
from alerting.domain.written_numbers import Mark, decimal_mark, looks_like_number, read_number

_CONTACT = {
    "contact_name": "name",
    "contact_role": "role",
    "contact_email": "email",
    "contact_phone": "phone",
    "call_from": "call_from",
    "call_to": "call_to",
}
_PLAIN = (
    "name", "parent", "revenue_with_us", "industry", "country", "region", "city", "employees", "lifecycle",
    "renewal_date", "owner", "language", "time_zone",
)  # fmt: skip
_NUMBERS = {"revenue_with_us": Type.NUMBER, "employees": Type.BIGINT}
_NUMERIC = {Type.NUMBER, Type.NUMERIC, Type.BIGINT}
COLUMNS = ("customer_id", *_PLAIN, *_CONTACT)
"""What a table may have beside `attributes.<name>`. Several rows of one customer add contacts."""

_FREE = "attributes."


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the file: its lines, and its cells by column. Empty cells say nothing. `problem`: it cannot be read."""

    line: int
    last_line: int
    cells: Mapping[str, str]
    problem: str | None = None

    @property
    def customer_id(self) -> str:
        return self.cells.get("customer_id", "").strip()

    @property
    def gives_contact(self) -> bool:
        return any(self.cells.get(column, "").strip() for column in _CONTACT)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file of customers, or of people. `decimal_comma`: its cells are separated by semicolons, as where decimals have a comma."""

    name: str
    rows: Sequence[Row]
    decimal_comma: bool = False


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What the heading of a table may hold: the column every row needs, the others by name, and what to tell."""

    key: str
    named: Callable[[str], str | None]
    nearest: Callable[[str], str | None]
    known: str
    advice: str


def column_named(heading: str) -> str | None:
    """The column a heading stands for, None for one nobody knows. `attribute.tier` is `attributes.tier`."""
    heading = heading.replace("attribute.", _FREE, 1) if heading.startswith("attribute.") else heading
    return heading if heading in COLUMNS or (heading.startswith(_FREE) and heading != _FREE) else None


def nearest_column(heading: str) -> str | None:
    """What an unknown heading probably means."""
    text = heading.casefold().replace(" ", "_").replace("-", "_")
    if text.startswith("attribute"):
        return "attributes.<name>"
    part_of = (column for column in COLUMNS if len(text) >= 4 and text in column)  # `phone` is nearer to `owner`
    near = get_close_matches(text, COLUMNS, n=1, cutoff=0.6)
    return next(part_of, near[0] if near else None)


CUSTOMERS = Heading(
    key="customer_id",
    named=column_named,
    nearest=nearest_column,
    known=f"known are {', '.join(COLUMNS)} and attributes.<name>",
    advice="write attributes.<name> for your own, or ",
)


@dataclass(frozen=True, kw_only=True)
class RowReader:
    """Reads the rows of one table: how a column writes its numbers is known from all of it.

    `declared` are the types of rules/attributes.yaml. What is declared nowhere is a number or true/false where all of
    its column is, else text.
    """

    table: Table
    declared: Mapping[str, Type]
    _kinds: dict[str, Type] = field(default_factory=dict)
    _marks: dict[str, Mark | None] = field(default_factory=dict)

    def read(self, row: Row) -> dict[str, Any]:
        """One row as `customer.updated` says it. Raises ValueError that names the column and what to do."""
        if row.problem:
            raise ValueError(row.problem)
        if not row.customer_id:
            raise ValueError("customer_id: is empty")
        given: dict[str, Any] = {}
        contact: dict[str, Any] = {}
        for column, text in row.cells.items():
            value = text.strip()
            if not value:
                continue
            _refuse_control(column, value, row)
            if column in _CONTACT:
                contact[_CONTACT[column]] = value
            elif column.startswith(_FREE):
                given.setdefault("attributes", {})[column.removeprefix(_FREE)] = self._value(column, value)
            else:
                given[column] = self._value(column, value)
        if contact:
            given["contacts"] = [contact]
        return _validated(given)

    def _value(self, column: str, text: str) -> Any:
        if column not in self._kinds:
            self._look_through(column)
        try:
            return _value_of(text, self._kinds[column], self._marks[column])
        except (ValueError, WrongType) as error:
            loose = column.startswith(_FREE) and column.removeprefix(_FREE) not in self.declared
            hint = "; or declare it as text in rules/attributes.yaml" if loose else ""
            raise ValueError(f"{column}: {error}{hint}") from error

    def _look_through(self, column: str) -> None:
        texts = [text for row in self.table.rows if (text := row.cells.get(column, "").strip())]
        kind = self._kinds[column] = self._kind(column, texts)
        known: Mark | None = "," if self.table.decimal_comma else None
        self._marks[column] = decimal_mark(texts, known) if kind in _NUMERIC else None

    def _kind(self, column: str, texts: Sequence[str]) -> Type:
        if not column.startswith(_FREE):
            return _NUMBERS.get(column, Type.TEXT)
        name = column.removeprefix(_FREE)
        if name in self.declared:
            return self.declared[name]
        if all(text.casefold() in {"true", "false"} for text in texts):
            return Type.BOOLEAN
        return Type.NUMBER if all(looks_like_number(text) for text in texts) else Type.TEXT


def _refuse_control(column: str, value: str, row: Row) -> None:
    """A line break in a name is a quote that was left open and closed by the quote of a later row."""
    if "\x00" in value:
        raise ValueError(f"{column}: holds a NUL character; save the file as CSV UTF-8")
    if not column.startswith(_FREE) and ("\n" in value or "\r" in value):
        raise ValueError(
            f"{column}: holds a line break: a quote opened in line {row.line} and closed in line {row.last_line}; "
            "close it where the value ends, the lines between were not read"
        )


def _value_of(text: str, kind: Type, mark: Mark | None) -> Any:
    """A cell as JSON value of its type. Raises ValueError or WrongType."""
    if kind in _NUMERIC:
        number = read_number(text, mark)
        if kind is Type.BIGINT and not isinstance(number, int):
            raise ValueError(f"{text!r} is not a whole number")
        return number
    if kind is Type.BOOLEAN:
        if text.casefold() not in {"true", "false"}:
            raise ValueError(f"{text!r} is not true or false")
        return text.casefold() == "true"
    if kind is Type.TEXTS:
        raise ValueError("is a list of texts, which a table cannot hold; send it as customer.updated")
    if kind in {Type.DATE, Type.TIME}:
        read_fact(text, kind)
    return text


def _validated(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return CustomerUpdated.model_validate(given).changes()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = [str(part) for part in first["loc"] if not isinstance(part, int) and part not in {"int", "float"}]
        column = ".".join(path)
        if path[0] == "contacts":
            column = next(name for name, part in _CONTACT.items() if part == path[-1])
        missing = first["type"] == "missing"
        said = "is empty, and other cells of the contact are not" if missing else first["msg"]
        raise ValueError(f"{column}: {said.removeprefix('Value error, ')}") from error
