"""Erasing what is personal about one customer, table by table. Keys, figures and the audit's
entries stay.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from alerting.database.engine import Transaction
from alerting.database.rows.audit import EntryRow
from alerting.database.sets import among
from alerting.database.tables import (
    alert,
    audit_entry,
    case_file,
    contact_address,
    contact_attempt,
    correction,
    customer_version,
    dead_letter,
    delivery,
    digest,
    effectiveness_review,
    event,
    forgotten,
    notification,
    personal_key,
    personal_value,
    signal_point,
    unmatched,
    wait,
)
from alerting.domain.audit.forgotten import (
    NOBODY,
    forgotten_payload,
    forgotten_reads,
    forgotten_state,
)
from alerting.domain.intake.payloads import RESPONDENT_PREFIX, Respondent, address_key

_ROUND = timedelta(minutes=1)
"""What is written about an event that came late is erased with it in one transaction, and bears a
time a little later.
"""

_PERSONAL = {"reason", "name", "email", "tried"}
"""What the data of a notification may say about a customer."""

NOBODYS = address_key(Respondent.model_validate(NOBODY))
"""The key of the address that stands in the place of an erased one."""


def forgotten_until(tx: Transaction, keys: Iterable[str]) -> dict[str, datetime]:
    """Of these customers those that were forgotten, and up to when."""
    rows = tx.execute(
        select(forgotten).where(among(tx, forgotten.c.customer_key, sorted(set(keys))))
    )
    return {row.customer_key: row.until for row in rows}


def note_forgotten(tx: Transaction, key: str, until: datetime, now: datetime) -> None:
    upsert = tx.insert(forgotten).values(customer_key=key, until=until, recorded_at=now)
    later = {"until": until, "recorded_at": now}
    tx.execute(
        upsert.on_conflict_do_update(
            index_elements=["customer_key"],
            set_=later,
            where=forgotten.c.until < upsert.excluded.until,
        )
    )


def erase(tx: Transaction, key: str, until: datetime) -> None:
    """Erase what happened up to a moment, also what was told of the customer by an address. Done
    again it changes nothing.
    """
    for address in addresses_of(tx, key):
        erase(tx, address, until)
    _erase_events(tx, key, until)
    _erase_versions(tx, key, until)
    _erase_alerts(tx, key)
    _erase_words(tx, key)
    tx.execute(delete(contact_address).where(contact_address.c.customer_key == key))
    tx.execute(delete(personal_value).where(personal_value.c.customer_key == key))
    tx.execute(delete(personal_key).where(personal_key.c.customer_key == key))


def _erase_events(tx: Transaction, key: str, until: datetime) -> None:
    e, p = event.c, signal_point.c
    chosen = select(e.seq, e.type, e.payload).where(
        e.customer_key == key, e.time <= until, e.type != "customer.forgotten"
    )
    unnamed = key.startswith(RESPONDENT_PREFIX)
    for row in list(tx.execute(chosen)):
        payload = forgotten_payload(row.type, key, row.payload, unnamed)
        tx.execute(update(event).where(e.seq == row.seq).values(payload=payload, raw=b""))
    texts = [
        row.id
        for row in tx.execute(select(p.id, p.value).where(p.customer_key == key))
        if isinstance(row.value, str)
    ]
    tx.execute(delete(signal_point).where(p.id.in_(texts)))
    named = key.encode()
    letters = select(dead_letter.c.id, dead_letter.c.raw)
    of_theirs = [row.id for row in tx.execute(letters) if named in bytes(row.raw)]
    tx.execute(
        update(dead_letter)
        .where(dead_letter.c.id.in_(of_theirs))
        .values(raw=b"", detail="erased", headers=[])
    )


def _erase_versions(tx: Transaction, key: str, until: datetime) -> None:
    v = customer_version.c
    rows = tx.execute(
        select(v.id, v.changes, v.state).where(v.customer_key == key, v.valid_from <= until)
    )
    for row in list(rows):
        left = {"changes": forgotten_state(row.changes), "state": forgotten_state(row.state)}
        tx.execute(update(customer_version).where(v.id == row.id).values(**left))


def _erase_alerts(tx: Transaction, key: str) -> None:
    a = alert.c
    for row in list(tx.execute(select(a.id, a.because, a.signals).where(a.customer_key == key))):
        signals = {name: value for name, value in row.signals.items() if not isinstance(value, str)}
        left = {"because": forgotten_reads(row.because), "signals": signals}
        tx.execute(update(alert).where(a.id == row.id).values(**left))


def _erase_words(tx: Transaction, key: str) -> None:
    """What people wrote about the customer: notes, reasons, and what a template or a mail server
    quoted.
    """
    mine = select(case_file.c.id).where(case_file.c.customer_key == key)
    tx.execute(update(contact_attempt).where(contact_attempt.c.case_id.in_(mine)).values(note=""))
    tx.execute(update(wait).where(wait.c.case_id.in_(mine)).values(reason=""))
    tx.execute(update(correction).where(correction.c.case_id.in_(mine)).values(reason=""))
    tx.execute(
        update(effectiveness_review)
        .where(effectiveness_review.c.case_id.in_(mine))
        .values(note=None)
    )
    n = notification.c
    for row in list(tx.execute(select(n.id, n.data).where(n.customer_key == key))):
        if _PERSONAL & row.data.keys():
            left = {name: value for name, value in row.data.items() if name not in _PERSONAL}
            tx.execute(update(notification).where(n.id == row.id).values(data=left))
    theirs = select(n.id).where(n.customer_key == key)
    quoted = (delivery.c.notification_id.in_(theirs), delivery.c.render_error.is_not(None))
    tx.execute(update(delivery).where(*quoted).values(render_error="erased"))


def addresses_of(tx: Transaction, key: str) -> list[str]:
    """Keys of the addresses that are this customer's and nobody else's: of its contacts, and of
    answers that were found to be its.
    """
    u, c, e = unmatched.c, contact_address.c, event.c
    found = set(tx.execute(select(u.address).where(u.customer_key == key)).scalars())
    found |= set(tx.execute(select(c.address).where(c.customer_key == key)).scalars())
    answers = select(e.payload).where(e.customer_key == key, e.type == "survey.answered")
    for payload in list(tx.execute(answers).scalars()):
        if payload.get("customer_id") is None and payload.get("respondent"):
            found.add(address_key(Respondent.model_validate(payload["respondent"])))
    given = sorted(found)
    others = select(u.address).where(among(tx, u.address, given), u.customer_key != key)
    shared = select(c.address).where(among(tx, c.address, given), c.customer_key != key)
    return sorted(found - {key, NOBODYS} - set(tx.execute(others.union(shared)).scalars()))


def explained(tx: Transaction, entries: Sequence[EntryRow]) -> set[int]:
    """Of these audit entries those whose customer was forgotten after they were written, so that
    their personal values are rightly gone. What comes late of somebody who was forgotten erases
    again.
    """
    about = _customers_of(tx, entries)
    erased = _erased_at(tx, sorted({key for keys in about.values() for key in keys}))
    return {
        entry.id
        for entry in entries
        if any(
            key in erased and entry.recorded_at <= erased[key] for key in about.get(entry.id, ())
        )
    }


def _customers_of(tx: Transaction, entries: Sequence[EntryRow]) -> dict[int, set[str]]:
    """By entry the keys its words may be kept under: what was a stranger's may have become a
    customer's since.
    """
    numbers: dict[str, dict[int, list[int]]] = {"case": {}, "alert": {}}
    for entry in entries:
        if entry.subject_kind in numbers and entry.subject_id.isdecimal():
            numbers[entry.subject_kind].setdefault(int(entry.subject_id), []).append(entry.id)
    c, a = case_file.c, alert.c
    joined = alert.join(event, event.c.seq == a.event_seq).outerjoin(
        unmatched, unmatched.c.event_seq == a.event_seq
    )
    keys = (
        c.customer_key,
        a.customer_key.label("of_alert"),
        event.c.customer_key.label("of_event"),
        unmatched.c.address,
    )
    cases = select(c.id, *keys).select_from(case_file.outerjoin(joined, a.case_id == c.id))
    alerts = select(a.id, *keys).select_from(joined.outerjoin(case_file, c.id == a.case_id))
    found: dict[int, set[str]] = {}
    for kind, statement, column in (("case", cases, c.id), ("alert", alerts, a.id)):
        mine = statement.where(among(tx, column, sorted(numbers[kind])))
        for row in tx.execute(mine) if numbers[kind] else ():
            for entry_id in numbers[kind][row.id]:
                found.setdefault(entry_id, set()).update(set(row[1:]) - {None})
    return found


def _erased_at(tx: Transaction, keys: Sequence[str]) -> dict[str, datetime]:
    """When what was kept of these was last erased. A wish counts that is in the audit: it names a
    customer, and whatever addresses were this customer's have its moment.
    """
    if not keys:
        return {}
    f, e, v = forgotten.c, audit_entry.c, event.c
    wish = (
        (e.subject_kind == "customer")
        & (e.action == "customer.forgotten")
        & (e.happened_at == f.until)
    )
    named = or_(
        e.subject_id == f.customer_key,
        f.customer_key.startswith(RESPONDENT_PREFIX, autoescape=True),
    )
    late = (v.customer_key == f.customer_key, v.time <= f.until, v.recorded_at > f.recorded_at)
    again = select(func.max(v.recorded_at)).where(*late).scalar_subquery().label("again")
    statement = select(f.customer_key, func.max(e.recorded_at).label("at"), again).join(
        audit_entry, wish & named
    )
    rows = tx.execute(
        statement.where(among(tx, f.customer_key, keys)).group_by(f.customer_key, f.until)
    )
    return {
        row.customer_key: max(row.at, row.again + _ROUND if row.again else row.at) for row in rows
    }


def message_ids(tx: Transaction, keys: Sequence[str]) -> list[str]:
    """Of every mail about these customers or one of their cases, digests included."""
    n = notification.c
    joined = notification.outerjoin(digest, digest.c.id == n.digest_id)
    theirs = select(case_file.c.id).where(among(tx, case_file.c.customer_key, keys))
    chosen = among(tx, n.customer_key, keys) | n.case_id.in_(theirs)
    columns = select(n.message_id, digest.c.message_id.label("whole")).select_from(joined)
    rows = tx.execute(columns.where(chosen)).all()
    whole = {row.whole for row in rows if row.whole}
    return sorted({row.message_id for row in rows} | whole)


def what_is_known(tx: Transaction, key: str) -> dict[str, int]:
    """How much there is of a customer: events and versions, for whoever is asked whether to go
    on.
    """
    counts = {}
    for name, table in (("events", event), ("versions", customer_version), ("cases", case_file)):
        mine = select(func.count()).select_from(table).where(table.c.customer_key == key)
        counts[name] = tx.execute(mine).scalar_one()
    return counts
