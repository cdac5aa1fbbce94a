"""`alerting positions`: where intake stands in the event log."""

import getpass

import click

from alerting.cli.shared import opened, table
from alerting.database.audit import audit_entries
from alerting.database.intake import positions as stored
from alerting.domain.audit.entries import Action, Entry, EntrySubject
from alerting.domain.errors import ActionRefused


@click.group()
def positions() -> None:
    """Where intake stands in the event log."""


@positions.command("list")
def list_positions() -> None:
    """Show every partition's position, and what stopped it."""
    with opened() as app, app.ctx.db.read() as tx:
        known, stopped = stored.all_positions(tx), stored.stopped_partitions(tx)
    rows = [[str(p), n, p.cluster, stopped.pop(str(p), "")] for p, n in known.items()]
    table(
        ["partition", "next", "cluster", "stopped"],
        rows + [[name, "", "", why] for name, why in stopped.items()],
    )


@positions.command("accept")
@click.argument("topic")
def accept_topic(topic: str) -> None:
    """Accept that the log behind TOPIC is a new one: read it from its beginning. Known events are
    recognised.
    """
    with opened() as app, app.ctx.db.write() as tx:
        known = sorted({partition.topic for partition in stored.all_positions(tx)})
        if topic not in known:
            told = f"known are {', '.join(known)}" if known else "none is stored yet"
            raise ActionRefused(f"no position is stored of a topic {topic!r}; {told}")
        now = tx.now()
        count = stored.retire_topic(tx, topic, now)
        entry = Entry(
            actor=getpass.getuser(),
            action=Action.POSITIONS_ACCEPTED,
            subject=EntrySubject(kind="topic", id=topic),
            happened_at=now,
            facts={"positions": count},
        )
        audit_entries.write(tx, entry, now)
        retired = "1 position" if count == 1 else f"{count} positions"
        click.echo(f"{retired} of {topic} retired; restart `alerting run consume`.")
