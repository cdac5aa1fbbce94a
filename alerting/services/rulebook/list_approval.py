"""A segment's list that somebody has to approve: asked for, approved or declined, put in force."""

from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.people import staff_facts
from alerting.database.rows.rules import ProposalRow
from alerting.database.rulebook import rulebooks
from alerting.domain.audit.entries import Action
from alerting.domain.errors import ActionRefused
from alerting.domain.mail.notifications import NewNotification
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.domain.templates import Template
from alerting.services.context import Context
from alerting.services.rulebook.activation import activate_rulebook, note_rulebook
from alerting.services.rulebook.list_changes import SHOWN, ListChange, changed_list


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
            changed_list(ctx.shelf.active(tx), change.rulebook)
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
        changed_list(active, rulebook)
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
