"""What becomes of an open case when its customer gets another owner."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from alerting.domain.case_responses import informed_after_move
from alerting.domain.cases import AuditLine, Case, Decision, Status, Told
from alerting.domain.routing import Assignment


def move_to_owner(case: Case, to: Assignment, *, tell_former: bool, now: datetime) -> Decision:
    """The call goes to whoever answers for the new owner; the clocks run on, and links to the former caller go stale."""
    after = replace(
        case,
        caller=to.party.id,
        status=Status.OPEN if case.status is Status.ACKNOWLEDGED else case.status,
        informed=informed_after_move(case, to.party.id),
        assignment=case.assignment + 1,
    )
    tell = [Told(recipient=to.party.id, template="call", data={"duty": "call", "former_owner": case.caller})]
    if tell_former:
        tell.append(Told(recipient=case.caller, template="informed", data={"owner_changed": True}))
    facts: dict[str, Any] = {"from": case.caller, "to": to.party.id, "role": to.role, "why": list(to.why)}
    return Decision(
        case=after,
        tell=tuple(tell),
        audit=(AuditLine(action="case.owner_changed", happened_at=now, facts=facts),),
    )


def keep_with_caller(case: Case, owner: str, why: str, now: datetime) -> Decision:
    """The case stays where it is, and says so."""
    facts = {"owner": owner, "kept_by": case.caller, "why": why}
    return Decision(case=case, audit=(AuditLine(action="case.owner_changed", happened_at=now, facts=facts),))
