"""Stored rulebooks, and which one is active."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update

from alerting.database.engine import Transaction
from alerting.database.rows.rules import ActivationRow, ProposalRow
from alerting.database.tables import activation, active_rulebook, proposal, rulebook

_WAITING = proposal.c.closed_at.is_(None)


def active_hash(tx: Transaction, *, hold: bool = False) -> str | None:
    """The active rulebook's hash. `hold` keeps it active until this transaction ends: read it after
    the customer locks.
    """
    statement = select(active_rulebook.c.hash)
    if hold:
        statement = statement.with_for_update(read=True)
    return tx.execute(statement).scalar()


def files_of(tx: Transaction, content_hash: str) -> dict[str, str]:
    return dict(
        tx.execute(select(rulebook.c.files).where(rulebook.c.hash == content_hash)).scalar_one()
    )


def store_rulebook(
    tx: Transaction, content_hash: str, files: Mapping[str, str], now: datetime
) -> None:
    row = {"hash": content_hash, "files": dict(files), "stored_at": now}
    tx.execute(tx.insert(rulebook).on_conflict_do_nothing(), [row])


def lock_active(tx: Transaction) -> str | None:
    """Wait for every judgement under the active rulebook to commit, and let no other begin."""
    return tx.execute(select(active_rulebook.c.hash).with_for_update()).scalar()


def named(tx: Transaction, beginning: str) -> list[str]:
    """The hashes of stored rulebooks that begin like this, oldest first."""
    escaped = beginning.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    statement = select(rulebook.c.hash).where(rulebook.c.hash.like(f"{escaped}%", escape="\\"))
    return list(tx.execute(statement.order_by(rulebook.c.stored_at)).scalars())


def activations(tx: Transaction) -> list[ActivationRow]:
    """Every activation, newest first."""
    return tx.rows(ActivationRow, select(activation).order_by(activation.c.id.desc()))


def proposals(tx: Transaction) -> list[ProposalRow]:
    """What waits for a second person, newest first."""
    return tx.rows(ProposalRow, select(proposal).where(_WAITING).order_by(proposal.c.id.desc()))


def newest_proposal(tx: Transaction, content_hash: str) -> ProposalRow | None:
    """Also one that was declined or has come to pass; None where nobody has proposed it."""
    of_it = select(proposal).where(proposal.c.rulebook == content_hash)
    return tx.first(ProposalRow, of_it.order_by(proposal.c.id.desc()).limit(1))


def proposal_by_id(tx: Transaction, number: int) -> ProposalRow | None:
    return tx.first(ProposalRow, select(proposal).where(proposal.c.id == number))


def propose(
    tx: Transaction,
    content_hash: str,
    author: str,
    reason: str,
    now: datetime,
    asked: str | None = None,
) -> int:
    """Let a stored rulebook wait for a second person; proposed again, it is the newer author's."""
    tx.execute(
        update(proposal).where(_WAITING, proposal.c.rulebook == content_hash).values(closed_at=now)
    )
    values = {
        "rulebook": content_hash,
        "proposed_at": now,
        "author": author,
        "reason": reason,
        "asked": asked,
    }
    return int(tx.execute(proposal.insert().values(values).returning(proposal.c.id)).scalar_one())


def decline(tx: Transaction, number: int, by: str, objection: str, now: datetime) -> bool:
    """False where it does not wait any more."""
    values = {"closed_at": now, "declined_by": by, "objection": objection}
    return bool(
        tx.execute(
            update(proposal).where(_WAITING, proposal.c.id == number).values(values)
        ).rowcount
    )


def activate(
    tx: Transaction,
    content_hash: str,
    author: str,
    reason: str,
    now: datetime,
    approver: str | None = None,
) -> None:
    """Make a stored rulebook the active one; nothing is proposed any more that was meant to follow
    the former.
    """
    moved = tx.execute(update(active_rulebook).values(hash=content_hash)).rowcount
    if not moved:
        tx.execute(
            tx.insert(active_rulebook).on_conflict_do_nothing(), [{"id": 1, "hash": content_hash}]
        )
    made = {"author": author, "reason": reason, "approver": approver}
    tx.execute(activation.insert().values(rulebook=content_hash, activated_at=now, **made))
    tx.execute(update(proposal).where(_WAITING).values(closed_at=now))


def to_move(tx: Transaction) -> int | None:
    """The newest activation, where the open cases have not been moved to what it promises; the
    first has none to move.
    """
    a = activation.c
    newest = tx.execute(select(a.id, a.moved_at).order_by(a.id.desc()).limit(1)).first()
    return newest.id if newest is not None and newest.moved_at is None else None


def note_moved(tx: Transaction, number: int, now: datetime) -> None:
    tx.execute(
        update(activation)
        .where(activation.c.id <= number, activation.c.moved_at.is_(None))
        .values(moved_at=now)
    )
