"""Importing customers from a table: each changed customer becomes a `customer.updated` event and
goes through intake.

The rows are read twice and never held: the first time to learn how columns write numbers and days,
and which customers have several rows, the second time to take them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import chain, islice

from alerting.database.customers import customers
from alerting.database.people import staff_facts
from alerting.domain.customers.customer_diff import CustomerDiff
from alerting.domain.errors import ActionRefused
from alerting.domain.people.circles import circles
from alerting.domain.routing.staff import Staff
from alerting.services.context import Context
from alerting.services.imports.customer_table import Table
from alerting.services.imports.group_rows import Gathered, groups
from alerting.services.imports.import_shares import ImportShare, Plan, taking
from alerting.services.imports.read_cell import Known
from alerting.services.imports.read_row import Errors, RowReader

CHUNK = 2_000
"""Customers of one transaction: what an interruption costs, and how long others may wait for a
lock.
"""

MANY = 20_000
"""Rows from which on further processes pay for their start."""

SHOWN = 20
"""Unknown owners, and unknown groups, named one by one."""


@dataclass(kw_only=True)
class Imported:
    """The outcome of an import; `bad` and `warnings` hold (line, reason)."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How to import. `dry_run` writes nothing; `empty_clears`: an empty cell takes the value away
    we have.

    `progress` is told how many rows are done, and of how many; `tell` what becomes of each customer
    that is new or changed. Large tables may be taken by several `processes`; what comes out is the
    same.
    """

    dry_run: bool = False
    empty_clears: bool = False
    progress: Callable[[int, int], None] = lambda done, of: None
    tell: Callable[[CustomerDiff], None] | None = None
    processes: int = 1


ORDINARY = Wishes()


def import_customers(ctx: Context, table: Table, wishes: Wishes = ORDINARY) -> Imported:
    """Import a table; a bad row is reported and does not stop the rest. The same file again changes
    nothing.
    """
    with ctx.db.read() as tx:
        rulebook, staff = ctx.shelf.active(tx), staff_facts.staff_at(tx, tx.now())
    known = Known(declared=rulebook.attributes, currency=rulebook.currency, owners=_by_name(staff))
    try:
        reader = RowReader(table, known, note_empty=wishes.empty_clears)
    except ValueError as error:
        raise ActionRefused(f"{table.name}: {error}") from error
    found, whole = Gathered(), ImportShare()
    names = _keys_by_name(ctx) if reader.by_name else None
    plan = Plan(reader=reader, dry_run=wishes.dry_run, tell=wishes.tell is not None, names=names)
    for share in _shares(ctx, plan, found, wishes.processes):
        _add(whole, share)
        if wishes.tell is not None:
            for diff in share.diffs:
                wishes.tell(diff)
        wishes.progress(whole.rows, found.rows)
    return Imported(
        new=whole.new,
        changed=whole.changed,
        unchanged=whole.unchanged,
        bad=sorted([*found.bad, *whole.bad]),
        warnings=sorted(
            [
                *found.warnings,
                *_failed_cells(whole.errors),
                *_strangers(whole.owners, staff),
                *_strange_groups(ctx, whole.parents),
            ]
        ),
    )


def _shares(ctx: Context, plan: Plan, found: Gathered, processes: int) -> Iterator[ImportShare]:
    """The table chunk by chunk; when all rows were seen once, it is known whether it is worth more
    processes.
    """
    names = dict(plan.names) if plan.names is not None else None
    every = groups(plan.reader, names, found)
    chunks = iter(lambda: list(islice(every, CHUNK)), [])
    first = next(chunks, [])
    plan = replace(plan, names=names)
    with taking(ctx, plan, processes if _apart(plan, found) else 1) as (submit, rest):
        for chunk in chain([first], chunks):
            yield from submit(chunk)
        yield from rest()


def _apart(plan: Plan, found: Gathered) -> bool:
    """Groups and their members stay together: each one's segment is computed from what is stored of
    the other.
    """
    return (
        found.rows >= MANY and plan.names is None and plan.reader.table.place_of("parent") is None
    )


def _add(whole: ImportShare, share: ImportShare) -> None:
    whole.rows += share.rows
    whole.new += share.new
    whole.changed += share.changed
    whole.unchanged += share.unchanged
    whole.bad += share.bad
    whole.parents |= share.parents
    for owner, (line, count) in share.owners.items():
        first, before = whole.owners.get(owner, (line, 0))
        whole.owners[owner] = (min(first, line), before + count)
    for label, errors in share.errors.items():
        held = whole.errors.setdefault(
            label, Errors(shown=errors.shown, first_line=errors.first_line)
        )
        held.count += errors.count


def _by_name(staff: Staff) -> dict[str, str]:
    """People as a sheet names them, where only one of them is called that. Their ids and addresses
    are taken as they are.
    """
    counts = Counter(party.name.casefold() for party in staff.parties.values())
    return {
        p.name.casefold(): p.id for p in staff.parties.values() if counts[p.name.casefold()] == 1
    }


def _keys_by_name(ctx: Context) -> dict[str, list[str]]:
    with ctx.db.read() as tx:
        return customers.keys_by_name(tx)


def _strangers(owners: dict[str, tuple[int, int]], staff: Staff) -> Iterator[tuple[int, str]]:
    """An event cannot know who works here, and somebody may be hired tomorrow: the row is taken."""
    strangers = {
        owner: seen for owner, seen in owners.items() if staff.by_id_or_email(owner) is None
    }
    for owner, (line, count) in sorted(strangers.items(), key=lambda item: item[1])[:SHOWN]:
        near = get_close_matches(
            owner, [*staff.parties, *(p.name for p in staff.parties.values())], n=1, cutoff=0.7
        )
        hint = f"; did you mean {near[0]!r}?" if near else ""
        yield line, f"owner: {owner!r} is nobody in people.yaml{_more(count)}{hint}"
    yield from _rest(
        sorted(line for line, _ in strangers.values()), "owner", "nobody in people.yaml"
    )


def _more(count: int) -> str:
    return f" (and in {count - 1} more)" if count > 1 else ""


def _rest(lines: Sequence[int], column: str, are: str) -> Iterator[tuple[int, str]]:
    """How many beyond those that were named, at the first of them; `lines` are in order."""
    if len(lines) > SHOWN:
        yield lines[SHOWN], f"{column}: {len(lines) - SHOWN} more are {are}"


def _strange_groups(
    ctx: Context, parents: Mapping[str, tuple[str | None, int]]
) -> Iterator[tuple[int, str]]:
    """Groups nobody has heard of may still come, and who inherits through a circle inherits
    nothing: the rows are taken.
    """
    asked: dict[str, list[int]] = {}
    for name, (parent, line) in parents.items():
        if parent == name:
            yield line, f"parent: {name!r} is the customer itself: nothing is inherited"
        elif parent is not None and parent not in parents:
            asked.setdefault(parent, []).append(line)
    with ctx.db.read() as tx:
        known = customers.newest_states(tx, list(asked))
    strangers = sorted(
        (min(lines), name, len(lines)) for name, lines in asked.items() if name not in known
    )
    for line, name, count in strangers[:SHOWN]:
        near = get_close_matches(name, parents, n=1, cutoff=0.8) if len(parents) < MANY else []
        hint = f"; did you mean {near[0]!r}?" if near else "; nothing is inherited until it comes"
        yield line, f"parent: {name!r} is no customer{_more(count)}{hint}"
    yield from _rest([line for line, _, _ in strangers], "parent", "no customers")
    for circle in circles(
        {name: parent for name, (parent, _) in parents.items() if parent is not None}
    ):
        line = min(parents[name][1] for name in circle)
        yield (
            line,
            f"parent: {' -> '.join([*circle, circle[0]])} is a circle: nothing is inherited "
            "through it",
        )


def _failed_cells(failed: Mapping[str, Errors]) -> Iterator[tuple[int, str]]:
    for label, errors in failed.items():
        cells = "1 cell shows" if errors.count == 1 else f"{errors.count} cells show"
        yield errors.first_line, f"{label}: {cells} {errors.shown}, read as not known"
