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
from alerting.database.mail import notifications
from alerting.database.people import staff_facts
from alerting.database.rows.rules import ProposalRow
from alerting.database.rulebook import rulebooks
from alerting.domain.audit.entries import Action
from alerting.domain.customers.segments import Segment
from alerting.domain.customers.standing import DEEPEST_GROUP
from alerting.domain.errors import ActionRefused
from alerting.domain.mail.notifications import NewNotification
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.domain.templates import Template
from alerting.services.alerts.backtest import Backtest, Extent, backtest
from alerting.services.context import Context
from alerting.services.customers.segment_diff import SegmentDiff, segment_diff
from alerting.services.rulebook.activation import activate_rulebook, note_rulebook

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
        listed = _changed_list(active, book)
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


def _changed_list(active: Rulebook, drafted: Rulebook) -> str:
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


def ask_for_approval(
    ctx: Context, change: ListChange, author: str, approver: str, reason: str
) -> None:
    """Propose a drafted list and send somebody else a mail with a link to decide. Raises
    ActionRefused.
    """
    reason = _given(reason)
    if approver == author:
        raise ActionRefused("somebody else has to approve; nobody approves their own change")

    def once() -> None:
        with ctx.db.write() as tx:
            rulebooks.lock_active(tx)
            _changed_list(ctx.shelf.active(tx), change.rulebook)
            now, staff = tx.now(), staff_facts.staff_at(tx, tx.now())
            proposer, asked = staff.get(author), staff.get(approver)
            if proposer is None or asked is None:
                raise ActionRefused("choose who you are, and who is to approve")
            number = rulebooks.propose(tx, change.rulebook.hash, proposer.id, reason, now, asked.id)
            facts: dict[str, object] = {
                "reason": reason,
                "asked": asked.id,
                "list": change.segment.listed_in,
            }
            note_rulebook(tx, Action.RULEBOOK_PROPOSED, change.rulebook.hash, facts, proposer.id)
            note = NewNotification(
                cause_kind="proposal",
                cause_id=number,
                recipient=asked.id,
                template=Template.APPROVAL,
                data=_request(change, proposer.name, reason),
            )
            notifications.add(tx, None, None, [note], ctx.mail_domain, now)

    ctx.db.retrying(once)


def _given(reason: str) -> str:
    if not reason.strip():
        raise ActionRefused("say why; it is kept with the change")
    return reason.strip()


def _request(change: ListChange, author: str, reason: str) -> dict[str, object]:
    title = change.segment.title
    lines = [
        f"{author} asks you to approve another list of customers for the segment {title!r}.",
        "",
        f"Why: {reason}",
        "",
    ]
    for heading, keys in (("ADDED", change.added), ("TAKEN OFF", change.removed)):
        if keys:
            named = [
                f"- {key}" for key in keys[:SHOWN]
            ]  # ids alone: a mail must not outlive `alerting forget`
            more = [f"- and {len(keys) - SHOWN} more"] if len(keys) > SHOWN else []
            lines += [f"{heading}: {len(keys)}", *named, *more, ""]
    titles = {segment.id: segment.title for segment in change.rulebook.segments}
    moved = change.diff.ways.most_common()
    ways = [f"- from {titles.get(a, a)} to {titles.get(b, b)}: {n}" for (a, b), n in moved]
    lines += ["MOVES", *(ways or ["- nobody would move"]), ""]
    noise = change.mails.noise or ["no mail more or less"]
    lines += ["Last month that would have been", *(f"- {line}" for line in noise), ""]
    return {
        "subject": f"Please approve: {title}, {len(change.added)} added, {len(change.removed)} "
        "taken off",
        "lines": [*lines, "See everybody who would move, and decide, here:"],
    }


def activate_list(ctx: Context, change: ListChange, author: str, reason: str) -> None:
    """Put a list in force that needs no second person. Raises ActionRefused."""
    if change.second_person:
        raise ActionRefused("these rules ask for a second person: ask somebody to approve")
    _activate(ctx, change.rulebook, _person(ctx, author), _given(reason))


def approve(ctx: Context, proposal: int, person: str) -> None:
    """Put in force what a person was asked about. Raises ActionRefused, also where it is decided
    already.
    """
    with ctx.db.read() as tx:
        found = open_proposal(tx, proposal)
        if staff_facts.party_at(tx, person, tx.now()) is None:
            raise ActionRefused("you are not among the people in force")
        rulebook = ctx.shelf.get(tx, found.rulebook)
    _activate(ctx, rulebook, _person(ctx, person), found.reason)


def _activate(ctx: Context, rulebook: Rulebook, author: str, reason: str) -> None:
    with ctx.db.read() as tx:
        active = ctx.shelf.active(tx)
        _changed_list(active, rulebook)
    done = activate_rulebook(
        ctx, rulebook.files, {}, author=author, reason=reason, expected=active.hash
    )
    if done.waiting:
        raise ActionRefused("somebody else has to approve; nobody approves their own change")


def decline(ctx: Context, proposal: int, person: str, objection: str) -> None:
    """Say no, and why. Raises ActionRefused."""
    objection, by = _given(objection), _person(ctx, person)

    def once() -> None:
        with ctx.db.write() as tx:
            rulebooks.lock_active(tx)
            found, now = open_proposal(tx, proposal), tx.now()
            rulebooks.decline(tx, proposal, by, objection, now)
            note_rulebook(tx, Action.RULEBOOK_DECLINED, found.rulebook, {"reason": objection}, by)
            note = NewNotification(
                cause_kind="proposal",
                cause_id=proposal,
                recipient=found.author,
                template="declined",
                data=_answer(ctx, tx, found, by, objection),
            )
            if staff_facts.party_at(tx, found.author, now) is not None:
                notifications.add(tx, None, None, [note], ctx.mail_domain, now)

    ctx.db.retrying(once)


def _answer(
    ctx: Context, tx: Transaction, proposal: ProposalRow, by: str, objection: str
) -> dict[str, object]:
    party = staff_facts.party_at(tx, by, tx.now())
    name = party.name if party else by
    lines = [
        f"{name} does not approve the list of customers you proposed.",
        "",
        f"Your reason: {proposal.reason}",
    ]
    return {
        "subject": f"Not approved by {name}: {proposal.reason}",
        "lines": [*lines, f"{name}: {objection}"],
    }


def open_proposal(tx: Transaction, number: int) -> ProposalRow:
    """A proposal that waits for a decision. Raises ActionRefused."""
    found = rulebooks.proposal_by_id(tx, number)
    if found is None:
        raise ActionRefused("nothing is asked of you here")
    if found.declined_by is not None:
        party = staff_facts.party_at(tx, found.declined_by, tx.now())
        raise ActionRefused(
            f"{party.name if party else found.declined_by} has declined this: {found.objection}"
        )
    if found.closed_at is not None:
        raise ActionRefused("this is decided already; there is nothing left to do")
    return found


def _person(ctx: Context, name: str) -> str:
    with ctx.db.read() as tx:
        party = staff_facts.party_at(tx, name, tx.now())
    if party is None:
        raise ActionRefused("choose who you are")
    return party.id
