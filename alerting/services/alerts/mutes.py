"""Mutes as people set and end them; each is audited."""

from datetime import datetime, timedelta

from alerting.database.alerts import mutes
from alerting.database.audit import audit_entries
from alerting.database.engine import Transaction
from alerting.domain.alerts.suppression import Mute, Scope
from alerting.domain.audit.entries import Action, Entry, EntrySubject
from alerting.domain.errors import ActionRefused
from alerting.services.context import Context

LONGEST = timedelta(days=90)
"""A mute nobody remembers is a rule that was switched off unseen."""


def add_mute(
    ctx: Context, scope: Scope, name: str, length: timedelta, author: str, reason: str
) -> int:
    """Notify nobody of a rule's alerts, a customer's or a segment's, for some time. Raises
    ActionRefused.
    """
    if not timedelta(0) < length <= LONGEST:
        raise ActionRefused(f"a mute lasts up to {LONGEST.days} days; for longer, change the rule")

    def once() -> int:
        with ctx.db.write() as tx:
            now = tx.now()
            rulebook = ctx.shelf.active(tx)
            if scope == "rule" and rulebook.rule(name) is None:
                raise ActionRefused(
                    f"there is no rule {name!r}; known are "
                    f"{', '.join(r.id for r in rulebook.rules)}"
                )
            if scope == "segment" and name not in {segment.id for segment in rulebook.segments}:
                known = ", ".join(segment.id for segment in rulebook.segments)
                raise ActionRefused(f"there is no segment {name!r}; known are {known}")
            number = mutes.add_mute(
                tx, Mute(scope=scope, name=name, until=now + length), author, reason, now
            )
            _note(
                tx,
                Action.SILENCE_ADDED,
                number,
                {"scope": scope, "name": name, "reason": reason},
                author,
                now,
            )
            return number

    return ctx.db.retrying(once)


def end_mute(ctx: Context, mute_id: int, author: str) -> None:
    """End it before its time. Raises ActionRefused where no such mute is in force."""

    def once() -> None:
        with ctx.db.write() as tx:
            now = tx.now()
            if not mutes.end_mute(tx, mute_id, now):
                raise ActionRefused(f"no mute {mute_id} is in force; see `alerting mute list`")
            _note(tx, Action.SILENCE_ENDED, mute_id, {}, author, now)

    ctx.db.retrying(once)


def _note(
    tx: Transaction,
    action: Action,
    number: int,
    facts: dict[str, object],
    author: str,
    now: datetime,
) -> None:
    entry = Entry(
        actor=author,
        action=action,
        subject=EntrySubject(kind="silence", id=str(number)),
        happened_at=now,
        facts=facts,
    )
    audit_entries.write(tx, entry, now)
