"""`alerting segments discover`: which groups customers form, and the conditions that would make
segments of them.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from alerting.adapters.imports.attribute_files import read_attributes
from alerting.cli.extras import discover_extra
from alerting.cli.options import gathered
from alerting.cli.shared import opened, plain_errors, print_json, table
from alerting.cli.words import counted, printable
from alerting.database.customers import customers
from alerting.discover.subjects import CustomerFacts, Fact, FactTable
from alerting.domain.conditions import Type
from alerting.domain.customers.vocabulary import ATTRIBUTE_TYPES, CUSTOMER_FIELDS

if TYPE_CHECKING:
    from alerting.discover.found_segments import Found

_NUMERIC = {Type.NUMBER, Type.NUMERIC, Type.BIGINT}
_STRENGTHS = ((0.71, "strong"), (0.51, "reasonable"), (0.26, "weak"), (-1.0, "no substantial"))
"""What a silhouette is called: Kaufman and Rousseeuw (1990), Finding Groups in Data, chapter 2."""


class Names(click.ParamType[tuple[str, ...]]):
    """`revenue_with_us,employees`."""

    name = "names"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        found = tuple(dict.fromkeys(name.strip() for name in str(value).split(",") if name.strip()))
        return found or self.fail("names none", param, ctx)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Whose groups are wanted, by what. `file` None: those of the database."""

    attributes: tuple[str, ...]
    file: str | None
    customer: str
    logged: tuple[str, ...]
    groups: int | None
    simple: bool
    as_json_: bool


@click.command()
@click.option(
    "--attributes", required=True, type=Names(), help="Numbers to group by, separated by commas."
)
@click.option(
    "--customers",
    "file",
    type=click.Path(exists=True, dir_okay=False),
    help="A CSV file; else the database.",
)
@click.option(
    "--customer",
    default="customer_id",
    show_default=True,
    help="The file's column of the customer.",
)
@click.option(
    "--log",
    "logged",
    type=Names(),
    default=(),
    help="Attributes of which to take the logarithm, ln(1 + value).",
)
@click.option(
    "--groups",
    type=click.IntRange(2, 8),
    help="How many; else as many as have the best silhouette, up to 8.",
)
@click.option(
    "--simple",
    is_flag=True,
    help="Short conditions, which say only nearly what was found; how nearly, is said.",
)
@click.option("--json", "as_json_", is_flag=True)
@gathered(_Asked)
def discover(asked: _Asked) -> None:
    """Find groups of customers who are alike (k-means), and print them for rules/segments.yaml.
    Needs alerting[discover].

    Changes nothing. Customers of whom an attribute is missing are in no group; the segments printed
    call them unverified.
    """
    with plain_errors():
        with discover_extra():
            from alerting.discover.found_segments import find_segments
        subjects = _subjects(asked)
        strange = [name for name in asked.logged if name not in subjects.kinds]
        if strange:
            raise click.BadParameter(
                f"{strange[0]!r} is none of {', '.join(subjects.kinds)}", param_hint="--log"
            )
        found = find_segments(subjects, asked.logged, asked.groups, simple=asked.simple)
    if found.skewed:
        names = ",".join(found.skewed)
        click.echo(
            f"skewed: a few large values decide; `--log {names}` may find better groups", err=True
        )
    if asked.as_json_:
        print_json(_as_json(found, subjects, asked.logged))
    else:
        _tell(found, subjects, asked.logged)


def _subjects(asked: _Asked) -> FactTable:
    if asked.file is None:
        return _of_database(asked.attributes)
    return _of_file(asked.file, asked.customer, asked.attributes)


def _of_file(file: str, customer: str, attributes: Sequence[str]) -> FactTable:
    read = read_attributes(file, customer, attributes)
    for line, reason in read.bad:
        click.echo(f"{read.name}:{line}: {printable(reason)}", err=True)
    if read.bad:
        click.echo(f"left out: {counted(len(read.bad), 'bad row')}", err=True)
    for heading, name in read.renamed:
        click.echo(f"{printable(heading)} is called {name}: so a condition can name it", err=True)
    return read.subjects


def _of_database(attributes: Sequence[str]) -> FactTable:
    with opened() as app, app.ctx.db.read() as tx:
        declared = app.ctx.shelf.active(tx).attributes
        kinds = {
            name: kind for name, kind in {**declared, **CUSTOMER_FIELDS}.items() if kind in _NUMERIC
        }
        for name in attributes:
            if name not in kinds:
                near = get_close_matches(name, kinds, n=1, cutoff=0.6)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise LookupError(
                    f"customers have no number {name!r}{hint}; known are {', '.join(kinds)}"
                )
        chosen = {name: kinds[name] for name in attributes}
        every = [
            CustomerFacts(customer=one.key, facts=_numbers(one.fields(declared), chosen))
            for one in customers.every_customer_now(tx)
        ]
    return FactTable(every=every, kinds=chosen)


