"""`alerting people ...`: who can be told something, and who cannot just now."""

import getpass
from datetime import datetime

import click

from alerting.adapters.imports.people_tables import read_table
from alerting.cli.shared import opened, print_json, table
from alerting.cli.words import InstantType, TextType, counted, printable
from alerting.domain.routing.staff import Staff
from alerting.services.people.import_people import import_people_table, mark_reachable, staff_now
from alerting.services.routing.check_responsibility import check_people

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False))


@click.group()
def people() -> None:
    """People, offices and teams: list, import, reachable."""


@people.command("import")
@_file
def import_(file: str) -> None:
    """Import people, offices, teams and absences from a CSV file. The same file again changes
    nothing.
    """
    _import(file)


@click.command("import-people")
@_file
def import_people(file: str) -> None:
    """The same as `people import`."""
    _import(file)


def _import(file: str) -> None:
    with opened() as app:
        read = read_table(file)
        result = import_people_table(app.ctx, read)
    for line, reason in result.bad:
        click.echo(f"{read.name}:{line}: {reason}", err=True)
    for line, warning in result.warnings:
        click.echo(f"{read.name}:{line}: warning: {warning}", err=True)
    click.echo(
        f"{result.changed} changed, {result.unchanged} unchanged, "
        f"{counted(len(result.bad), 'bad row')}."
    )
    if result.bad:
        raise SystemExit(1)


@people.command("list")
@click.option(
    "--at", "moment", type=InstantType(), help="As of then: 2026-03-06 or 2026-03-06T08:30:00Z."
)
@click.option("--json", "as_json", is_flag=True)
def list_(moment: datetime | None, as_json: bool) -> None:
    """Everybody by the facts of now or of a moment: who is absent, cannot be reached, has left."""
    with opened() as app:
        staff = staff_now(app.ctx, moment)
    rows = [*_people(staff), *_teams(staff), *_others(staff)]
    if as_json:
        print_json(sorted(rows, key=lambda row: str(row["id"])))
        return
    names = ["id", "kind", "name", "email", "manager", "substitute", "state"]
    table(
        names,
        [[row.get(name) for name in names] for row in sorted(rows, key=lambda row: str(row["id"]))],
    )


def _people(staff: Staff) -> list[dict[str, object]]:
    return [
        {
            **party.model_dump(mode="json", by_alias=True),
            "state": away.words if (away := staff.away.get(party.id)) else "here",
        }
        for party in staff.parties.values()
    ]


def _teams(staff: Staff) -> list[dict[str, object]]:
    return [
        {
            **team.model_dump(mode="json"),
            "state": f"turns by {team.turn}: {', '.join(team.members)}",
        }
        for team in staff.teams.values()
    ]


def _others(staff: Staff) -> list[dict[str, object]]:
    gone: list[dict[str, object]] = [
        {"id": one.id, "name": one.name, "state": "has left"} for one in staff.former.values()
    ]
    return gone + [
        {"id": name, "state": f"known in part: {missing}"}
        for name, missing in staff.partial.items()
    ]


@people.command("reachable")
@click.argument("person", type=TextType())
def reachable(person: str) -> None:
    """Say that mail to PERSON (an id or a mail address) arrives again after its address was
    refused.
    """
    with opened() as app:
        party = mark_reachable(app.ctx, person, getpass.getuser())
        click.echo(f"{party.name} is asked again from now on.")


def tell_people_findings(as_json: bool) -> None:
    """`alerting check --people`. Exits with 1 where there are problems."""
    with opened() as app:
        found = check_people(app.ctx)
    problems = [finding for finding in found if not finding.warning]
    warnings = [finding for finding in found if finding.warning]
    if as_json:
        print_json(
            {
                "problems": [vars(one) for one in problems],
                "warnings": [vars(one) for one in warnings],
            }
        )
    else:
        for finding in found:
            said = f"{'warning: ' if finding.warning else ''}{finding.kind}: {finding.message}"
            click.echo(printable(said), err=True)
        click.echo(f"{counted(len(problems), 'problem')}, {counted(len(warnings), 'warning')}.")
    if problems:
        raise SystemExit(1)
