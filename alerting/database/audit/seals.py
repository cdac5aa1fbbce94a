"""Seals over the audit's entries, in the order in which they were sealed, and the checkpoints that
were handed out.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import LargeBinary, cast, delete, func, select, update

from alerting.database.audit import audit_entries
from alerting.database.bulk import add_rows
from alerting.database.engine import Transaction
from alerting.database.rows.audit import EntryRow, PersonalRow, SealedRow, SealOfEntry
from alerting.database.tables import (
    audit_checkpoint,
    audit_entry,
    audit_head,
    audit_seal,
    audit_unsealed,
    personal_key,
    personal_value,
)
from alerting.domain.audit.seals import Head, Seal, amiss
from alerting.domain.errors import ChainBroken

PAGE = 1_000

_BEFORE_ALL = -(2**62)
"""Less than any seal's number, those somebody made up included."""


def lock_head(tx: Transaction) -> Head:
    """Where the chain ends; nobody else seals until the commit. Raises ChainBroken."""
    first = {"id": 1, "seq": Head().seq, "hash": Head().hash}
    tx.execute(tx.insert(audit_head).on_conflict_do_nothing(), [first])
    tx.execute(select(audit_head.c.id).with_for_update()).one()
    return sound_end(tx)


def sound_end(tx: Transaction) -> Head:
    """The newest seal, which must be the noted end, too. Raises ChainBroken."""
    noted, newest = ends(tx)
    wrong = amiss(noted, newest)
    if wrong is not None:
        raise ChainBroken(
            f"{wrong}; `alerting audit verify` computes all of it, docs/how-to/troubleshoot.md "
            "says how to go on"
        )
    return newest


def head_of(tx: Transaction) -> Head:
    """The newest seal, whatever is noted."""
    return ends(tx)[1]


def ends(tx: Transaction) -> tuple[Head | None, Head]:
    """The end of the chain as it is noted (None: it is not) and the newest seal, both of one
    instant.
    """
    h, s = audit_head.c, audit_seal.c
    noted = {
        f"noted_{column.name}": select(column).limit(1).scalar_subquery()
        for column in (h.seq, h.hash)
    }
    newest = {
        f"newest_{column.name}": select(column).order_by(s.seq.desc()).limit(1).scalar_subquery()
        for column in (s.seq, s.hash)
    }
    columns = (column.label(name) for name, column in {**noted, **newest}.items())
    found = tx.execute(select(*columns)).one()
    ended = _head(found.newest_seq, found.newest_hash)
    return _head(found.noted_seq, found.noted_hash), ended or Head()


def _head(seq: int | None, hash_: str) -> Head | None:
    return None if seq is None else Head(seq=seq, hash=hash_)


def unsealed(tx: Transaction, limit: int) -> list[tuple[int, bytes]]:
    """Entries that wait for their seal, with their bytes, in the order of their numbers."""
    e = audit_entry.c
    statement = (
        select(e.id, audit_entries.BODY)
        .join(audit_unsealed, audit_unsealed.c.entry_id == e.id)
        .order_by(e.id)
        .limit(limit)
    )
    return [(row.id, bytes(row.body)) for row in tx.execute(statement)]


def add_seals(tx: Transaction, seals: Sequence[Seal], now: datetime) -> None:
    rows = [
        {"seq": s.seq, "entry_id": s.entry, "prev": s.prev, "hash": s.hash, "sealed_at": now}
        for s in seals
    ]
    add_rows(tx, audit_seal, rows)
    tx.execute(update(audit_head).values(seq=seals[-1].seq, hash=seals[-1].hash))
    tx.execute(
        delete(audit_unsealed).where(audit_unsealed.c.entry_id.in_([seal.entry for seal in seals]))
    )


def sealed(tx: Transaction, until: int) -> Iterator[tuple[Seal, EntryRow | None]]:
    """The seals up to a number, with their entries' rows; None for an entry that is gone."""
    s, last = audit_seal.c, _BEFORE_ALL
    joined = select(s.seq, s.entry_id, s.prev, s.hash, *audit_entries.columns()).join_from(
        audit_seal, audit_entry, audit_entry.c.id == s.entry_id, isouter=True
    )
    while True:
        page = joined.where(s.seq > last, s.seq <= until).order_by(s.seq).limit(PAGE)
        rows = tx.rows(SealedRow, page)
        for row in rows:
            seal = Seal(seq=row.seq, entry=row.entry_id, prev=row.prev, hash=row.hash)
            yield seal, row.entry
        if len(rows) < PAGE:
            return
        last = rows[-1].seq


def seals_of(tx: Transaction, subject_kind: str, subject_id: str) -> list[SealOfEntry]:
    """The entries about one subject, oldest first, each with its seal's number and hash; None where
    it waits.
    """
    e, s = audit_entry.c, audit_seal.c
    joined = select(e.id, e.recorded_at, e.actor, e.action, s.seq, s.hash).join_from(
        audit_entry, audit_seal, s.entry_id == e.id, isouter=True
    )
    mine = (e.subject_kind == subject_kind, e.subject_id == subject_id)
    return tx.rows(SealOfEntry, joined.where(*mine).order_by(e.id))


def count_unsealed(tx: Transaction) -> tuple[int, int]:
    """Entries without a seal, and how many of them do not even wait for one: those were not written
    by us.
    """
    e, s, u = audit_entry.c, audit_seal.c, audit_unsealed.c
    joined = audit_entry.outerjoin(audit_seal, s.entry_id == e.id).outerjoin(
        audit_unsealed, u.entry_id == e.id
    )
    counts = select(
        func.count().label("without"), func.count(u.entry_id).label("waiting")
    ).select_from(joined)
    row = tx.execute(counts.where(s.seq.is_(None))).one()
    return int(row.without), int(row.without - row.waiting)


def personal_of(tx: Transaction, entries: Sequence[int]) -> dict[int, list[PersonalRow]]:
    """The personal values of these entries, each with the key its commitment was made with (None:
    it is gone).
    """
    found: dict[int, list[PersonalRow]] = {}
    v = personal_value.c
    key = cast(personal_key.c.key, LargeBinary).label("key")
    statement = select(v.entry_id, v.name, v.value, key).outerjoin(
        personal_key, personal_key.c.customer_key == v.customer_key
    )
    for row in tx.rows(PersonalRow, statement.where(v.entry_id.in_(entries))):
        found.setdefault(row.entry_id, []).append(row)
    return found


def checkpoints(tx: Transaction) -> list[Head]:
    c = audit_checkpoint.c
    return [
        Head(seq=row.seq, hash=row.hash) for row in tx.execute(select(c.seq, c.hash).order_by(c.id))
    ]


def add_checkpoint(tx: Transaction, week: str, head: Head, now: datetime) -> int | None:
    """Note this week's checkpoint; None where another process has done so."""
    row = {"week": week, "seq": head.seq, "hash": head.hash, "recorded_at": now}
    statement = (
        tx.insert(audit_checkpoint).values(row).on_conflict_do_nothing(index_elements=["week"])
    )
    return tx.execute(statement.returning(audit_checkpoint.c.id)).scalar()


def has_checkpoint(tx: Transaction, week: str) -> bool:
    return (
        tx.execute(select(audit_checkpoint.c.id).where(audit_checkpoint.c.week == week)).first()
        is not None
    )
