"""Forgetting a customer: what is personal goes everywhere, figures and the audit's skeleton stay.

The wish itself is an event in the log: whatever is replayed or restored meets it again, and forgets
again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from alerting.database.alerts import alert_records
from alerting.database.audit import audit_entries, erasure
from alerting.database.cases import cases
from alerting.database.customers import customers
from alerting.database.intake import events
from alerting.database.mail import notifications
from alerting.domain.audit.entries import Action, Entry, EntrySubject, Machine
from alerting.domain.cases.case_revision import forget_case
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import CustomerForgotten
from alerting.services.cases.apply_decision import Cause, apply_decision
from alerting.services.cases.load_case import clocks_of
from alerting.services.judging_round import Round
from alerting.services.mail.records import skip


def forgotten_value(wish: Mapping[str, str]) -> bytes:
    """The wish `{customer_id, time, by}` as an event's bytes; the same wish is always the same
    event.
    """
    envelope = {
        "specversion": "1.0",
        "type": "customer.forgotten",
        "source": "/forget",
        "id": f"{wish['time']} {wish['customer_id']}"[:200],
        "time": wish["time"],
        "data": {"customer_id": wish["customer_id"], "by": wish["by"]},
    }
    return json.dumps(envelope, ensure_ascii=False).encode()


def forget_all(round_: Round, fresh: Iterable[events.Arrived], gone: dict[str, datetime]) -> None:
    """Carry out the wishes among these events, and forget again what came late of customers `gone`
    already.
    """
    again = set()
    for event in (arrived.event for arrived in fresh):
        if isinstance(event.payload, CustomerForgotten):
            _forget(round_, event, event.payload)
        elif event.time <= gone.get(event.customer_key, event.time) and event.customer_key in gone:
            again.add(event.customer_key)
    for key in sorted(again):
        erasure.erase(round_.tx, key, gone[key])


def _forget(round_: Round, event: Event, payload: CustomerForgotten) -> None:
    key, tx = event.customer_key, round_.tx
    addresses = erasure.addresses_of(tx, key)
    customers.lock_customers(tx, addresses)
    for name in (key, *addresses):
        _close(round_, name)
        erasure.note_forgotten(tx, name, event.time, round_.now)
    erasure.erase(tx, key, event.time)
    entry = Entry(
        actor=payload.by or event.source,
        action=Action.CUSTOMER_FORGOTTEN,
        subject=EntrySubject(kind="customer", id=key),
        happened_at=event.time,
        cause=f"event:{event.source} {event.id}",
        customer_key=None,
    )
    audit_entries.write(tx, entry, round_.now)


def _close(round_: Round, key: str) -> None:
    """Nobody is to call somebody we do not know any more: an open case ends, and what waits is not
    sent.
    """
    case = cases.unresolved_cases(round_.tx, [key]).get(key)
    if case is None:
        return
    clocks = clocks_of(round_.tx, round_.ctx, case.id)
    decision = forget_case(case, clocks, round_.now)
    cause = Cause(kind="alert", id=alert_records.newest_alert(round_.tx, case.id))
    apply_decision(round_.tx, round_.ctx, decision, Machine.ERASURE, cause, round_.now)
    for note in notifications.of_case(round_.tx, case.id):
        if note.status == "pending":
            skip(round_.tx, note, "the customer was forgotten", round_.now)


def exclusions(arrived: Sequence[Event], gone: dict[str, datetime]) -> set[tuple[str, str]]:
    """Of these events those that happened before their customer was forgotten: they tell nobody."""
    return {
        (e.source, e.id)
        for e in arrived
        if e.customer_key in gone and e.time <= gone[e.customer_key]
    }
