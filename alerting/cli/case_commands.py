"""`alerting case`: what people do about cases, from the command line."""

from datetime import UTC, datetime

import click

from alerting.bootstrap import App
from alerting.cli.running import opened, print_json, table
from alerting.cli.words import Number, Words, printable
from alerting.database import cases, customers, staffing
from alerting.domain.cases import CHANNELS, OUTCOMES, Attempt
from alerting.domain.errors import ActionRefused
from alerting.services import response
from alerting.services.reporting import CASE_STATUSES
from alerting.services.response import Actor
from alerting.services.timeline import timeline
from alerting.services.views import case_view

_number = click.argument("number", type=Number("case", "C-"))
_by = click.option("--by", required=True, help="Who acts: an id or mail address from people.yaml.")


@click.group()
def case() -> None:
    """Cases: list, show, acknowledge, contact, hand-over, resolve."""


@case.command("list")
@click.option("--status", type=click.Choice(CASE_STATUSES), default="unresolved", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def list_(status: str, as_json: bool) -> None:
    """Show cases, newest first."""
    with opened() as app, app.ctx.db.read() as tx:
        rows = cases.list_cases(tx, status=None if status == "all" else status)
        names = {k: h.as_of(tx.now()).name for k, h in customers.histories(tx, [r.customer_key for r in rows]).items()}
        staff = staffing.staff_at(tx, tx.now())
    if as_json:
        print_json([{**dict(r._mapping), "number": f"C-{r.id}"} for r in rows])
        return
    people = {r.caller: (found.name if (found := staff.get(r.caller)) else r.caller) for r in rows}
    header = ["case", "customer", "segment", "severity", "status", "caller", "opened"]
    table(
        header,
        [
            [
                f"C-{r.id}",
                names[r.customer_key],
                r.segment,
                r.severity,
                r.status,
                people[r.caller],
                f"{r.opened_at:%Y-%m-%d %H:%M}Z",
            ]
            for r in rows
        ],
    )


@case.command()
@_number
@click.option("--json", "as_json", is_flag=True)
def show(number: int, as_json: bool) -> None:
    """Show one case with its promises and its story."""
    with opened() as app, app.ctx.db.read() as tx:
        view = case_view(tx, app.ctx.shelf.active(tx), number)
        moments = timeline(tx, view)
    if as_json:
        print_json(
            {
                "number": view.case.number,
                "customer": view.case.customer_key,
                "status": view.case.status,
                "caller": view.case.caller,
                "fixer": view.case.fixer,
                "informed": view.case.informed,
                "cycle": view.case.cycle,
                "clocks": [
                    {
                        "clock": c.key,
                        "due_at": c.due_at,
                        "stopped_at": c.stopped_at,
                        "superseded_at": c.superseded_at,
                        "met": c.met,
                    }
                    for c in view.all_clocks
                ],
                "story": [
                    {"at": m.at, "recorded_at": m.recorded_at, "text": m.text, "proof": m.proof or None}
                    for m in moments
                ],
            }
        )
        return
    click.echo(
        f"{view.case.number}  {printable(view.customer.name)}  {view.case.status.value}  caller {view.caller.name}"
    )
    for clock in view.clocks.values():
        state = "running" if clock.running else "kept" if clock.met else "late"
        click.echo(f"  {clock.kind.value:12} due {clock.due_at:%Y-%m-%d %H:%M}Z  {state}")
    for moment in moments:
        click.echo(
            f"  {moment.at:%Y-%m-%d %H:%M:%S}Z  {printable(moment.text)}"
            + (f" ({printable(moment.proof)})" if moment.proof else "")
            + (f': "{printable(moment.detail)}"' if moment.detail else "")
        )


@case.command("acknowledge")
@_number
@_by
def acknowledge_(number: int, by: str) -> None:
    """Say that somebody takes the call; whoever is not the caller becomes it."""
    with opened() as app:
        done = response.acknowledge_case(app.ctx, number, _actor(app, by))
        click.echo(f"{done.number} is {done.status.value}; the caller is {done.caller}.")


@case.command()
@_number
@_by
@click.option("--outcome", type=click.Choice(list(OUTCOMES)), required=True)
@click.option("--channel", type=click.Choice(CHANNELS), default="phone", show_default=True)
@click.option("--at", help="When, with zone, such as 2026-03-06T14:30+01:00; just now if left out.")
@click.option("--note", type=Words(blank=True), default="")
def contact(number: int, by: str, outcome: str, channel: str, at: str | None, note: str) -> None:
    """Record a contact, or an attempt (voicemail is one)."""
    with opened() as app:
        actor = _actor(app, by)
        moment = _moment(at)

        def make(now: datetime) -> Attempt:
            return Attempt(by=actor.party, channel=channel, outcome=outcome, happened_at=moment or now, note=note)

        done = response.record_attempt(app.ctx, number, actor, make)
        click.echo(f"{done.number} is {done.status.value}.")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ActionRefused(f"--at {text!r} is not a time; write 2026-03-06T14:30+01:00") from error
    if moment.tzinfo is None:
        raise ActionRefused(f"--at {text!r} has no time zone; write {text}+01:00 or {text}Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ActionRefused(f"--at {text!r} lies outside the calendar") from error


@case.command("hand-over")
@_number
@_by
@click.option("--to", required=True, help="Who takes it: an id or mail address from people.yaml.")
@click.option("--reason", type=Words(), required=True)
def hand_over(number: int, by: str, to: str, reason: str) -> None:
    """Make the call another person's."""
    with opened() as app:
        heir = response.find_person(app.ctx, to)
        done = response.hand_over_case(app.ctx, number, _actor(app, by), heir.id, reason)
        click.echo(f"{done.number} is with {heir.name} now.")


@case.command()
@_number
@_by
@click.option("--note", type=Words(), required=True, help="What was wrong, and what was done about it.")
def resolve(number: int, by: str, note: str) -> None:
    """Record that the cause is removed; once the customer was spoken with, the case is resolved."""
    with opened() as app:
        done = response.remove_cause_of(app.ctx, number, _actor(app, by), note)
        owed = "" if done.contacted_at else "; the call is still owed"
        click.echo(f"{done.number} is {done.status.value}{owed}.")


def _actor(app: App, by: str) -> Actor:
    return Actor(party=response.find_party(app.ctx, by).id, door="cli")
