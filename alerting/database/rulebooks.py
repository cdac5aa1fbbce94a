"""Stored rulebooks, which one is active, and the dated facts about people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from alerting.database.engine import Transaction
from alerting.database.tables import activation, active_rulebook, party_fact, proposal, rulebook
from alerting.domain.people import Party, Staff


def active_hash(tx: Transaction, *, hold: bool = False) -> str | None:
    """The active rulebook's hash. `hold` keeps it active until this transaction ends: read it after the customer locks."""
    statement = select(active_rulebook.c.hash)
    if hold:
        statement = statement.with_for_update(read=True)
    return tx.execute(statement).scalar()


def files_of(tx: Transaction, content_hash: str) -> dict[str, str]:
    return dict(tx.execute(select(rulebook.c.files).where(rulebook.c.hash == content_hash)).scalar_one())


def store_rulebook(tx: Transaction, content_hash: str, files: Mapping[str, str], now: datetime) -> None:
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


def activations(tx: Transaction) -> list[Any]:
    """Every activation, newest first."""
    return list(tx.execute(select(activation).order_by(activation.c.id.desc())))


def proposals(tx: Transaction) -> list[Any]:
    """What waits for a second person, newest first."""
    return list(tx.execute(select(proposal).order_by(proposal.c.proposed_at.desc())))


def propose(tx: Transaction, content_hash: str, author: str, reason: str, now: datetime) -> None:
    """Let a stored rulebook wait for a second person; proposed again, it is the newer author's."""
    values = {"proposed_at": now, "author": author, "reason": reason}
    upsert = tx.insert(proposal).values(rulebook=content_hash, **values)
    tx.execute(upsert.on_conflict_do_update(index_elements=["rulebook"], set_=values))


def activate(
    tx: Transaction, content_hash: str, author: str, reason: str, now: datetime, approver: str | None = None
) -> None:
    """Make a stored rulebook the active one; nothing is proposed any more that was meant to follow the former."""
    moved = tx.execute(update(active_rulebook).values(hash=content_hash)).rowcount
    if not moved:
        tx.execute(tx.insert(active_rulebook).on_conflict_do_nothing(), [{"id": 1, "hash": content_hash}])
    made = {"author": author, "reason": reason, "approver": approver}
    tx.execute(activation.insert().values(rulebook=content_hash, activated_at=now, **made))
    tx.execute(proposal.delete())


def staff_at(tx: Transaction, moment: datetime) -> Staff:
    """Everybody by the latest dated fact that is valid at a moment; what was recorded last wins a tie."""
    f = party_fact.c
    latest = (
        select(
            f.id,
            func.row_number().over(partition_by=f.party, order_by=(f.valid_from.desc(), f.id.desc())).label("nth"),
        )
        .where(f.valid_from <= moment)
        .subquery()
    )
    rows = tx.execute(select(f.facts).join(latest, latest.c.id == f.id).where(latest.c.nth == 1, f.facts.is_not(None)))
    parties = [Party.model_validate(facts) for (facts,) in rows]
    return Staff(parties={party.id: party for party in parties})


def party_at(tx: Transaction, party: str, moment: datetime) -> Party | None:
    """One of them, by the same facts."""
    f = party_fact.c
    statement = select(f.facts).where(f.party == party, f.valid_from <= moment)
    facts = tx.execute(statement.order_by(f.valid_from.desc(), f.id.desc()).limit(1)).scalar()
    return Party.model_validate(facts) if facts is not None else None


def import_people(tx: Transaction, people: Mapping[str, Party], now: datetime) -> list[str]:
    """Store what is new or changed about people as facts valid from now on; returns whose facts changed.

    Whoever is not among them any more has left: from now on no role falls to them.
    """
    known = staff_at(tx, now).parties
    first = not known
    changed = [party for party in people.values() if known.get(party.id) != party]
    valid_from = datetime.min.replace(year=1970, tzinfo=now.tzinfo) if first else now
    for party in changed:
        tx.execute(
            party_fact.insert().values(
                party=party.id, valid_from=valid_from, recorded_at=now, facts=party.model_dump(mode="json")
            )
        )
    left = sorted(known.keys() - people.keys()) if people else []
    for name in left:
        tx.execute(party_fact.insert().values(party=name, valid_from=now, recorded_at=now, facts=None))
    return [*(party.id for party in changed), *left]
