"""Points no judgement can ask for any more are removed, so that signals cost what their windows
hold and no more.
"""

from alerting.database.customers import points
from alerting.services.context import Context


def prune_points(ctx: Context) -> int:
    """Remove what has left every window; returns how many points.

    An event may ring up to `notify_max_age` late, and be judged again up to `lateness`: windows
    reach back further by that. Explaining and back-tests do not need points: they begin with the
    stored events.
    """

    def once() -> int:
        with ctx.db.write() as tx:
            rulebook, now = ctx.shelf.active(tx), tx.now()
            margin = max(rulebook.notify_max_age, rulebook.lateness)
            windows = {
                signal.definition: signal.within + margin for signal in rulebook.signals.values()
            }
            return points.prune(tx, windows, margin, now)

    return ctx.db.retrying(once)
