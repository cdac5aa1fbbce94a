"""The delivery loop: sends what waits in the outbox, several mails at once."""

import random
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from alerting.database.rows.messages import DueNotification
from alerting.entrypoints.loops import Stop, repeat
from alerting.services.context import Context
from alerting.services.mail.channel import Post
from alerting.services.mail.deliver import deliver_one, due_notifications

IDLE_SECONDS = 0.2
SENDERS = 4
"""Mails under way at once: one slow answer of a mail server must not keep all others waiting."""
LOOK_AHEAD = 60
"""The oldest so many share the next attempts by lot, so that several processes seldom reach for the
same one.
"""


def run_deliver(ctx: Context, post: Post, stop: Stop) -> None:
    """Run until asked to stop; what is under way then is brought to its end, within one send
    deadline.
    """
    senders = (
        SENDERS if ctx.db.engine.dialect.name == "postgresql" else 1
    )  # writers of SQLite only queue up
    under_way: dict[int, Future[bool]] = {}

    def send(row: DueNotification) -> bool:
        name = f"deliver notification {row.id}"
        stop.beat(name)
        try:
            return deliver_one(ctx, post, row)
        finally:
            stop.done(name)

    def work() -> float:
        if len(under_way) > senders:
            wait(under_way.values(), IDLE_SECONDS, FIRST_COMPLETED)
        for number in [number for number, sent in under_way.items() if sent.done()]:
            under_way.pop(number).result()
        if len(under_way) > senders:
            return 0.0
        waiting = [row for row in due_notifications(ctx, LOOK_AHEAD) if row.id not in under_way]
        for row in waiting[:1] + random.sample(waiting[1:], min(len(waiting[1:]), 2 * senders - 1)):
            under_way[row.id] = pool.submit(send, row)
        return 0.0 if waiting else IDLE_SECONDS

    pool = ThreadPoolExecutor(senders, thread_name_prefix="send")
    try:
        repeat("deliver", stop, work)
    finally:
        pool.shutdown(cancel_futures=True)
