"""The grade of each contact is kept with it, so that a report over a million of them need not look
at every event.
"""

from collections.abc import Iterable
from datetime import datetime

from alerting.database.cases import case_records
from alerting.database.engine import Transaction
from alerting.database.intake import events
from alerting.domain.cases.contact_proof import AROUND, proof_of
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import InteractionRecorded


def prove_by(tx: Transaction, arrived: Iterable[Event]) -> None:
    """What systems report of ours turning to customers proves contacts that are recorded
    already.
    """
    calls = [
        e
        for e in arrived
        if isinstance(e.payload, InteractionRecorded) and e.payload.direction == "outbound"
    ]
    if calls:
        times = [call.time for call in calls]
        prove(tx, {call.customer_key for call in calls}, min(times), max(times))


def prove(tx: Transaction, keys: Iterable[str], begin: datetime, end: datetime) -> None:
    """Grade the contacts of these customers around [begin, end] anew, by all events there are."""
    for row in case_records.contacts_near(tx, keys, begin - AROUND, end + AROUND):
        logged = events.outbound_between(
            tx, row.customer_key, row.happened_at - AROUND, row.happened_at + AROUND
        )
        proof = proof_of(row.channel, row.happened_at, row.recorded_at, logged, row.since)
        grade = proof.grade if proof.event is not None else None
        if grade != row.grade:
            case_records.keep_grade(tx, row.id, grade)
