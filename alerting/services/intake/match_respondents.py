"""Answers known only by an address: whose they are, found out later or decided by a person."""

import logging
from collections.abc import Callable
from functools import partial

from alerting.database.audit import audit_entries
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.intake import addresses, events
from alerting.database.rows.intake import EventRow, UnmatchedRow
from alerting.domain.audit.entries import Action, Entry, EntrySubject
from alerting.domain.customers.standing import Subjects
from alerting.domain.errors import ActionRefused, Temporary
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.judge_batch import judge_moves
from alerting.services.alerts.rejudge_events import hand_on, judge_again, revise_since
from alerting.services.context import Context, hold_rulebook, with_active_rulebook
from alerting.services.customers.memberships import note_standings
from alerting.services.customers.subjects import load_histories
from alerting.services.judging_round import Round, begin_round

log = logging.getLogger(__name__)


def match_waiting(ctx: Context, beat: Callable[[], None] = lambda: None) -> int:
    """Give every waiting answer to the one customer whose contact has its address by now; returns
    how many.
    """
    with ctx.db.read() as tx:
        found = addresses.now_known(tx)
    for seq, customer_key in found:
        beat()
        try:
            assign_answer(ctx, seq, customer_key, "follow-up")
        except (ActionRefused, Temporary):
            continue  # decided meanwhile, or tried again at the next tick
        except Exception:
            log.exception("an answer could not be matched", extra={"event": seq})
    return len(found)


def assign_answer(ctx: Context, seq: int, customer_key: str, actor: str) -> None:
    """The answer is this customer's: it is judged again as such, and what it was taken for is taken
    back.

    Raises ActionRefused where it does not wait (any more), or the customer is not known.
    """
    with_active_rulebook(ctx, partial(_assign, ctx, seq, customer_key, actor))


def leave_answer(ctx: Context, seq: int, actor: str) -> None:
    """It is nobody's we know, and need not wait any more. Raises ActionRefused where it does
    not.
    """

    def once() -> None:
        with ctx.db.write() as tx:
            row = _waiting(tx, seq)
            customers.lock_customers(tx, [row.key])
            _decided(tx, seq, row.key, None, actor)

    ctx.db.retrying(once)


def _waiting(tx: Transaction, seq: int) -> UnmatchedRow:
    found = addresses.waiting(tx, seq)
    if not found:
        raise ActionRefused(
            f"no answer #{seq} waits to be matched; `alerting unmatched list` shows those that do"
        )
    return found[0]


def _assign(
    ctx: Context, seq: int, customer_key: str, actor: str, tx: Transaction, rulebook: Rulebook
) -> None:
    row = _waiting(tx, seq)
    former = row.key
    customers.lock_customers(tx, [former, customer_key])
    hold_rulebook(tx, rulebook)
    _waiting(tx, seq)
    if not customers.histories(tx, [customer_key])[customer_key].versions:
        raise ActionRefused(
            f"there is no customer {customer_key}; `alerting import` or an event makes it known "
            "first"
        )
    round_ = begin_round(tx, ctx, rulebook)
    stored = events.find_event(tx, f"#{seq}")[0]
    hand_on(round_, seq, former, customer_key)
    addresses.rekey(tx, stored, customer_key)
    _decided(tx, seq, former, customer_key, actor)
    judge_again(round_, events.find_event(tx, f"#{seq}")[0])
    _judge_others(round_, stored, former, customer_key)


def _judge_others(round_: Round, stored: EventRow, former: str, customer_key: str) -> None:
    """What came after it knows of it now, or knows no more."""
    order = (stored.time, stored.source, stored.id)
    since = {former: order, customer_key: order}
    revise_since(round_, since, Subjects(histories=load_histories(round_.tx, since)), [stored.seq])
    judge_moves(
        round_, note_standings(round_, {customer_key: f"event:{stored.source} {stored.id}"})
    )


def _decided(tx: Transaction, seq: int, former: str, customer_key: str | None, actor: str) -> None:
    now = tx.now()
    addresses.decide(tx, seq, customer_key, actor, now)
    entry = Entry(
        actor=actor,
        action=Action.ANSWER_MATCHED if customer_key else Action.ANSWER_LEFT,
        subject=EntrySubject(kind="event", id=str(seq)),
        happened_at=now,
        facts={"from": former, "to": customer_key},
    )
    audit_entries.write(tx, entry, now)
