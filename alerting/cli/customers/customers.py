"""`alerting customers`: who somebody was at any time, and how that came about."""

from collections.abc import Mapping

import click

from alerting.cli.shared import opened, print_json
from alerting.cli.words import TextType, printable
from alerting.domain.errors import ActionRefused
from alerting.domain.times.moments import read_moment
from alerting.services.customers.customer_as_of import Life, life_of


@click.group()
def customers() -> None:
    """Customers as they are and as they were."""


@customers.command("show")
@click.argument("customer_id", type=TextType())
@click.option(
    "--at", help="A time with its zone such as 2026-03-06T14:30+01:00, or a day (its end, in UTC)."
)
@click.option(
    "--active-rules",
    is_flag=True,
    help="By the rulebook that is active now, instead of the one of that time.",
)
@click.option("--json", "as_json_", is_flag=True)
def show(customer_id: str, at: str | None, active_rules: bool, as_json_: bool) -> None:
    """Show CUSTOMER_ID as of a time: facts, segment and tags with the reason, and every change with
    its two dates.
    """
    with opened() as app:
        try:
            moment = read_moment(at) if at else None
        except ValueError as error:
            raise ActionRefused(f"--at {error}") from error
        found = life_of(app.ctx, customer_id, moment, by_active=active_rules)
    if as_json_:
        print_json(found.as_json())
    else:
        _tell(found)


def _tell(found: Life) -> None:
    standing = found.standing
    _line(f"{standing.customer.name} ({standing.customer.key}) at {standing.at:%Y-%m-%d %H:%M:%S}Z")
    if standing.assumed:
        _line("  before all we know: what we heard first counts for the time before, too")
    _line(f"  segment {standing.segment}: {standing.why}")
    if standing.tags:
        _line(f"  tags {', '.join(standing.tags)}")
    _line(f"  by rulebook {standing.rulebook[:12]}")
    for name, value in standing.customer.state.items():
        _line(f"  {name}: {_shown(value)}")
    _line("Changes")
    for version in found.versions:
        valid, recorded = (
            f"{version.valid_from:%Y-%m-%d %H:%M:%S}Z",
            f"{version.recorded_at:%Y-%m-%d %H:%M:%S}Z",
        )
        _line(f"  from {valid}, recorded {recorded}, by {version.source}")
        for change in version.fields:
            _line(f"    {change['field']}: {_shown(change['before'])} -> {_shown(change['after'])}")
        if not version.fields:
            _line("    nothing new")


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name} {_shown(part)}" for name, part in value.items() if part is not None
        )
    if isinstance(value, list):
        return "; ".join(_shown(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line(text: str) -> None:
    click.echo(printable(text))
