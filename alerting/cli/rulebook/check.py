"""`alerting check`: what is wrong with the rules, before anybody is told anything."""

from dataclasses import asdict

import click

from alerting.adapters.files.findings import Findings
from alerting.adapters.rulebook import rule_files
from alerting.cli.people.people import tell_people_findings
from alerting.cli.shared import plain_errors, print_json
from alerting.cli.words import counted
from alerting.domain.errors import RulebookInvalid
from alerting.settings import read_settings


@click.command()
@click.option(
    "--people",
    "of_people",
    is_flag=True,
    help="Hold the people in force against customers and cases.",
)
@click.option("--json", "as_json_", is_flag=True)
def check(of_people: bool, as_json_: bool) -> None:
    """Read all of rules/ and templates/ and say what is wrong, with file and line. Exit code 1 for
    problems.

    With --people look into the database instead: whom nobody owns, who cannot be reached, steps
    that reach nobody.
    """
    if of_people:
        tell_people_findings(as_json_)
        return
    with plain_errors():
        settings = read_settings()
        findings = Findings()
        try:
            files, people = rule_files.read_all(settings.rules, settings.templates, findings)
            read = (
                f"{counted(len(files), 'file')}, "
                f"{counted(len(people), 'person or office', 'people and offices')}"
            )
        except RulebookInvalid:
            read = ""
        if as_json_:
            found = {"problems": findings.problems, "warnings": findings.warnings}
            print_json({name: [asdict(one) for one in ones] for name, ones in found.items()})
        else:
            _tell_findings(findings, read)
    if findings.problems:
        raise SystemExit(1)


def _tell_findings(findings: Findings, read: str) -> None:
    for warning in findings.warnings:
        click.echo(f"warning: {warning}", err=True)
    for problem in findings.problems:
        click.echo(str(problem), err=True)
    warned = counted(len(findings.warnings), "warning")
    if findings.problems:
        click.echo(f"{counted(len(findings.problems), 'problem')}, {warned}.", err=True)
    else:
        click.echo(f"{read}: no problems, {warned}.")
