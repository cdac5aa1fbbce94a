"""Raising: what follows from one alert. It is stored with its facts, and opens or joins a case
unless something keeps it quiet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from alerting.database.alerts import alert_records, mutes
from alerting.database.audit import audit_entries
from alerting.database.cases import cases
from alerting.database.people import staff_facts
from alerting.database.rows.rules import AlertRow, Concerned
from alerting.domain.alerts.judge import RuleOutcome
from alerting.domain.alerts.suppression import STAGES, Alarm
from alerting.domain.audit.entries import Action, Entry, EntrySubject, Machine
from alerting.domain.cases.case_alerts import join_case, open_case
from alerting.domain.cases.cases import Case, Decision, Ended, NewCase, Opening, RaisedAlert
from alerting.domain.cases.clocks import Clock, Starts
from alerting.domain.mail.stages import first_reason
from alerting.domain.routing.fill_role import Assignment, fill_role
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rule
from alerting.services.alerts.judged import FIRST, Judged, Revision
from alerting.services.cases.apply_decision import Cause, apply_decision
from alerting.services.cases.end_wait import go_on
from alerting.services.cases.load_case import clocks_of
from alerting.services.judging_round import Round


def why_quiet(round_: Round, judged: Judged, rule: Rule, *, rang: bool) -> str | None:
    """The reason an alert tells nobody, None where it tells people. `rang`: a stronger rule told
    people about this very event.
    """
    alarm = Alarm(
        rule=rule,
        customer=judged.judgement.event.customer_key,
        segment=judged.segment,
        now=round_.now,
        excluded=judged.excluded,
        is_answered=lambda: _answered(round_, judged),
        mutes=round_.mutes,
        is_cooling=lambda: _cooling(round_, judged, rule),
        outranked=rang,
    )
    found = first_reason(STAGES, alarm)
    return None if found is None else found.reason


def _cooling(round_: Round, judged: Judged, rule: Rule) -> bool:
    """Whether the rule told about this customer within its cool-down before or after the event:
    which of two complaints reaches us first must not decide how often the phone rings.
    """
    event = judged.judgement.event
    if rule.cooldown is None:
        return False
    since, until = event.time - rule.cooldown, event.time + rule.cooldown
    key = event.customer_key
    found = mutes.last_alert(round_.tx, rule.id, key, since, until, without=judged.seq)
    return found is not None


def _answered(round_: Round, judged: Judged) -> bool:
    """Whether it arrived so late that the customer was called since, and the case is over."""
    event = judged.judgement.event
    until = cases.answered_until(round_.tx, event.customer_key)
    if until is None or min(event.time, event.received_at) > until:
        return False
    return event.customer_key not in cases.unresolved_cases(round_.tx, [event.customer_key])


def store_alert(
    round_: Round,
    judged: Judged,
    outcome: RuleOutcome,
    quiet: str | None,
    revision: Revision = FIRST,
) -> RaisedAlert:
    """Store one version of an alert with the facts that made it true, and its audit entry."""
    raised = _filled(round_, judged, outcome, _staff_now(round_, judged, outcome))
    number = alert_records.raise_alert(
        round_.tx,
        alert_records.NewAlert(
            event_seq=judged.seq,
            customer_key=judged.judgement.event.customer_key,
            segment=judged.segment,
            territory=judged.judgement.customer.territory,
            rule=outcome.rule.id,
            severity=outcome.rule.severity,
            because=alert_records.because(outcome),
            signals=judged.judgement.signals,
            people=people_of(raised),
            rulebook=judged.rulebook.hash,
            suppressed=quiet,
            revision=revision.number,
            state=revision.state,
        ),
        round_.now,
    )
    _audit(round_, judged, outcome, number, quiet, revision)
    return RaisedAlert(**{**vars(raised), "id": number})


def follow(round_: Round, customer_key: str, raised: RaisedAlert) -> int:
    """Open the customer's case or join it; returns its number."""
    now = round_.now
    case = case_to_join(round_, customer_key, raised)
    if case is None:
        return attach(round_, open_case(customer_key, raised, now), raised)
    case, clocks = looked_at_again(round_, case)
    decision = join_case(case, clocks, raised, round_.rulebook.policies, now)
    return attach(round_, decision, raised, case)


def case_to_join(round_: Round, customer_key: str, alert: RaisedAlert) -> Case | None:
    """The customer's unresolved case, or the last one where the complaint comes so soon that it
    opens that one again.
    """
    case = cases.unresolved_cases(round_.tx, [customer_key]).get(customer_key)
    if case is None and round_.rulebook.resolutions.reopen_within is not None:
        last, sent = cases.last_resolved(round_.tx, customer_key), alert.starts.customer_sent
        if (
            last
            and round_.rulebook.resolutions.reopens(last.resolved_at, sent)
            and not last.answers(sent)
        ):
            return last
    return case


def looked_at_again(round_: Round, case: Case) -> tuple[Case, list[Clock]]:
    """A case that a complaint is about to join, and its clocks. If it waits, though the customer
    did nothing since, it waits no longer: people have to look at it.
    """
    number = case.id
    if case.waiting_since is not None:
        ended = Ended(at=round_.now, because="a further alert")
        go_on(round_.tx, round_.ctx, case, ended, Cause(kind="response"), round_.now)
        case = cases.case_by_id(round_.tx, number) or case
    return case, clocks_of(round_.tx, round_.ctx, number)


def attach(
    round_: Round, decision: Decision | Opening, raised: RaisedAlert, before: Case | None = None
) -> int:
    """Carry out what an alert does to its customer's case; `before` is the case as it stood."""
    case_id = apply_decision(
        round_.tx,
        round_.ctx,
        decision,
        Machine.JUDGE,
        Cause(kind="alert", id=raised.id),
        round_.now,
    )
    alert_records.attach_alert(round_.tx, raised.id, case_id)
    note_turns(round_, decision.case, [raised], before, case_id)
    return case_id


