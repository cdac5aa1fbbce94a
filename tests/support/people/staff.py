"""Staff by facts: who is absent, who owns a case."""

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from alerting.domain.cases.cases import Case, Status
from alerting.domain.cases.clocks import Starts
from alerting.domain.people.people import Absence, Party, Team, dated
from alerting.domain.routing.staff import Staff, staff_of
from tests.support.builders import NOW, party


def absent(
    begin: str = "2026-03-02", end: str = "2026-03-08", substitute: str | None = None
) -> Absence:
    return Absence(begin=begin, end=end, substitute=substitute)


def at(
    *known: Party | Team,
    moment: datetime = NOW,
    taken: dict[str, dict[str, int]] | None = None,
    **more: Any,
) -> Staff:
    """The staff by facts, `ann={...}` adding to what is known of Ann."""
    states = {one.id: dated(one) | more.get(one.id, {}) for one in known}
    return staff_of(states, moment, taken or {})


DESK = party("desk")


NAMES = st.sampled_from("abcde")


def team(turn: str = "week", **more: Any) -> Team:
    return Team(
        **{
            "id": "service",
            "name": "Service",
            "members": ("ann", "ben", "cid"),
            "turn": turn,
            **more,
        }
    )


def open_case_of(caller: str) -> Case:
    """A case that somebody holds, with nobody to fix anything."""
    starts = Starts(customer_sent=NOW, received=NOW, case_opened=NOW)
    return Case(
        id=1,
        customer_key="ACME",
        cycle=1,
        status=Status.OPEN,
        severity="normal",
        segment="key",
        territory="DE / BE",
        rule="r",
        policy="p",
        caller=caller,
        fixer=None,
        informed=(),
        assignment=1,
        starts=starts,
    )
