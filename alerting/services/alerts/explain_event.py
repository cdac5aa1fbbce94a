"""Explaining an event: why somebody was told, and equally why nobody was.

The event is judged again by the rulebook that judged it first, with the facts as of its time as
they are known today; what was decided then stands beside it, as it was stored.
"""

from collections.abc import Iterator, Sequence

from alerting.database.alerts import alert_records
from alerting.database.engine import Transaction
from alerting.database.intake import dead_letters, events
from alerting.database.rows.intake import DeadLetterRow, EventRow
from alerting.database.rulebook import rulebooks
from alerting.domain.alerts.judge import Judgement, RuleOutcome, judge, points_from
from alerting.domain.alerts.suppression import REASONS
from alerting.domain.customers.standing import Subject, Subjects
from alerting.domain.customers.value import VALUE_FIELDS
from alerting.domain.errors import RulebookInvalid
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import OF_PEOPLE
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.explain_alert import explained_alert, plain
from alerting.services.alerts.explanation import (
    ConditionLine,
    ExplainedAlert,
    Explanation,
    RuleLine,
)
from alerting.services.context import Context
from alerting.services.customers.subjects import load_histories, load_scales


def explain(ctx: Context, reference: str, source: str | None = None) -> Explanation | DeadLetterRow:
    """An event by `#number` or id, or the row of a dead letter by its place. Raises LookupError
    with what to do.
    """
    with ctx.db.read() as tx:
        found = events.find_event(tx, reference, source)
        if not found:
            letters = dead_letters.letters_at(tx, reference)
            if letters:
                return letters[0]
            raise LookupError(
                f"no event has the id {reference!r}; give #number, the event's id, or a dead "
                "letter's place"
            )
        if len(found) > 1:
            sources = ", ".join(row.source for row in found)
            raise LookupError(
                f"several sources have an event {reference!r}: {sources}; add --source"
            )
        return _explained(tx, ctx, found[0])


def _explained(tx: Transaction, ctx: Context, row: EventRow) -> Explanation:
    event, notes = events.stored_event(row), []
    try:
        rulebook = ctx.shelf.get(tx, row.rulebook)
    except RulebookInvalid:
        rulebook = ctx.shelf.active(tx)
        notes.append(
            f"this version cannot read rulebook {row.rulebook[:12]}; the active one judges here"
        )
    judgement = judge(event, _subject(tx, event, rulebook), rulebook, every_rule=True)
    alerts = [
        explained_alert(tx, ctx, alert) for alert in alert_records.alerts_of_event(tx, row.seq)
    ]
    notes += _notes(row, judgement, alerts)
    return Explanation(
        event=_event(row, event),
        customer=_customer(judgement),
        rulebook={"hash": row.rulebook, "active": rulebooks.active_hash(tx) == row.rulebook},
        rules=[_rule(outcome) for outcome in judgement.outcomes],
        alerts=alerts,
        notes=notes,
    )


def _subject(tx: Transaction, event: Event, rulebook: Rulebook) -> Subject:
    """The customer as of the event with its groups; their points from the stored events, whatever
    the store kept.
    """
    histories = load_histories(tx, [event.customer_key])
    lives = {key: points_from(events.events_of(tx, key, event.time), rulebook) for key in histories}
    scales = load_scales(tx, rulebook, event.time)
    return Subjects(histories=histories, points=lives, scales=scales).at(
        event.customer_key, event.time
    )


def _event(row: EventRow, event: Event) -> dict[str, object]:
    return {
        "number": row.seq,
        "source": row.source,
        "id": row.id,
        "type": row.type,
        "time": plain(row.time),
        "received_at": plain(row.received_at),
        "recorded_at": plain(row.recorded_at),
        "place": row.place,
        "customer": row.customer_key,
        "fields": {
            name: plain(value) for name, value in event.fields().items() if value is not None
        },
    }


def _customer(judgement: Judgement) -> dict[str, object]:
    return {
        "key": judgement.customer.key,
        "name": judgement.customer.name,
        "known": judgement.customer.known,
        "segment": judgement.membership.segment,
        "segment_why": judgement.membership.why,
        "tags": list(judgement.tags),
        "health": judgement.facts.get("customer.health"),
        "value": {name: plain(judgement.facts.get(f"customer.{name}")) for name in VALUE_FIELDS},
        "signals": {name: plain(value) for name, value in judgement.signals.items()},
    }


def _rule(outcome: RuleOutcome) -> RuleLine:
    words = {True: "true", False: "false", None: "unknown"}
    conditions = [
        ConditionLine(
            name=truth.name,
            sql=truth.sql,
            truth=words[truth.value],
            reads={name: plain(value) for name, value in truth.reads.items()},
        )
        for truth in outcome.truths
    ]
    return RuleLine(
        rule=outcome.rule.id, title=outcome.rule.title, fires=outcome.fired, conditions=conditions
    )


def _notes(row: EventRow, judgement: Judgement, alerts: Sequence[ExplainedAlert]) -> Iterator[str]:
    """Why nobody was told, and where today's facts say something else than those of then."""
    if row.type in OF_PEOPLE:
        yield (
            "a fact about one of our own people: nothing is judged by it; `alerting people "
            "list` shows what holds"
        )
        return
    yield from _why_nobody(row.excluded, alerts)
    yield from _changed_since(judgement, alerts)
    if row.clamped:
        yield "its time lay ahead of ours; it counts from when it was received"


def _standing(alerts: Sequence[ExplainedAlert]) -> list[ExplainedAlert]:
    return [a for a in alerts if a["state"] != "withdrawn" and a["superseded_at"] is None]


def _why_nobody(excluded: str | None, alerts: Sequence[ExplainedAlert]) -> Iterator[str]:
    """Why nobody was told; nothing where somebody was."""
    standing = _standing(alerts)
    if excluded:
        yield f"nobody was told: {REASONS.get(excluded, excluded)}"
    elif not alerts:
        yield "nobody was told: no rule had all its conditions true"
    elif standing and all(alert["suppressed"] for alert in alerts):
        quiet = sorted({alert["suppressed"] for alert in standing if alert["suppressed"]})
        yield f"nobody was told: {'; '.join(REASONS.get(reason, reason) for reason in quiet)}"


def _changed_since(judgement: Judgement, alerts: Sequence[ExplainedAlert]) -> Iterator[str]:
    """Where what is known today says something else than what was known then."""
    stored = {alert["rule"] for alert in _standing(alerts)}
    today = {outcome.rule.id for outcome in judgement.alerts}
    for alert in alerts:
        if alert["state"] != "raised":
            yield (
                f"facts that arrived later: {alert['rule']} was {alert['state']} at "
                f"{alert['raised_at']}"
            )
    if not judgement.outcomes:
        yield f"no rule is on {judgement.event.type}"
    for rule in sorted(today - stored):
        yield f"with what is known today, {rule} would fire; the facts it needs arrived later"
    for rule in sorted(stored - today):
        yield f"with what is known today, {rule} would not fire; its facts were corrected later"
