"""`alerting who CUSTOMER`: who is responsible, and why."""

from datetime import datetime

import click

from alerting.cli.shared import opened, print_json
from alerting.cli.words import InstantType, TextType, printable
from alerting.domain.fields import Fields
from alerting.services.routing.who import RoleLine, Who, who


@click.command("who")
@click.argument("customer", type=TextType())
@click.option(
    "--at", "moment", type=InstantType(), help="As of then: 2026-03-06 or 2026-03-06T08:30:00Z."
)
@click.option("--role", help="Only this role of routing.yaml.")
@click.option("--json", "as_json_", is_flag=True)
def who_(customer: str, moment: datetime | None, role: str | None, as_json_: bool) -> None:
    """Say who is responsible for CUSTOMER, role by role, and every step that led there."""
    with opened() as app:
        found = who(app.ctx, customer, moment, role)
    if as_json_:
        print_json(found.as_json())
        return
    _tell(found)


def _tell(found: Who) -> None:
    customer = found.customer
    known = "" if customer["known"] else ", unknown"
    _line(f"Customer {customer['name']} ({customer['key']}{known}) at {found.at}")
    _line(f"  segment {customer['segment']}: {customer['segment_why']}")
    if tags := Fields(customer).texts("tags"):
        _line(f"  tags {', '.join(tags)}")
    place = ", ".join(
        str(customer[name]) for name in ("country", "region", "city") if customer[name]
    )
    said = [("owner", customer["owner"]), ("territory", place), ("industry", customer["industry"])]
    _line("  " + ", ".join(f"{name} {value or 'unknown'}" for name, value in said))
    for role in found.roles:
        _tell_role(role)
    for note in found.notes:
        _line(f"Note: {note}")


def _tell_role(role: RoleLine) -> None:
    _line(f"{role.role}: {role.name}" + (f" ({role.party})" if role.party else ""))
    for step in role.why:
        _line(f"  - {step}")
    if role.next:
        _line(f"  if mail is refused: {', then '.join(role.next)}")


def _line(text: str) -> None:
    click.echo(printable(text))
