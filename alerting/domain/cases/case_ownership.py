"""What becomes of an open case when its customer gets another owner."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from alerting.domain.audit.entries import Action
from alerting.domain.cases.case_alerts import owed_anew
from alerting.domain.cases.case_responses import informed_after_move
from alerting.domain.cases.cases import AuditLine, Case, Decision, Status, ToTell
from alerting.domain.cases.clocks import Clock
from alerting.domain.routing.fill_role import Assignment
from alerting.domain.templates import Template


def move_to_owner(
    case: Case, clocks: Iterable[Clock], to: Assignment, *, tell_former: bool, now: datetime
) -> Decision:
    """The call goes to whoever answers for the new owner; the clocks run on, and links to the
    former caller go stale.
    """
    after = replace(
        case,
        caller=to.party.id,
        status=Status.OPEN if case.status is Status.ACKNOWLEDGED else case.status,
        acknowledged_at=None,
        informed=informed_after_move(case, to.party.id),
        assignment=case.assignment + 1,
    )
    tell = [
        ToTell(
            recipient=to.party.id,
            template=Template.CALL,
            data={"duty": "call", "former_owner": case.caller},
        )
    ]
    if tell_former:
        tell.append(
            ToTell(recipient=case.caller, template=Template.INFORMED, data={"owner_changed": True})
        )
    facts: dict[str, object] = {
        "from": case.caller,
        "to": to.party.id,
        "role": to.role,
        "why": list(to.why),
        "steps": [step.as_json() for step in to.steps],
    }
    owed, timers = owed_anew(case, clocks, now) if case.status is Status.ACKNOWLEDGED else ([], [])
    return Decision(
        case=after,
        clocks=tuple(owed),
        timers=tuple(timers),
        tell=tuple(tell),
        audit=(AuditLine(action=Action.CASE_OWNER_CHANGED, happened_at=now, facts=facts),),
    )


def keep_with_caller(case: Case, owner: str, why: str, now: datetime) -> Decision:
    """The case stays where it is, and says so."""
    facts = {"owner": owner, "kept_by": case.caller, "why": why}
    return Decision(
        case=case,
        audit=(AuditLine(action=Action.CASE_OWNER_CHANGED, happened_at=now, facts=facts),),
    )
