"""Who is responsible for a customer now or at a moment, role by role, and every step that led
there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from difflib import get_close_matches

from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.intake import events
from alerting.database.people import staff_facts
from alerting.database.rulebook import rulebooks
from alerting.domain.alerts.judge import points_from
from alerting.domain.customers.customers import Customer
from alerting.domain.customers.standing import Standing, Subject, Subjects, at_rest, standing_at
from alerting.domain.people.people import Party
from alerting.domain.routing.fill_role import fill_role
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import Context
from alerting.services.customers.subjects import load_histories, load_scales

LINE = 5
"""So many are named who would be told next; nobody reads further."""

_SHOWN = ("owner", "country", "region", "city", "industry")


@dataclass(frozen=True, kw_only=True)
class RoleLine:
    """Who holds a role; `party` None where nobody does. `next`: who is told when mail to them is
    refused.
    """

    role: str
    calls: bool
    party: str | None
    name: str
    why: Sequence[str]
    next: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Who:
    """Everybody responsible for one customer at one moment; all values are fit for JSON."""

    customer: Mapping[str, object]
    at: str
    rulebook: str
    roles: Sequence[RoleLine]
    notes: Sequence[str]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def who(ctx: Context, key: str, moment: datetime | None = None, role: str | None = None) -> Who:
    """Each role of the routing, or one. Raises LookupError for a role nobody has declared."""
    with ctx.db.read() as tx:
        now = tx.now()
        at = moment or now
        rulebook = _in_force(tx, ctx, at)
        roles = list(rulebook.routing.roles)
        if role is not None and role not in roles:
            near = get_close_matches(role, roles, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(roles))}"
            raise LookupError(f"no role is called {role!r}; {hint}")
        subject = _subject(tx, key, at, rulebook)
        customer, found = subject.customer, standing_at(subject, at_rest(at), rulebook)
        staff = staff_facts.staff_at(tx, at)
        notes = [] if customer.known else [_unknown(tx, key)]
    notes += ["this lies ahead: it holds if nothing changes until then"] if at > now else []
    segment = found.membership.segment
    return Who(
        customer=_customer(customer, found),
        at=at.isoformat(),
        rulebook=rulebook.hash,
        roles=[
            _line(name, customer, segment, rulebook, staff)
            for name in roles
            if role in {None, name}
        ],
        notes=notes,
    )


def _subject(tx: Transaction, key: str, at: datetime, rulebook: Rulebook) -> Subject:
    """The customer and its groups as of then; their points from the stored events, whatever the
    store kept.
    """
    histories = load_histories(tx, [key])
    lives = {name: points_from(events.events_of(tx, name, at), rulebook) for name in histories}
    return Subjects(histories=histories, points=lives, scales=load_scales(tx, rulebook, at)).at(
        key, at
    )


def _in_force(tx: Transaction, ctx: Context, at: datetime) -> Rulebook:
    """The rulebook that was active then; before the first one there was none, and that one
    answers.
    """
    done = rulebooks.activations(tx)
    then = [row for row in done if row.activated_at <= at] or done[-1:]
    return ctx.shelf.get(tx, then[0].rulebook) if then else ctx.shelf.active(tx)


def _unknown(tx: Transaction, key: str) -> str:
    near = get_close_matches(key, customers.keys_like(tx, key), n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return (
        f"nobody has told us of a customer {key!r}{hint}; an event about it would go to these "
        "people"
    )


def _customer(customer: Customer, found: Standing) -> dict[str, object]:
    return {
        "key": customer.key,
        "name": customer.name,
        "known": customer.known,
        "segment": found.membership.segment,
        "segment_why": found.membership.why,
        "tags": list(found.tags),
        **{name: customer.state.get(name) for name in _SHOWN},
    }


def _line(
    role: str, customer: Customer, segment: str, rulebook: Rulebook, staff: Staff
) -> RoleLine:
    calls = any(rule.caller == role for rule in rulebook.rules)
    try:
        filled = fill_role(role, customer, segment, rulebook.routing, staff, to_call=calls)
    except LookupError as error:
        return RoleLine(
            role=role, calls=calls, party=None, name="nobody", why=[str(error)], next=[]
        )
    party = filled.party
    following = [one.name for one in next_in_line(party, rulebook, staff)]
    return RoleLine(
        role=role,
        calls=calls,
        party=party.id,
        name=party.name,
        why=list(filled.why),
        next=following,
    )


def next_in_line(party: Party, rulebook: Rulebook, staff: Staff) -> list[Party]:
    """Who is told one after the other when mail to somebody is refused."""
    default = rulebook.routing.roles.get("default")
    found: list[Party] = []
    current: Party | None = party
    while current is not None and len(found) <= LINE:
        already = {party.id, *(one.id for one in found)}
        current = staff.next_responsible(current, default.person if default else None, already)
        found += [current] if current is not None else []
    return found[:LINE]
