"""`alerting case contact` and its like: what people do about cases, from the command line."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from alerting.bootstrap import App
from alerting.cli.cases.numbers import CASE_NUMBER
from alerting.cli.shared import opened
from alerting.cli.words import Words
from alerting.domain.cases.cases import CHANNELS, OUTCOMES
from alerting.domain.cases.corrections import Corrected
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.errors import ActionRefused
from alerting.services.cases import acts, correct_time, respond
from alerting.services.cases.respond import Actor

_by = click.option("--by", required=True, help="Who acts: an id or mail address from people.yaml.")


@click.command("acknowledge")
@CASE_NUMBER
@_by
def acknowledge_(number: int, by: str) -> None:
    """Say that somebody takes the call; whoever is not the caller becomes it."""
    _do(number, by, lambda: acts.Acknowledge())


@click.command()
@CASE_NUMBER
@_by
@click.option("--outcome", type=click.Choice(list(OUTCOMES)), required=True)
@click.option("--channel", type=click.Choice(CHANNELS), default="phone", show_default=True)
@click.option("--at", help="When, with zone, such as 2026-03-06T14:30+01:00; just now if left out.")
@click.option("--note", type=Words(blank=True), default="")
def contact(number: int, by: str, outcome: Any, channel: Any, at: str | None, note: str) -> None:
    """Record a contact, or an attempt (voicemail is one)."""
    _do(
        number,
        by,
        lambda: acts.RecordContact(
            outcome=outcome, channel=channel, happened_at=_moment(at), note=note
        ),
    )


@click.command("hand-over")
@CASE_NUMBER
@_by
@click.option("--to", required=True, help="Who takes it: an id or mail address from people.yaml.")
@click.option("--reason", type=Words(), required=True)
def hand_over(number: int, by: str, to: str, reason: str) -> None:
    """Make the call another person's."""
    _do(number, by, lambda: acts.HandOver(to=to, reason=reason))


@click.command()
@CASE_NUMBER
@_by
@click.option("--to", required=True, help="Who gets it: an id or mail address from people.yaml.")
@click.option("--duty", type=click.Choice(["caller", "fixer"]), default="caller", show_default=True)
@click.option("--reason", type=Words(blank=True), default="")
def assign(number: int, by: str, to: str, duty: Any, reason: str) -> None:
    """Give the call, or the fixing, to somebody."""
    _do(number, by, lambda: acts.Assign(to=to, duty=duty, reason=reason))


@click.command()
@CASE_NUMBER
@_by
@click.option(
    "--for", "waiting_for", type=click.Choice([w.value for w in WaitingFor]), required=True
)
@click.option("--reason", type=Words(), required=True, help="What is waited for.")
@click.option(
    "--until",
    help="When to go on at the latest, with zone; as long as a case may wait if left out.",
)
def wait(number: int, by: str, waiting_for: str, reason: str, until: str | None) -> None:
    """Let the case wait for the customer or a third party: clocks that pause for that stand still.

    The wait ends by itself when the customer acts, when the customer is reached, or at its end.
    """
    who = WaitingFor(waiting_for)
    _do(
        number,
        by,
        lambda: acts.BeginWait(waiting_for=who, reason=reason, until=_moment(until, "--until")),
    )


@click.command("go-on")
@CASE_NUMBER
@_by
def go_on(number: int, by: str) -> None:
    """End a wait; the clocks run on."""
    _do(number, by, lambda: acts.GoOn())


@click.command()
@CASE_NUMBER
@_by
@click.option("--root-cause", help="A name from rules/resolutions.yaml.")
@click.option("--action", help="A name from rules/resolutions.yaml.")
@click.option(
    "--corrective-action", help="The number of a corrective action from rules/resolutions.yaml."
)
@click.option(
    "--note", type=Words(blank=True), default="", help="What was wrong, and what was done about it."
)
def resolve(
    number: int,
    by: str,
    root_cause: str | None,
    action: str | None,
    corrective_action: str | None,
    note: str,
) -> None:
    """Record that the cause is removed; once the customer was spoken with, the case is resolved."""
    names = {"root_cause": root_cause, "action": action, "corrective_action": corrective_action}
    _do(number, by, lambda: acts.Resolve(note=note, **names))


@click.command()
@CASE_NUMBER
@_by
@click.argument("text", type=Words())
def note(number: int, by: str, text: str) -> None:
    """Add words to a case, open or resolved."""
    _do(number, by, lambda: acts.AddNote(text=text))


@click.command()
@CASE_NUMBER
@_by
@click.option(
    "--effective/--not-effective", required=True, help="Whether what was done has worked."
)
@click.option("--note", type=Words(blank=True), default="")
def review(number: int, by: str, effective: bool, note: str) -> None:
    """Say, after the end of a case, whether what was done about it has worked."""
    _do(number, by, lambda: acts.ReviewEffect(effective=effective, note=note))


@click.command()
@CASE_NUMBER
@_by
@click.option(
    "--what", type=click.Choice([c.value for c in Corrected]), default="contact", show_default=True
)
@click.option(
    "--call",
    type=click.IntRange(1, 10**15),
    help="The number of a call (case show); the last that reached the customer if left out.",
)
@click.option(
    "--cycle",
    type=click.IntRange(1, 10**9),
    help="Of the cause removed: in which cycle; else the present one.",
)
@click.option(
    "--at", required=True, help="The right time, with zone, such as 2026-03-06T14:30+01:00."
)
@click.option("--reason", type=Words(), required=True, help="How you know.")
def correct(
    number: int, by: str, what: str, call: int | None, cycle: int | None, at: str, reason: str
) -> None:
    """Propose to correct a wrong time. It counts once somebody else approves it."""
    _do(
        number,
        by,
        lambda: acts.ProposeCorrection.model_validate(
            {"what": what, "call": call, "cycle": cycle, "becomes": _moment(at), "reason": reason}
        ),
    )


@click.command()
@click.argument("correction", type=click.IntRange(1, 10**15))
@_by
@click.option("--approve/--decline", required=True)
def decide(correction: int, by: str, approve: bool) -> None:
    """Approve a correction that somebody else proposed, or decline it."""
    with opened() as app:
        done = correct_time.decide_correction(app.ctx, correction, _actor(app, by), approve)
        click.echo(
            f"Correction {correction} of {done.number} is {'approved' if approve else 'declined'}."
        )


def _do(number: int, by: str, make: Callable[[], Any]) -> None:
    with opened() as app:
        _, text = acts.perform(app.ctx, number, _actor(app, by), make())
        click.echo(text)


def _moment(text: str | None, option: str = "--at") -> datetime | None:
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


def _actor(app: App, by: str) -> Actor:
    return Actor(party=respond.find_party(app.ctx, by).id, door="cli")
