"""`alerting case contact` and its like: what people do about cases, from the command line."""

import click

from alerting.cli.cases.numbers import CASE_NUMBER
from alerting.cli.cases.perform import BY, do_act, read_at
from alerting.cli.words import TextType
from alerting.domain.cases.cases import CHANNELS, OUTCOMES
from alerting.domain.cases.sla import WaitingFor
from alerting.services.cases import acts


@click.command("acknowledge")
@CASE_NUMBER
@BY
def acknowledge_(number: int, by: str) -> None:
    """Say that somebody takes the call; whoever is not the caller becomes it."""
    do_act(number, by, lambda: acts.Acknowledge())


@click.command()
@CASE_NUMBER
@BY
@click.option("--outcome", type=click.Choice(list(OUTCOMES)), required=True)
@click.option("--channel", type=click.Choice(CHANNELS), default="phone", show_default=True)
@click.option("--at", help="When, with zone, such as 2026-03-06T14:30+01:00; just now if left out.")
@click.option("--note", type=TextType(blank=True), default="")
def contact(
    number: int, by: str, outcome: object, channel: object, at: str | None, note: str
) -> None:
    """Record a contact, or an attempt (voicemail is one)."""
    do_act(
        number,
        by,
        lambda: acts.RecordContact(
            outcome=outcome, channel=channel, happened_at=read_at(at), note=note
        ),
    )


@click.command("hand-over")
@CASE_NUMBER
@BY
@click.option("--to", required=True, help="Who takes it: an id or mail address from people.yaml.")
@click.option("--reason", type=TextType(), required=True)
def hand_over(number: int, by: str, to: str, reason: str) -> None:
    """Make the call another person's."""
    do_act(number, by, lambda: acts.HandOver(to=to, reason=reason))


@click.command()
@CASE_NUMBER
@BY
@click.option("--to", required=True, help="Who gets it: an id or mail address from people.yaml.")
@click.option("--duty", type=click.Choice(["caller", "fixer"]), default="caller", show_default=True)
@click.option("--reason", type=TextType(blank=True), default="")
def assign(number: int, by: str, to: str, duty: object, reason: str) -> None:
    """Give the call, or the fixing, to somebody."""
    do_act(number, by, lambda: acts.Assign(to=to, duty=duty, reason=reason))


@click.command()
@CASE_NUMBER
@BY
@click.option(
    "--for", "waiting_for", type=click.Choice([w.value for w in WaitingFor]), required=True
)
@click.option("--reason", type=TextType(), required=True, help="What is waited for.")
@click.option(
    "--until",
    help="When to go on at the latest, with zone; as long as a case may wait if left out.",
)
def wait(number: int, by: str, waiting_for: str, reason: str, until: str | None) -> None:
    """Let the case wait for the customer or a third party: clocks that pause for that stand still.

    The wait ends by itself when the customer acts, when the customer is reached, or at its end.
    """
    who = WaitingFor(waiting_for)
    do_act(
        number,
        by,
        lambda: acts.BeginWait(waiting_for=who, reason=reason, until=read_at(until, "--until")),
    )


@click.command("go-on")
@CASE_NUMBER
@BY
def go_on(number: int, by: str) -> None:
    """End a wait; the clocks run on."""
    do_act(number, by, lambda: acts.GoOn())


@click.command()
@CASE_NUMBER
@BY
@click.option("--root-cause", help="A name from rules/resolutions.yaml.")
@click.option("--action", help="A name from rules/resolutions.yaml.")
@click.option(
    "--corrective-action", help="The number of a corrective action from rules/resolutions.yaml."
)
@click.option(
    "--note",
    type=TextType(blank=True),
    default="",
    help="What was wrong, and what was done about it.",
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
    do_act(number, by, lambda: acts.Resolve(note=note, **names))


@click.command()
@CASE_NUMBER
@BY
@click.argument("text", type=TextType())
def note(number: int, by: str, text: str) -> None:
    """Add words to a case, open or resolved."""
    do_act(number, by, lambda: acts.AddNote(text=text))


@click.command()
@CASE_NUMBER
@BY
@click.option(
    "--effective/--not-effective", required=True, help="Whether what was done has worked."
)
@click.option("--note", type=TextType(blank=True), default="")
def review(number: int, by: str, effective: bool, note: str) -> None:
    """Say, after the end of a case, whether what was done about it has worked."""
    do_act(number, by, lambda: acts.ReviewEffect(effective=effective, note=note))
