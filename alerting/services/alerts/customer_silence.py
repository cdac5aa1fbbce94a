"""Silences that are full become events and are judged, one customer at a time under its lock."""

import logging
from collections.abc import Callable
from functools import partial

from alerting.database.alerts import watches
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.intake import events
from alerting.database.rows.rules import WatchRow
from alerting.domain.alerts.customer_silence import silence_event, watch_name
from alerting.domain.alerts.judge import exclusion
from alerting.domain.errors import Temporary
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.judge_batch import EventBatch, judge_batch
from alerting.services.context import Context, hold_rulebook, with_active_rulebook
from alerting.services.judging_round import begin_round

log = logging.getLogger(__name__)


def notice_silences(ctx: Context, beat: Callable[[], None] = lambda: None) -> int:
    """Judge every silence that is full by now; returns how many were noticed."""
    noticed = 0
    while True:
        with ctx.db.read() as tx:
            due = watches.due_watches(tx, tx.now())
        taken = 0
        for row in due:
            beat()
            try:
                taken += with_active_rulebook(ctx, partial(_notice, ctx, row))
            except Temporary:
                raise
            except Exception:
                log.exception("a silence could not be judged")  # the others go on; it stays due
        noticed += taken
        if not taken:
            return noticed


def _notice(ctx: Context, row: WatchRow, tx: Transaction, rulebook: Rulebook) -> int:
    customers.lock_customers(tx, [row.customer_key], tx.now())
    hold_rulebook(tx, rulebook)
    now = tx.now()
    found = watches.still_due(tx, row.watch, row.customer_key, now)
    if found is None:
        return 0
    watches.mark_noticed(tx, row.watch, row.customer_key, now)
    rule = next((rule for rule in rulebook.silence_rules if watch_name(rule) == row.watch), None)
    if rule is None:
        return 1
    event = silence_event(rule, row.customer_key, found.last_at, now)
    arrived = events.Arrived(
        event=event, place="follow-up", excluded=exclusion(event, rulebook, now)
    )
    seqs = events.insert_new(tx, [arrived], rulebook.hash, now)
    if seqs:
        judge_batch(EventBatch(round=begin_round(tx, ctx, rulebook), fresh=[arrived], seqs=seqs))
    return 1