def _yaml(found: "Found", subjects: FactTable) -> str:
    """The whole of rules/segments.yaml."""
    lines = [
        f"# {counted(len(found.groups), 'group')} by {', '.join(subjects.kinds)}; the first that "
        "matches wins",
        "segments:",
    ]
    lines.append(
        "  - {id: unverified, title: unverified customer, when: "
        f"{_quoted(found.unverified_when)}}}"
    )
    for group in found.groups:
        way = "otherwise: true" if group.when is None else f"when: {_quoted(group.when)}"
        lines.append(
            f"  - {{id: {group.id}, title: {_quoted(group.title)}, rank: {group.rank}, {way}}}"
        )
    return "\n".join(lines) + "\n"


def _attributes_yaml(subjects: FactTable) -> str | None:
    """What rules/attributes.yaml must hold beside what it holds; None where nothing."""
    if not subjects.undeclared:
        return None
    words = {kind: word for word, kind in ATTRIBUTE_TYPES.items()}
    return "".join(
        [
            "attributes:\n",
            *(f"  {name}: {words[subjects.kinds[name]]}\n" for name in subjects.undeclared),
        ]
    )


def _plain(value: float) -> str:
    """Six digits, and never an exponent."""
    rounded = f"{Decimal(f'{value:.5e}'):f}"
    return rounded.rstrip("0").rstrip(".") if "." in rounded else rounded


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _as_json(found: "Found", subjects: FactTable, logged: Sequence[str]) -> dict[str, object]:
    return {
        "attributes": [{"name": name, "log": name in logged} for name in subjects.kinds],
        "customers": len(subjects.every),
        "grouped": len(found.members),
        "missing": subjects.missing(),
        "silhouettes": {str(count): value for count, value in found.silhouettes.items()},
        "silhouette_of": found.sampled,
        "agreement": found.agreement,
        "groups": [asdict(group) for group in found.groups],
        "members": found.members,
        "segments_yaml": _yaml(found, subjects),
        "attributes_yaml": _attributes_yaml(subjects),
    }


def _tell(found: "Found", subjects: FactTable, logged: Sequence[str]) -> None:
    names = [f"ln(1 + {name})" if name in logged else name for name in subjects.kinds]
    click.echo(f"{counted(len(found.members), 'customer')} by {', '.join(names)}, standardised.")
    for name, count in subjects.missing().items():
        if count:
            click.echo(
                f"{name} is missing of {counted(count, 'customer')}: they are in no group, and "
                "would be unverified."
            )
    by = (
        ""
        if found.sampled >= len(found.members)
        else f" (of {found.sampled} customers chosen by chance)"
    )
    tried = ", ".join(f"{count}: {value:.2f}" for count, value in found.silhouettes.items())
    click.echo(f"Silhouette by number of groups{by}: {tried}.")
    best = max(found.silhouettes.values())
    click.echo(
        f"{len(found.groups)} groups; {next(word for least, word in _STRENGTHS if best >= least)} "
        "structure."
    )
    for group in found.groups:
        click.echo(
            f"\n{group.id}: {counted(group.size, 'customer')}, {group.share:.1%}. {group.differs}."
        )
        rows = [
            [name, *map(_plain, (s.quartile_1, s.median, s.quartile_3)), f"{s.above:.0%}"]
            for name, s in group.attributes.items()
        ]
        table(["attribute", "quarter below", "median", "quarter above", "median above"], rows)
    share = (
        "every customer"
        if found.agreement == 1
        else f"{math.floor(found.agreement * 10_000) / 100:.2f}% of the customers"
    )
    click.echo(f"\nThese conditions put {share} where k-means does. For rules/segments.yaml:\n")
    click.echo(_yaml(found, subjects), nl=False)
    needed = _attributes_yaml(subjects)
    if needed:
        click.echo(f"\nand for rules/attributes.yaml:\n\n{needed}", nl=False)


def _numbers(known: Mapping[str, object], wanted: Iterable[str]) -> dict[str, Fact | None]:
    """None where a customer lacks the number."""
    found = {name: known.get(name) for name in wanted}
    return {
        name: value if isinstance(value, (int, Decimal)) else None for name, value in found.items()
    }
