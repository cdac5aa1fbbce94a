"""Dead letters: what people do about events that could not be read or judged."""

from alerting.database.audit import audit_entries
from alerting.database.intake import dead_letters
from alerting.database.rows.intake import DeadLetterRow
from alerting.domain.audit.entries import Action, Entry, EntrySubject
from alerting.domain.errors import ActionRefused, Temporary, UnreadableEvent
from alerting.services.context import Context
from alerting.services.intake.take_records import replay


def letter_by_id(ctx: Context, letter_id: int) -> DeadLetterRow:
    """The row of a dead letter, whatever became of it. Raises ActionRefused."""
    with ctx.db.read() as tx:
        found = dead_letters.list_letters(tx, waiting_only=False, only_id=letter_id)
    if not found:
        raise ActionRefused(f"there is no dead letter {letter_id}")
    return found[0]


def replay_letter(ctx: Context, letter_id: int) -> UnreadableEvent | None:
    """Try a dead letter again; returns why it still cannot be handled, or None when it was.

    A letter that breaks whatever handles it keeps that as its reason, and does not stand in the way
    of others. Raises ActionRefused for one that is not there or was set aside.
    """
    letter = letter_by_id(ctx, letter_id)
    if letter.discarded_at is not None:
        raise ActionRefused(
            f"dead letter {letter_id} was set aside by {letter.discarded_by}: "
            f"{letter.discard_reason}"
        )
    try:
        return replay(ctx, letter_id)
    except Temporary:
        raise
    except Exception as error:
        reason = UnreadableEvent("cannot be handled", f"{type(error).__name__}: {error}")
        with ctx.db.write() as tx:
            dead_letters.note_replay(tx, letter_id, reason, tx.now())
        return reason


def discard_letter(ctx: Context, letter_id: int, reason: str, actor: str) -> None:
    """Set a waiting dead letter aside: kept with its bytes, but no longer counted. Raises
    ActionRefused.
    """
    letter = letter_by_id(ctx, letter_id)

    def once() -> None:
        with ctx.db.write() as tx:
            now = tx.now()
            if not dead_letters.discard(tx, letter_id, reason, actor, now):
                raise ActionRefused(
                    f"dead letter {letter_id} does not wait: it was replayed or set aside already"
                )
            entry = Entry(
                actor=actor,
                action=Action.DEAD_LETTER_DISCARDED,
                subject=EntrySubject(kind="dead_letter", id=str(letter_id)),
                happened_at=now,
                facts={"place": letter.place, "was": letter.reason, "reason": reason},
            )
            audit_entries.write(tx, entry, now)

    ctx.db.retrying(once)