def note_turns(
    round_: Round, after: NewCase, alerts: Iterable[RaisedAlert], before: Case | None, case_id: int
) -> None:
    """Whoever has been given the call or the fixing by turn has had the turn."""
    for alert in alerts:
        for assignment, had, has in (
            (alert.caller, before.caller if before else None, after.caller),
            (alert.fixer, before.fixer if before else None, after.fixer),
        ):
            if assignment is not None and assignment.team and assignment.party.id == has != had:
                staff_facts.take_turn(
                    round_.tx, assignment.team, has, case_id, alert.id, round_.now
                )


def _staff_now(round_: Round, judged: Judged, outcome: RuleOutcome) -> Staff:
    """With the turns as they are by now, where a team is asked: of two cases of one batch each
    takes one.
    """
    teams = _teams_asked(judged, outcome, round_.staff)
    if not teams:
        return round_.staff
    staff_facts.hold_turns(round_.tx, teams)
    return replace(round_.staff, taken=staff_facts.turns_taken(round_.tx))


def _teams_asked(judged: Judged, outcome: RuleOutcome, staff: Staff) -> set[str]:
    """The teams the rule's roles may come to whose turns are counted by case."""
    rule = outcome.rule
    roles = [rule.caller, *([rule.fixer] if rule.fixer else []), *rule.inform]
    named = {team for role in roles for team in judged.rulebook.routing.teams_behind(role)}
    return {team for team in named if team in staff.teams and staff.teams[team].turn == "case"}


def _filled(round_: Round, judged: Judged, outcome: RuleOutcome, staff: Staff) -> RaisedAlert:
    """The alert with everybody it concerns resolved to people, as `rulebook` says and the staff
    allows.
    """
    rule, event, rulebook = outcome.rule, judged.judgement.event, judged.rulebook

    def fill(role: str, *, to_call: bool = False) -> Assignment:
        customer = judged.judgement.customer
        return fill_role(role, customer, judged.segment, rulebook.routing, staff, to_call=to_call)

    caller, fixer = fill(rule.caller, to_call=True), fill(rule.fixer) if rule.fixer else None
    return RaisedAlert(
        id=0,
        rule=rule.id,
        severity=rule.severity,
        segment=judged.segment,
        territory=judged.judgement.customer.territory,
        policy=rulebook.promised(
            rule.policy, judged.judgement.customer, caller.party, fixer.party if fixer else None
        ),
        template=rule.template,
        starts=Starts.of_event(event.time, event.received_at, round_.now),
        caller=caller,
        fixer=fixer,
        informed=tuple(fill(role) for role in rule.inform),
        away=frozenset(staff.away),
    )


def filled_parties(
    round_: Round, judged: Judged, outcome: RuleOutcome, first: AlertRow
) -> list[str]:
    """Whom the alert would concern, had its `first` version been raised with today's facts about
    the customer: absences and turns are those of then. The caller, the fixer or nothing, the
    informed.
    """
    staff = round_.staff
    if staff.moment != first.raised_at:
        staff = staff_facts.staff_at(round_.tx, first.raised_at)
    if _teams_asked(judged, outcome, staff):
        staff = replace(staff, taken=staff_facts.turns_taken(round_.tx, before_alert=first.id))
    return parties(people_of(_filled(round_, judged, outcome, staff)))


def people_of(alert: RaisedAlert) -> list[Concerned]:
    """Everybody an alert concerns with duty, role and why, as it is kept."""
    duties = [("caller", alert.caller), *([("fixer", alert.fixer)] if alert.fixer else [])]
    duties += [("informed", assignment) for assignment in alert.informed]
    return [
        Concerned(duty=duty, role=a.role, party=a.party.id, why=list(a.why), through=a.through)
        for duty, a in duties
    ]


def parties(people: Sequence[Concerned]) -> list[str]:
    """What of them decides whether anything changed: duty and person."""
    return [f"{one['duty']} {one['party']}" for one in people]


def _audit(
    round_: Round,
    judged: Judged,
    outcome: RuleOutcome,
    alert_id: int,
    quiet: str | None,
    revision: Revision,
) -> None:
    event, membership = judged.judgement.event, judged.judgement.membership
    agreed = _agreed(judged, outcome.rule)
    facts = {
        "rule": outcome.rule.id,
        "segment": membership.segment,
        "segment_why": membership.why,
        "conditions": [truth.name for truth in outcome.truths],
        "event": {"source": event.source, "id": event.id, "digest": event.digest},
        **({"suppressed": quiet} if quiet else {}),
        **({"contract": agreed} if agreed else {}),
        **({"revision": revision.number} if revision.number > 1 else {}),
    }
    comment = getattr(event.payload, "comment", None)
    entry = Entry(
        actor=Machine.JUDGE,
        action=Action.ALERT_SUPPRESSED if quiet else Action(f"alert.{revision.state}"),
        subject=EntrySubject(kind="alert", id=str(alert_id)),
        happened_at=event.time,
        cause=f"event:{event.source} {event.id}",
        customer_key=event.customer_key,
        facts=facts,
        personal={"comment": comment} if comment else {},
    )
    audit_entries.write(round_.tx, entry, round_.now)


def _agreed(judged: Judged, rule: Rule) -> dict[str, str]:
    """What the customer's contract promises in place of the rule's policy, by clock."""
    promised = judged.rulebook.promised(rule.policy, judged.judgement.customer).targets
    usual = judged.rulebook.policies[rule.policy].targets
    return {
        kind.value: str(target.within) for kind, target in promised.items() if target != usual[kind]
    }
