"""Readers of mails: when each was last told something that need not be told at once, and the
digests made for them.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select, update

from alerting.database.engine import Transaction
from alerting.database.tables import digest, notification, reader

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def told_at(tx: Transaction, person: str) -> datetime:
    """When the reader was last told, 1970 for never. Locks the reader until the transaction
    ends.
    """
    tx.execute(tx.insert(reader).on_conflict_do_nothing(), [{"person": person, "told_at": _NEVER}])
    statement = select(reader.c.told_at).where(reader.c.person == person).with_for_update()
    return tx.execute(statement).scalar_one()  # type: ignore[no-any-return]


def tell(tx: Transaction, person: str, now: datetime) -> None:
    tx.execute(update(reader).where(reader.c.person == person).values(told_at=now))


def make_digest(
    tx: Transaction, person: str, members: Sequence[int], mail_domain: str, now: datetime
) -> str:
    """Bind notifications together for good; a later attempt may drop members, never add. Returns
    its Message-ID.
    """
    message_id = f"<{secrets.token_hex(12)}.digest@{mail_domain}>"
    row = {"recipient": person, "message_id": message_id, "created_at": now}
    number = tx.execute(digest.insert().values(row).returning(digest.c.id)).scalar_one()
    tx.execute(update(notification).where(notification.c.id.in_(members)).values(digest_id=number))
    return message_id


def digest_message_id(tx: Transaction, number: int) -> str:
    return tx.execute(select(digest.c.message_id).where(digest.c.id == number)).scalar_one()  # type: ignore[no-any-return]
