"""Looking at customers again: what the calendar, a group or a new rulebook may have changed of
their segment and tags.
"""

import logging
from collections.abc import Callable, Sequence

from alerting.database.customers import customers, memberships
from alerting.database.engine import Transaction
from alerting.database.rows.customers import DueReviewRow
from alerting.domain.customers.standing import Subjects
from alerting.domain.errors import Temporary
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.judge_batch import judge_moves
from alerting.services.alerts.rejudge_events import revise_since
from alerting.services.context import Context, hold_rulebook, with_active_rulebook
from alerting.services.customers.memberships import note_standings
from alerting.services.customers.subjects import load_histories
from alerting.services.judging_round import begin_round

log = logging.getLogger(__name__)

CHUNK = 500
"""Customers looked at in one transaction."""


def review_due(ctx: Context, beat: Callable[[], None] = lambda: None) -> int:
    """Look at every customer that is due; returns at how many."""
    looked = 0
    while True:
        beat()
        with ctx.db.read() as tx:
            rows = memberships.due_reviews(tx, tx.now(), CHUNK)
        if not rows:
            return looked
        looked += _review_or_halve(ctx, rows)


def _review_or_halve(ctx: Context, rows: Sequence[DueReviewRow]) -> int:
    """One customer that cannot be judged must not keep the others waiting: it is put off by a
    day.
    """
    try:
        return with_active_rulebook(ctx, lambda tx, rulebook: _review(tx, ctx, rulebook, rows))
    except Temporary:
        raise
    except Exception:
        if len(rows) > 1:
            middle = len(rows) // 2
            return _review_or_halve(ctx, rows[:middle]) + _review_or_halve(ctx, rows[middle:])
        log.exception("a customer could not be looked at again", extra={"cause": rows[0].cause})
        with ctx.db.write() as tx:
            memberships.put_off(tx, rows[0].customer_key, tx.now())
        return 1


def _review(tx: Transaction, ctx: Context, rulebook: Rulebook, rows: Sequence[DueReviewRow]) -> int:
    keys = [row.customer_key for row in rows]
    customers.lock_customers(tx, keys)
    hold_rulebook(tx, rulebook)
    round_ = begin_round(tx, ctx, rulebook)
    memberships.drop_reviews(tx, keys)
    moves = note_standings(round_, {row.customer_key: row.cause for row in rows})
    since = {
        row.customer_key: (row.facts_since, "", "") for row in rows if row.facts_since is not None
    }
    if since:
        revise_since(round_, since, Subjects(histories=load_histories(tx, since)))
    judge_moves(round_, moves)
    return len(rows)
