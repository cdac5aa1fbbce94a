"""The heading of a table of customers: which row it is, which column is which field, and what is
left out.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from alerting.domain.errors import ActionRefused
from alerting.domain.imports.customer_fields import (
    FIELDS,
    FREE,
    Match,
    match_heading,
    may_be_id,
    nearest_field,
)
from alerting.domain.imports.written_money import ONE
from alerting.services.imports.customer_table import Column, NoColumns
from alerting.services.imports.import_mapping import NO_MAPPING, ImportMapping

KNOWN = f"known are {', '.join(FIELDS)} and attributes.<name>"
SEARCHED = 40
"""Rows at the top of a file among which its heading is looked for."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which cells of a row are read (positions from 0), as what, and what to say about the others.

    `width` is how many columns have a heading, at all of `named`.
    """

    at: Sequence[int]
    columns: Sequence[Column]
    named: frozenset[int]
    width: int
    notices: Sequence[str]


def find_heading(rows: Sequence[Sequence[str]], mapping: ImportMapping = NO_MAPPING) -> int | None:
    """Which row is the heading: the one most of whose cells we know. None where none names
    customers.
    """
    best, most = None, 0
    for number, cells in enumerate(rows):
        known = [
            found.field
            for found in _matches([_tidy(cell) for cell in cells], mapping)
            if found is not None
        ]
        if ("customer_id" in known or ("name" in known and len(set(known)) > 1)) and len(
            set(known)
        ) > most:
            best, most = number, len(set(known))
    return best


def take_heading(cells: Sequence[str], mapping: ImportMapping, place: str) -> Layout:
    """What the heading's columns are. Raises ActionRefused that names what is missing; `place` is
    file and line.
    """
    headings = [_tidy(cell) for cell in cells]
    _check_mapping(headings, mapping)
    matches = _matches(headings, mapping)
    _refuse_twins(matches, place)
    chosen = _chosen(headings, matches, mapping)
    _refuse_useless(headings, chosen, mapping, place)
    columns = [_column(headings[at], match, mapping) for at, match in chosen.items()]
    return Layout(
        at=list(chosen),
        columns=columns,
        named=frozenset(at for at, heading in enumerate(headings) if heading),
        width=len(headings),
        notices=list(_notices(headings, chosen, matches)),
    )


def _tidy(cell: str) -> str:
    return " ".join(cell.split())


def _matches(headings: Sequence[str], mapping: ImportMapping) -> list[Match | None]:
    """What each heading stands for; a field the mapping speaks of is not guessed elsewhere."""
    spoken = {rule.field for rule in mapping.columns.values()} | set(mapping.fixed)
    spoken |= {f"{FREE}{name}" for name in mapping.fixed_attributes}
    found: list[Match | None] = []
    for heading in headings:
        ruled = mapping.rule_for(heading) if heading else None
        if ruled is not None:
            found.append(Match(field=ruled[1].field, rank=0) if ruled[1].field else None)
            continue
        match = match_heading(heading) if heading and mapping.others != "ignore" else None
        if match is None and heading and mapping.others == "attributes":
            match = Match(field=_attribute(heading), rank=0)
        found.append(None if match is not None and match.field in spoken else match)
    return found


def _attribute(heading: str) -> str:
    """As rules/attributes.yaml takes it: `Next step` is `attributes.next_step`."""
    name = re.sub("[^a-z0-9_-]+", "_", heading.casefold()).strip("_-")
    return FREE + (name if re.match("[a-z]", name) else f"column_{name}")[:63]


def _chosen(
    headings: Sequence[str], matches: Sequence[Match | None], mapping: ImportMapping
) -> dict[int, Match]:
    """One column a field, the surest; in the order of the file. A second one of names may hold the
    ids.
    """
    best: dict[str, int] = {}
    for at, match in enumerate(matches):
        if match is None:
            continue
        held = matches[best[match.field]] if match.field in best else None
        if held is None or match.rank < held.rank:
            best[match.field] = at
    chosen = {at: match for field, at in best.items() if (match := matches[at]) is not None}
    if "customer_id" not in best:
        spare = (
            at
            for at, match in enumerate(matches)
            if match is not None
            and match.field == "name"
            and at not in chosen
            and may_be_id(headings[at])
        )
        chosen |= {at: Match(field="customer_id", rank=1) for at in list(spare)[:1]}
    return dict(sorted(chosen.items()))


def _column(heading: str, match: Match, mapping: ImportMapping) -> Column:
    column = Column(field=match.field, heading=heading, unit=match.unit)
    ruled = mapping.rule_for(heading)
    if ruled is None:
        return column
    rule = ruled[1]
    guessed = match_heading(heading)
    unit = (
        guessed.unit if guessed is not None and rule.rate == 1 else ONE
    )  # a factor says all there is to say
    return replace(
        column,
        decimal=rule.decimal,
        days=rule.days,
        currency=rule.currency,
        rate=rule.rate,
        unit=unit,
        values=rule.values,
    )


def _check_mapping(headings: Sequence[str], mapping: ImportMapping) -> None:
    present = {ruled[0] for heading in headings if heading and (ruled := mapping.rule_for(heading))}
    problems = []
    for name, rule in mapping.columns.items():
        if name not in present:
            near = get_close_matches(
                name.casefold(), [heading.casefold() for heading in headings], n=1, cutoff=0.5
            )
            hint = next(
                (heading for heading in headings if near and heading.casefold() == near[0]), None
            )
            there = ", ".join(heading for heading in headings if heading)
            said = f"did you mean {hint!r}?" if hint else f"there are {there[:300]}"
            problems.append(f"{rule.place}: the table has no column {name!r} ({said})")
    if problems:
        raise ActionRefused("\n".join(problems))


def _refuse_twins(matches: Sequence[Match | None], place: str) -> None:
    counts = Counter(match.field for match in matches if match is not None and match.rank == 0)
    twice = [field for field, count in counts.items() if count > 1]
    if twice:
        raise ActionRefused(f"{place}: two columns {', '.join(twice)}; leave one of them out")


def _refuse_useless(
    headings: Sequence[str], chosen: dict[int, Match], mapping: ImportMapping, place: str
) -> None:
    fields = {match.field for match in chosen.values()}
    unknown = [
        _unknown(heading) for at, heading in enumerate(headings) if heading and at not in chosen
    ]
    said = (
        f"unknown columns {', '.join(unknown)}; rename them, write attributes.<name> for your "
        "own, or use --mapping"
    )
    problems = [said] if unknown else []
    if "customer_id" not in fields and not (fields - {"name"} and "name" in fields):
        raise NoColumns(
            "\n".join(
                f"{place}: {one}" for one in [*problems, f"there is no column customer_id; {KNOWN}"]
            )
        )
    if fields == {"customer_id"} and not mapping.fixed:
        problems = problems or ["there are only ids, and nothing to say of them"]
        raise NoColumns("\n".join(f"{place}: {one}" for one in problems))


def _notices(
    headings: Sequence[str], chosen: dict[int, Match], matches: Sequence[Match | None]
) -> Iterator[str]:
    guessed = [f"{headings[at]} as {match.field}" for at, match in chosen.items() if match.rank > 0]
    if guessed:
        yield f"read {', '.join(guessed)}"
    for at, match in chosen.items():
        if match.unit.factor != 1:
            yield f"numbers in {headings[at]!r} are taken times {match.unit.factor:,}".replace(
                ",", " "
            )
    if not any(match.field == "customer_id" for match in chosen.values()):
        at = next(at for at, match in chosen.items() if match.field == "name")
        yield (
            f"no column holds customers' ids: {headings[at]!r} names them, known customers are "
            "found by their names"
        )
    left = [at for at, heading in enumerate(headings) if heading and at not in chosen]
    if left:
        yield (
            "ignored "
            f"{', '.join(_left(headings[at], matches[at], chosen, headings) for at in left)}"
        )


def _left(
    heading: str, match: Match | None, chosen: dict[int, Match], headings: Sequence[str]
) -> str:
    if match is not None:
        instead = next(at for at, other in chosen.items() if other.field == match.field)
        return f"{heading} ({match.field} is read from {headings[instead]})"
    return _unknown(heading)


def _unknown(heading: str) -> str:
    near = nearest_field(heading)
    shown = heading if len(heading) <= 40 else heading[:40] + "..."
    return f"{shown} (did you mean {near}?)" if near else shown
