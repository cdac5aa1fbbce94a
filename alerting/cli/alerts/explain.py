"""`alerting explain EVENT`: why somebody was told, or why nobody was."""

from collections.abc import Mapping
from typing import Any

import click

from alerting.cli.shared import opened, print_json
from alerting.cli.words import printable
from alerting.database.rows.intake import DeadLetterRow
from alerting.domain.fields import Fields
from alerting.services.alerts.explain_event import explain
from alerting.services.alerts.explanation import Explanation, Stages


@click.command("explain")
@click.argument("event")
@click.option("--source", help="The event's source, where several have an event of this id.")
@click.option("--json", "as_json_", is_flag=True)
def explain_(event: str, source: str | None, as_json_: bool) -> None:
    """Say what became of EVENT: an id, #NUMBER, or the place of a dead letter such as
    surveys/0@17.
    """
    with opened() as app:
        found = explain(app.ctx, event, source)
        if not isinstance(found, Explanation):
            _tell_dead_letter(found, as_json_)
        elif as_json_:
            print_json(found.as_json())
        else:
            _tell(found)


def _tell_dead_letter(letter: DeadLetterRow, as_json_: bool) -> None:
    fields = (
        "id",
        "place",
        "reason",
        "field",
        "detail",
        "recorded_at",
        "replayed_at",
        "discarded_at",
    )
    if as_json_:
        print_json({"dead_letter": {name: getattr(letter, name) for name in fields}})
        return
    _line(f"Dead letter {letter.id} at {letter.place}, since {letter.recorded_at:%Y-%m-%d %H:%M}Z")
    where = f"{letter.field}: " if letter.field else ""
    _line(f"  It could not be handled: {letter.reason}: {where}{letter.detail}")
    later = "so nobody was told; `alerting dead-letters replay` tries again"
    if letter.replayed_at:
        later = "it was replayed later"
    elif letter.discarded_at:
        later = "it was set aside"
    _line(f"  {later}")


def _tell(found: Explanation) -> None:
    event, customer = found.event, found.customer
    _line(f"Event #{event['number']}: {event['type']} {event['id']} from {event['source']}")
    _line(
        f"  happened {event['time']}, received {event['received_at']}, stored "
        f"{event['recorded_at']}"
    )
    _line(
        f"Customer {customer['name']} "
        f"({customer['key']}{'' if customer['known'] else ', unknown then'})"
    )
    _line(f"  segment {customer['segment']}: {customer['segment_why']}")
    if tags := Fields(customer).texts("tags"):
        _line(f"  tags {', '.join(tags)}")
    if signals := Fields(customer).object("signals"):
        _line(
            "  signals " + ", ".join(f"{name} = {_shown(value)}" for name, value in signals.items())
        )
    state = "the active one" if found.rulebook["active"] else "another one is active now"
    _line(f"Judged by rulebook {Fields(found.rulebook).text('hash')[:12]} ({state})")
    for rule in found.rules:
        _line(f"  {'FIRES ' if rule.fires else 'not   '}{rule.rule}: {rule.title}")
        for condition in rule.conditions:
            read = ", ".join(f"{name} = {_shown(value)}" for name, value in condition.reads.items())
            _line(
                f"    {condition.truth:7} {condition.name} ({read})"
                if read
                else f"    {condition.truth:7} {condition.name}"
            )
    for alert in found.alerts:
        _tell_alert(alert)
    for note in found.notes:
        _line(f"Note: {note}")


def _tell_alert(alert: Mapping[str, Any]) -> None:
    became = f"case {alert['case']}" if alert["case"] else f"no case: {alert['suppressed']}"
    _line(
        f"Alert {alert['number']} by {alert['rule']} ({alert['severity']}) at "
        f"{alert['raised_at']}: {became}"
    )
    _line(f"  {_stages(alert['stages'])}")
    for person in alert["people"]:
        _line(f"  {person['role']} is {person['name']}: {'; '.join(person['why'])}")
    for mail in alert["mails"]:
        said = f", {mail['reason']}" if mail["reason"] else ""
        _line(f"  mail {mail['template']} to {mail['name']}: {mail['status']}{said}")
        if mail["status"] != "sent":
            _line(f"    {_stages(mail['stages'])}")
        for attempt in mail["attempts"]:
            _line(
                f"    {attempt['at']} to {attempt['address']}: {attempt['outcome'] or 'under way'}"
            )
    for timer in alert["timers"]:
        who = f", tells {' and '.join(timer['notify'])}" if timer["notify"] else ""
        when = f" {timer['at']}" if timer["at"] else ""
        _line(
            f"  timer {timer['kind']} {timer['key']} due {timer['due_at']}{who}: "
            f"{timer['state']}{when}"
        )


def _stages(stages: Stages) -> str:
    """`passed hold, not due; stopped at quiet hours: quiet hours until 07:00`."""
    through = f"passed {', '.join(stages['passed'])}" if stages["passed"] else "passed no stage"
    if stages["stopped_at"] is None:
        return through
    return f"{through}; stopped at {stages['stopped_at']}: {stages['reason']}"


def _shown(value: object) -> str:
    if value is None:
        return "unknown"
    return f"{value:.80}" if isinstance(value, str) else str(value)


def _line(text: str) -> None:
    click.echo(printable(text))
