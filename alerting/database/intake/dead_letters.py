"""Events that could not be read or judged, until somebody replays or discards them."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from alerting.database.engine import Transaction
from alerting.database.rows.intake import DeadLetterRow
from alerting.database.tables import dead_letter
from alerting.domain.errors import UnreadableEvent
from alerting.domain.intake.events import Event, parse_event

_WAITING = dead_letter.c.replayed_at.is_(None) & dead_letter.c.discarded_at.is_(None)


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A record that could not be read or judged, with everything needed to try again."""

    place: str
    raw: bytes
    headers: Mapping[str, bytes]
    received_at: datetime
    error: UnreadableEvent


def bury(tx: Transaction, letters: Sequence[DeadLetter], now: datetime) -> None:
    """Store dead letters; the same bytes at the same place are stored once."""
    rows = [
        {
            "place": letter.place,
            "digest": hashlib.sha256(letter.raw).hexdigest(),
            **_why(letter.error),
            "raw": letter.raw,
            "headers": [
                [_storable(n), base64.b64encode(value).decode()]
                for n, value in letter.headers.items()
            ],
            "received_at": letter.received_at,
            "recorded_at": now,
        }
        for letter in letters
    ]
    if rows:
        tx.execute(tx.insert(dead_letter).on_conflict_do_nothing(), rows)


def _why(error: UnreadableEvent) -> dict[str, str | None]:
    """Fit for the table whatever a producer made up: a dead letter that cannot be stored would hold
    up its partition.
    """
    field = None if error.field is None else _storable(error.field)[:400]
    return {"reason": error.reason, "field": field, "detail": _storable(error.detail)[:2000]}


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd")


def list_letters(
    tx: Transaction, *, waiting_only: bool = True, only_id: int | None = None
) -> list[DeadLetterRow]:
    """Dead letters, oldest first; those already replayed or set aside are left out unless asked
    for.
    """
    statement = select(dead_letter).order_by(dead_letter.c.id)
    if waiting_only:
        statement = statement.where(_WAITING)
    if only_id is not None:
        statement = statement.where(dead_letter.c.id == only_id)
    return tx.rows(DeadLetterRow, statement)


def letters_at(tx: Transaction, place: str) -> list[DeadLetterRow]:
    """Dead letters at one place, newest first."""
    statement = select(dead_letter).where(dead_letter.c.place == place)
    return tx.rows(DeadLetterRow, statement.order_by(dead_letter.c.id.desc()))


def headers_of(row: DeadLetterRow) -> dict[str, bytes]:
    return {name: base64.b64decode(value) for name, value in row.headers}


def reread(row: DeadLetterRow) -> Event:
    """Try to read a dead letter again. Raises UnreadableEvent as the first time."""
    return parse_event(bytes(row.raw), headers_of(row), row.received_at)


def note_replay(
    tx: Transaction, letter_id: int, error: UnreadableEvent | None, now: datetime
) -> None:
    """A replay that worked closes the letter; one that did not keeps the newest reason."""
    values: dict[str, object] = {"attempts": dead_letter.c.attempts + 1}
    if error is None:
        values["replayed_at"] = now
    else:
        values |= _why(error)
    tx.execute(update(dead_letter).where(dead_letter.c.id == letter_id).values(**values))


def discard(tx: Transaction, letter_id: int, reason: str, actor: str, now: datetime) -> bool:
    """Set a waiting dead letter aside; False where it does not wait."""
    values = {"discarded_at": now, "discarded_by": actor[:200], "discard_reason": reason}
    return (
        tx.execute(
            update(dead_letter).where(dead_letter.c.id == letter_id, _WAITING).values(**values)
        ).rowcount
        == 1
    )


def unpublished(tx: Transaction, limit: int = 100) -> list[DeadLetterRow]:
    return tx.rows(
        DeadLetterRow,
        select(dead_letter)
        .where(dead_letter.c.published_at.is_(None))
        .order_by(dead_letter.c.id)
        .limit(limit),
    )


def mark_published(tx: Transaction, ids: Sequence[int], now: datetime) -> None:
    tx.execute(update(dead_letter).where(dead_letter.c.id.in_(ids)).values(published_at=now))


def waiting_dead_letters(tx: Transaction) -> int:
    """Dead letters that were neither replayed successfully nor set aside."""
    statement = select(func.count()).select_from(dead_letter).where(_WAITING)
    return tx.execute(statement).scalar_one()  # type: ignore[no-any-return]
