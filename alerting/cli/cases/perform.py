"""How commands act on a case: who acts, when, and what is said about it."""

from collections.abc import Callable
from datetime import UTC, datetime

import click

from alerting.bootstrap import App
from alerting.cli.shared import opened
from alerting.domain.errors import ActionRefused
from alerting.services.cases import acts, respond
from alerting.services.cases.respond import Actor

BY = click.option("--by", required=True, help="Who acts: an id or mail address from people.yaml.")


def do_act(number: int, by: str, make: Callable[[], acts.Act]) -> None:
    """Do what `make` makes, and print its outcome."""
    with opened() as app:
        _, text = acts.perform(app.ctx, number, actor(app, by), make())
        click.echo(text)


def read_at(text: str | None, option: str = "--at") -> datetime | None:
    """A time with its zone, in UTC; None where none is given. Raises ActionRefused."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ActionRefused(
            f"{option} {text!r} is not a time; write 2026-03-06T14:30+01:00"
        ) from error
    if moment.tzinfo is None:
        raise ActionRefused(f"{option} {text!r} has no time zone; write {text}+01:00 or {text}Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ActionRefused(f"{option} {text!r} lies outside the calendar") from error


def actor(app: App, by: str) -> Actor:
    """Whoever acts. Raises ActionRefused where nobody is called so."""
    return Actor(party=respond.find_party(app.ctx, by).id, door="cli")
