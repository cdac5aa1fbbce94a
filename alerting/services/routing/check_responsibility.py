"""Who is responsible, held against the customers and cases there are: what nobody owns, and who
cannot be reached.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerting.database.cases import cases
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.domain.cases.sla import contract_problem
from alerting.domain.customers.customers import Customer
from alerting.domain.customers.standing import at_rest, standing_at
from alerting.domain.routing.fill_role import fill_role
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.routing_lint import Finding, findings_of, without_absences
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import Context
from alerting.services.customers.subjects import load_subjects

CHUNK = 500
"""Customers of one query."""

EXAMPLES = 3


@dataclass(kw_only=True)
class _Seen:
    """What the customers come to, while they are looked through: keys by what is wrong with
    them.
    """

    owners: set[str] = field(default_factory=set)
    lost_owners: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    contracts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unowned: dict[tuple[str, str, str], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )


def check_people(ctx: Context, beat: Callable[[], None] = lambda: None) -> list[Finding]:
    """Everything that is wrong, problems first. `beat` is called now and then: a sign of life."""
    with ctx.db.read() as tx:
        rulebook, now = ctx.shelf.active(tx), tx.now()
        staff = staff_facts.staff_at(tx, now)
        seen = _look(tx, rulebook, staff, now, beat)
        found = [
            *_of_customers(seen, staff),
            *_of_cases(tx, staff),
            *findings_of(rulebook, staff, seen.owners),
        ]
    return sorted(found, key=lambda finding: (finding.warning, finding.kind, finding.message))


def _look(
    tx: Transaction, rulebook: Rulebook, staff: Staff, now: datetime, beat: Callable[[], None]
) -> _Seen:
    seen, here = _Seen(), without_absences(staff)
    roles = sorted({rule.caller for rule in rulebook.rules if rule.mode == "live"} - {"default"})
    keys = customers.known_keys(tx)
    for start in range(0, len(keys), CHUNK):
        beat()
        chunk = keys[start : start + CHUNK]
        subjects = load_subjects(tx, chunk, rulebook, now, now)
        for key in chunk:
            subject = subjects.at(key, now)
            customer, segment = (
                subject.customer,
                standing_at(subject, at_rest(now), rulebook).membership.segment,
            )
            _note_owner(seen, customer, staff)
            problem = contract_problem(customer.contract, rulebook.calendars)
            if problem is not None:
                seen.contracts[problem].append(key)
            for role in roles:
                filled = fill_role(role, customer, segment, rulebook.routing, here, to_call=True)
                if filled.through == "default":
                    place = str(customer.state.get("country") or "")
                    seen.unowned[(role, segment, place)].append(key)
    return seen


def _note_owner(seen: _Seen, customer: Customer, staff: Staff) -> None:
    owner = customer.owner
    party = staff.by_id_or_email(owner)
    if party is not None:
        seen.owners.add(party.id)
    elif owner:
        seen.lost_owners[owner].append(customer.key)


def _of_customers(seen: _Seen, staff: Staff) -> list[Finding]:
    unowned = [
        Finding(
            kind="unowned customers",
            message=f"{_counted(keys)} of segment {segment} in {place or 'no known country'}: "
            "nobody but default holds "
            f"{role} (such as {_examples(keys)})",
            about=tuple(keys[:EXAMPLES]),
            count=len(keys),
        )
        for (role, segment, place), keys in sorted(seen.unowned.items())
    ]
    lost = [
        Finding(
            kind="owner gone",
            message=f"{staff.why_unknown(owner)} and owns {_counted(keys)} (such as "
            f"{_examples(keys)})",
            about=(owner, *keys[:EXAMPLES]),
            count=len(keys),
        )
        for owner, keys in sorted(seen.lost_owners.items())
    ]
    contracts = [
        Finding(
            kind="contract that cannot be kept",
            message=f"the contract of {_counted(keys)} {problem} (such as {_examples(keys)}); the "
            "policy's promise holds",
            about=tuple(keys[:EXAMPLES]),
            count=len(keys),
            warning=True,
        )
        for problem, keys in sorted(seen.contracts.items())
    ]
    return [*unowned, *lost, *contracts]


def _of_cases(tx: Transaction, staff: Staff) -> list[Finding]:
    held: dict[str, list[str]] = defaultdict(list)
    for row in cases.list_cases(tx, status="unresolved", limit=100_000):
        for party in {row.caller, row.fixer}:
            if party is not None and staff.get(party) is None:
                held[party].append(f"C-{row.id}")
    return [
        Finding(
            kind="case without a person",
            message=f"{staff.why_unknown(party)} and holds {len(numbers)} open (such as "
            f"{_examples(numbers)})",
            about=(party, *numbers[:EXAMPLES]),
            count=len(numbers),
        )
        for party, numbers in sorted(held.items())
    ]


def _counted(keys: Sequence[str]) -> str:
    return "1 customer" if len(keys) == 1 else f"{len(keys)} customers"


def _examples(keys: Sequence[str]) -> str:
    return ", ".join(keys[:EXAMPLES])
