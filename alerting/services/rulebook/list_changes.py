"""A segment's list of members, changed by whoever keeps it: looked at, asked for, approved, in
force.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from alerting.database.customers import customers, memberships
from alerting.database.engine import Transaction
from alerting.database.rows.rules import ProposalRow
from alerting.database.rulebook import rulebooks
from alerting.domain.customers.segments import Segment
from alerting.domain.customers.standing import DEEPEST_GROUP
from alerting.domain.errors import ActionRefused
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.backtest import Backtest, Extent, backtest
from alerting.services.context import Context
from alerting.services.customers.segment_diff import SegmentDiff, segment_diff

MONTH = timedelta(days=30)
SHOWN = 5
"""Customers named in the mail to whoever is to approve."""


@dataclass(frozen=True, kw_only=True)
class Members:
    """What an uploaded table says who belongs to a segment: customer ids in their order, and how
    the file was taken.
    """

    ids: Sequence[str]
    notices: Sequence[str]


State = Literal["draft", "waiting", "declined"]


@dataclass(frozen=True, kw_only=True)
class ListChange:
    """A stored rulebook that differs from the active one in one list, and what it would do.

    `proposal` is the newest one there was. `names` are those of the customers on either list.
    """

    rulebook: Rulebook
    state: State
    segment: Segment
    added: Sequence[str]
    removed: Sequence[str]
    unknown: Sequence[str]
    names: Mapping[str, str]
    diff: SegmentDiff
    mails: Backtest
    proposal: ProposalRow | None
    second_person: bool


def listed_segments(rulebook: Rulebook) -> list[Segment]:
    """The segments that a list of customers makes."""
    return [segment for segment in rulebook.segments if segment.listed_in is not None]


def list_text(rulebook: Rulebook, listed_in: str) -> str:
    """The list as a CSV file. Raises LookupError where the rulebook has none of this name."""
    if listed_in not in {segment.listed_in for segment in listed_segments(rulebook)}:
        raise LookupError(f"no segment is listed in {listed_in!r}")
    return rulebook.files[f"rules/{listed_in}"]


def draft_list(ctx: Context, listed_in: str, ids: Sequence[str]) -> str:
    """Store the active rulebook with another list, beside it; returns its hash. Nothing else
    changes.

    Raises ActionRefused where that changes nothing or makes no rulebook.
    """
    with ctx.db.write() as tx:
        active = ctx.shelf.active(tx)
        segment = next(
            (segment for segment in listed_segments(active) if segment.listed_in == listed_in), None
        )
        if segment is None:
            raise ActionRefused(f"no segment is listed in {listed_in!r}")
        if not ids:
            raise ActionRefused(
                "the list is empty; to do without this segment, take it out of segments.yaml"
            )
        if frozenset(ids) == segment.members:
            raise ActionRefused(
                f"this list has the same {len(segment.members)} customers as the one in force"
            )
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [["customer_id"], *([name] for name in dict.fromkeys(ids))]
        )
        rulebook = ctx.shelf.read({**active.files, f"rules/{listed_in}": text.getvalue()})
        rulebooks.store_rulebook(tx, rulebook.hash, rulebook.files, tx.now())
        return rulebook.hash


def drafted(ctx: Context, tx: Transaction, content_hash: str) -> Rulebook:
    """A stored rulebook by its whole hash. Raises LookupError."""
    if rulebooks.named(tx, content_hash) != [content_hash]:
        raise LookupError("there is no such change")
    return ctx.shelf.get(tx, content_hash)


def list_change(ctx: Context, content_hash: str) -> ListChange:
    """What a drafted list would change now. Raises LookupError, and ActionRefused once other rules
    are in force.
    """
    with ctx.db.read() as tx:
        active, book = ctx.shelf.active(tx), drafted(ctx, tx, content_hash)
        proposal, now = rulebooks.newest_proposal(tx, content_hash), tx.now()
        if book.hash == active.hash:
            raise ActionRefused("this list is in force")
        listed = changed_list(active, book)
        before, after = (_members(one, listed) for one in (active, book))
        moved = sorted(before ^ after)
        concerned = {*moved, *memberships.below(tx, dict.fromkeys(moved, now), DEEPEST_GROUP)}
        found = {
            key: h.as_of(now)
            for key, h in customers.histories(tx, before | after | concerned).items()
        }
    known = {key for key, customer in found.items() if customer.known}
    return ListChange(
        rulebook=book,
        state=_state(proposal),
        segment=next(segment for segment in book.segments if segment.listed_in == listed),
        added=sorted(after - before),
        removed=sorted(before - after),
        unknown=sorted(after - known),
        names={key: customer.name for key, customer in found.items()},
        diff=segment_diff(ctx, book, of=concerned & known),
        mails=backtest(ctx, Extent(begin=now - MONTH, customers=concerned), book),
        proposal=proposal,
        second_person=active.second_person,
    )


def _state(proposal: ProposalRow | None) -> State:
    if proposal is None:
        return "draft"
    if proposal.closed_at is None:
        return "waiting"
    return "declined" if proposal.declined_by is not None else "draft"


def changed_list(active: Rulebook, drafted: Rulebook) -> str:
    names = active.files.keys() | drafted.files.keys()
    changed = [name for name in sorted(names) if active.files.get(name) != drafted.files.get(name)]
    lists = {f"rules/{segment.listed_in}" for segment in listed_segments(drafted)}
    if len(changed) != 1 or changed[0] not in lists:
        raise ActionRefused(
            "other rules are in force since this list was uploaded; upload it again"
        )
    return changed[0].removeprefix("rules/")


def _members(rulebook: Rulebook, listed_in: str) -> set[str]:
    listed = [segment for segment in rulebook.segments if segment.listed_in == listed_in]
    return {key for segment in listed for key in segment.members or ()}
