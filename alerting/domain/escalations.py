"""Whom a step of a clock reaches: the words of `notify:` turned into one person and the mail that suits."""

from dataclasses import dataclass

from alerting.domain.cases import Case
from alerting.domain.customers import Customer
from alerting.domain.people import Party, Routing, Staff, fill_role

STEP_WORDS = ("caller", "fixer", "substitute", "substitute of fixer", "manager of caller", "manager of fixer")
"""What `notify:` understands beside the names of roles."""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One person a step tells, with which mail, and why it is this one."""

    party: Party
    template: str
    why: str


def reach(word: str, case: Case, customer: Customer, routing: Routing, staff: Staff) -> Reached:
    """Resolve one word of a step now, by whoever holds the case now. Who is missing is replaced upwards."""
    duty = "fixer" if word.endswith("fixer") else "caller"
    holder = staff.get(case.fixer if duty == "fixer" else case.caller) or staff.get(case.caller)
    if word in {"caller", "fixer"} and holder is not None:
        return Reached(party=holder, template="reminder", why=f"is the {duty}")
    if word.startswith("substitute") and holder is not None:
        stand_in = staff.substitute_of(holder)
        if stand_in is not None:
            return Reached(party=stand_in, template="stand_in", why=f"stands in for {holder.name}")
    if word.startswith(("substitute", "manager")) and holder is not None:
        manager = staff.manager_of(holder)
        if manager is not None:
            return Reached(party=manager, template="overdue", why=f"is the manager of {holder.name}")
    role = "default" if word in STEP_WORDS else word
    filled = fill_role(role, customer, case.segment, routing, staff)
    return Reached(party=filled.party, template="overdue", why="; ".join(filled.why))
