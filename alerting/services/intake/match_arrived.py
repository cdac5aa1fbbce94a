"""Answers known only by an address, as they arrive."""

from collections.abc import Mapping
from dataclasses import replace

from alerting.database.engine import Transaction
from alerting.database.intake import addresses, events
from alerting.domain.intake.payloads import RESPONDENT_PREFIX


def matched(
    tx: Transaction, arrived: dict[tuple[str, str], events.Arrived]
) -> tuple[dict[tuple[str, str], events.Arrived], dict[str, list[str]]]:
    """Answers known only by an address become those of the one customer whose contact has it. Also
    who shares which.
    """
    wanted = {
        a.event.customer_key
        for a in arrived.values()
        if a.event.customer_key.startswith(RESPONDENT_PREFIX)
    }
    if not wanted:
        return arrived, {}
    owners = addresses.owners_of(tx, wanted)
    found = {}
    for identity, a in arrived.items():
        mine = owners.get(a.event.customer_key, [])
        found[identity] = (
            replace(a, event=replace(a.event, matched=mine[0])) if len(mine) == 1 else a
        )
    return found, owners


def unmatched(
    arrived: Mapping[tuple[str, str], events.Arrived],
    seqs: Mapping[tuple[str, str], int],
    owners: Mapping[str, list[str]],
) -> list[dict[str, object]]:
    rows = []
    for identity, seq in seqs.items():
        key = arrived[identity].event.customer_key
        if key.startswith(RESPONDENT_PREFIX):
            rows.append({"event_seq": seq, "address": key, "candidates": owners.get(key, [])})
    return rows
