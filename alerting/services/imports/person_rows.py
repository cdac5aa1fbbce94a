"""What a table of people may say: its columns, and each row read as a change of one person, office
or team.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import ValidationError

from alerting.domain.intake.payloads import PersonUpdated

_PLAIN = (
    "kind", "name", "email", "phone", "title", "manager", "substitute", "office", "locale",
    "time_zone", "quiet_hours", "calendar", "digest", "turn", "begins",
)  # fmt: skip
_ABSENCE = {"absent_from": "from", "absent_to": "to", "absent_substitute": "substitute"}
COLUMNS = ("person_id", "active", *_PLAIN, "members", *_ABSENCE)
"""What a table may have. Several rows of one person add absences."""

_YES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


KEY, KNOWN = "person_id", f"known are {', '.join(COLUMNS)}"
"""The column every row needs, and all there are, in words."""


@dataclass(frozen=True, kw_only=True)
class PersonRow:
    """One row of the file: its first line, and what its cells say by column. `problem`: it cannot
    be read.
    """

    line: int
    cells: Mapping[str, str]
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class PersonTable:
    """A file of people, held in memory: such a list is short."""

    name: str
    rows: Sequence[PersonRow]


def column_named(heading: str) -> str | None:
    """The column a heading names; None where it names none."""
    heading = heading.casefold()
    if heading == "id":
        return KEY
    return heading if heading in COLUMNS else None


def nearest_column(heading: str) -> str | None:
    """The column a misspelt heading may mean; None where none is near."""
    text = heading.casefold().replace(" ", "_").replace("-", "_")
    return next(iter(get_close_matches(text, COLUMNS, n=1, cutoff=0.6)), None)


def read_row(row: PersonRow) -> dict[str, object]:
    """One row as `person.updated` says it. Raises ValueError that names the column and what to
    do.
    """
    if row.problem:
        raise ValueError(row.problem)
    said = row.cells
    given: dict[str, object] = {name: text for name, text in said.items() if name in _PLAIN}
    given["person_id"] = said.get("person_id", "")
    if not given["person_id"]:
        raise ValueError("person_id: is empty")
    if "active" in said:
        if said["active"].casefold() not in _YES:
            raise ValueError(f"active: {said['active']!r} is not true or false")
        given["active"] = _YES[said["active"].casefold()]
    for column in ("manager", "substitute"):
        if said.get(column) == given["person_id"]:
            raise ValueError(
                f"{column}: {said[column]!r} cannot be their own {column}; leave the cell empty"
            )
    if "members" in said:
        given["members"] = said["members"].replace(",", " ").replace(";", " ").split()
    absence = {part: said[column] for column, part in _ABSENCE.items() if column in said}
    if absence:
        given["absences"] = [absence]
    return _validated(given)


def _validated(given: Mapping[str, object]) -> dict[str, object]:
    try:
        return PersonUpdated.model_validate(given).changes()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = [str(part) for part in first["loc"] if not isinstance(part, int)]
        column = next(
            (name for name, part in _ABSENCE.items() if path[0] == "absences" and part == path[-1]),
            path[0],
        )
        said = (
            "is empty" if first["type"] == "missing" else first["msg"].removeprefix("Value error, ")
        )
        if first["type"] == "string_pattern_mismatch":
            said = (
                f"{first['input']!r} is no id: small letters, digits, - _ and . only, a letter "
                "or digit first"
            )
        raise ValueError(f"{column}: {said}") from error
