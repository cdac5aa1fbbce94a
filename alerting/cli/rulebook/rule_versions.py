"""`alerting rules activate`, `history` and `diff`: rulebooks as versions."""

import getpass

import click

from alerting.bootstrap import App
from alerting.cli.rulebook.written import written_rulebook
from alerting.cli.shared import opened, print_json, table
from alerting.cli.words import printable
from alerting.database.rows.rules import ActivationRow, ProposalRow
from alerting.database.rulebook import rulebooks
from alerting.domain.people.people import Known
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.domain.rulebook.rulebook_diff import RulebookDiff, compare
from alerting.services.rulebook.activation import activate_rulebook, stored_rulebook


@click.command()
@click.argument("beginning", metavar="[HASH]", required=False)
@click.option("--author", default=None, help="Who decides this; your login name by default.")
@click.option("--reason", default="", help="Why; kept in the audit.")
def activate(beginning: str | None, author: str | None, reason: str) -> None:
    """Check rules/ and templates/, show what changes, and make them the active rulebook of every
    process.

    With HASH (or its beginning, see `rules history`) go back to a stored one; people stay as they
    are.
    """
    with opened() as app:
        people: dict[str, Known] = {}
        if beginning is None:
            rulebook, people = written_rulebook(app, app.settings.rules, app.settings.templates)
        else:
            rulebook = stored_rulebook(app.ctx, beginning)
        before = _active(app)
        _tell_difference(compare(before, rulebook))
        done = activate_rulebook(
            app.ctx,
            rulebook.files,
            people,
            author=author or getpass.getuser(),
            reason=reason or "not given",
            expected=before.hash if before else None,
        )
        if done.waiting:
            click.echo(
                f"Proposed: rulebook {done.hash[:12]}. Somebody else must run `rules activate` for "
                "it, too."
            )
        else:
            said = "Active now" if done.changed else "Already active, nothing changed"
            click.echo(f"{said}: rulebook {done.hash[:12]}")


def _active(app: App) -> Rulebook | None:
    with app.ctx.db.read() as tx:
        return app.ctx.shelf.active(tx) if rulebooks.active_hash(tx) else None


def _tell_difference(difference: RulebookDiff) -> None:
    for sentence in difference.rules:
        click.echo(f"* {printable(sentence)}")
    for line in difference.lines:
        colour = {"+": "green", "-": "red"}.get(line[:1])
        click.secho(printable(line, keep="\t"), fg=colour)


@click.command()
@click.option("--json", "as_json_", is_flag=True)
def history(as_json_: bool) -> None:
    """Which rulebook was activated when, by whom and why; newest first."""
    with opened() as app:
        with app.ctx.db.read() as tx:
            done, waiting, active = (
                rulebooks.activations(tx),
                rulebooks.proposals(tx),
                rulebooks.active_hash(tx),
            )
        rows = [
            {"at": p.proposed_at, "state": "proposed", "by": p.author, **_why(p)} for p in waiting
        ]
        for n, row in enumerate(done):
            state = "active" if n == 0 and row.rulebook == active else ""
            by = f"{row.author}, {row.approver}" if row.approver else row.author
            rows.append({"at": row.activated_at, "state": state, "by": by, **_why(row)})
        if as_json_:
            print_json(rows)
            return
        shown = [
            [
                f"{r['at']:%Y-%m-%d %H:%M}Z",
                str(r["rulebook"])[:12],
                r["state"],
                r["by"],
                r["reason"],
            ]
            for r in rows
        ]
        table(["at", "rulebook", "", "by", "reason"], shown)


def _why(row: ActivationRow | ProposalRow) -> dict[str, str]:
    return {"rulebook": row.rulebook, "reason": row.reason}


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="[B]", required=False)
def diff(before: str, after: str | None) -> None:
    """What two rulebooks differ in: stored ones by the beginning of their hash; without B the files
    of today.
    """
    with opened() as app:
        old = stored_rulebook(app.ctx, before)
        if after is not None:
            new = stored_rulebook(app.ctx, after)
        else:
            new, _ = written_rulebook(app, app.settings.rules, app.settings.templates)
        difference = compare(old, new)
        _tell_difference(difference)
        if difference.is_empty:
            click.echo("They are the same.")
