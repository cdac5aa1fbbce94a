"""Whom a step of a clock reaches: the words of `notify:` turned into one person and the mail that
suits.
"""

from dataclasses import dataclass

from alerting.domain.cases.cases import Case
from alerting.domain.customers.customers import Customer
from alerting.domain.people.people import Party
from alerting.domain.routing.fill_role import fill_role
from alerting.domain.routing.routing import Routing
from alerting.domain.routing.staff import Staff
from alerting.domain.templates import Template

STEP_WORDS = (
    "caller",
    "fixer",
    "substitute",
    "substitute of fixer",
    "manager of caller",
    "manager of fixer",
)
"""What `notify:` understands beside the names of roles."""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One person a step tells, with which mail, and why it is this one."""

    party: Party
    template: str
    why: str


def reach(word: str, case: Case, customer: Customer, routing: Routing, staff: Staff) -> Reached:
    """Resolve one word of a step now, by whoever holds the case now. Who is missing or away is
    replaced upwards.
    """
    duty = "fixer" if word.endswith("fixer") else "caller"
    holder = staff.get(case.fixer if duty == "fixer" else case.caller) or staff.get(case.caller)
    if holder is not None and word in STEP_WORDS:
        found = near(word, duty, holder, staff)
        if found is not None:
            return found
    role = "default" if word in STEP_WORDS else word
    filled = fill_role(role, customer, case.segment, routing, staff)
    return Reached(party=filled.party, template=Template.OVERDUE, why="; ".join(filled.why))


def near(word: str, duty: str, holder: Party, staff: Staff) -> Reached | None:
    """The holder, who stands in, or a manager; None where all of them are missing or away."""
    if word == duty and staff.is_here(holder):
        return Reached(party=holder, template=Template.REMINDER, why=f"is the {duty}")
    if not word.startswith("manager"):
        stand_in = staff.stand_in_for(holder)
        if stand_in is not None:
            away = staff.away.get(holder.id)
            because = f", who {away.words}" if away else ""
            return Reached(
                party=stand_in,
                template=Template.STAND_IN,
                why=f"stands in for {holder.name}{because}",
            )
    for boss in staff.bosses(holder):
        answer = staff.ask(boss)
        if answer.party is not None and answer.party is not holder:
            manager = f"is the manager of {holder.name}"
            why = (
                manager
                if answer.party is boss
                else f"stands in for {boss.name}, who {manager}: {answer.words}"
            )
            return Reached(party=answer.party, template=Template.OVERDUE, why=why)
    return None
