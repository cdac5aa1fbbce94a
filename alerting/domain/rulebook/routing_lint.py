"""What is wrong with who is responsible, as far as it shows from people, routing and rules
alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from alerting.domain.cases.escalations import STEP_WORDS, near
from alerting.domain.customers.segments import UNVERIFIED
from alerting.domain.people.circles import circles
from alerting.domain.people.people import Party, Team
from alerting.domain.routing.routing import OWNER, Role, roles_behind
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rule, Rulebook


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong. `about` names whom or what, sorted; a warning works, but seldom as
    it was meant.
    """

    kind: str
    message: str
    about: tuple[str, ...] = ()
    count: int = 1
    warning: bool = False


def without_absences(staff: Staff) -> Staff:
    """As if nobody were away: holidays are no fault of the routing."""
    return replace(staff, away={})


def findings_of(rulebook: Rulebook, staff: Staff, owners: Iterable[str]) -> list[Finding]:
    """Everything that shows without looking at customers; `owners` are the ids of those who own
    any.
    """
    owning = sorted(set(owners))
    return [
        *_people(staff),
        *_circles(staff),
        *_teams(staff),
        *_offices(rulebook, staff),
        *_named(rulebook, staff),
        *_segments(rulebook, staff),
        *_steps(rulebook, staff, owning),
    ]


def _people(staff: Staff) -> Iterator[Finding]:
    for name, missing in sorted(staff.partial.items()):
        yield Finding(
            kind="known in part",
            message=f"{name} cannot be told anything: {missing}",
            about=(name,),
        )
    for party in _sorted(staff):
        away = staff.away.get(party.id)
        if away is not None and away.refused:
            yield Finding(
                kind="address refused", message=f"{party.name} {away.words}", about=(party.id,)
            )
        elif away is not None and staff.ask(party).party is None:
            said = staff.ask(party).words
            yield Finding(kind="nobody stands in", message=said, about=(party.id,), warning=True)
        for key in ("manager", "substitute", "office"):
            named = getattr(party, key)
            if named is not None and staff.get(named) is None:
                message = f"the {key} of {party.name}: {staff.why_unknown(named)}"
                yield Finding(kind="unknown person", message=message, about=(party.id, named))


def _circles(staff: Staff) -> Iterator[Finding]:
    for key in ("manager", "substitute"):
        named = {
            p.id: getattr(p, key)
            for p in staff.parties.values()
            if getattr(p, key) not in {None, p.id}
        }
        for circle in circles(named):
            words = ", ".join([*circle, circle[0]])
            yield Finding(
                kind="circle",
                message=f"the {key}s go round in a circle: {words}",
                about=tuple(circle),
            )
    for party in _sorted(staff):
        for key in ("manager", "substitute"):
            if getattr(party, key) == party.id:
                yield Finding(
                    kind="circle", message=f"{party.name} is their own {key}", about=(party.id,)
                )


def _teams(staff: Staff) -> Iterator[Finding]:
    for _, team in sorted(staff.teams.items()):
        gone = [member for member in team.members if staff.get(member) is None]
        if len(gone) == len(team.members):
            yield Finding(
                kind="empty team",
                message=f"the team {team.name} has nobody who is here",
                about=(team.id,),
            )
            continue
        for member in gone:
            message = f"the team {team.name}: {staff.why_unknown(member)}"
            yield Finding(kind="unknown person", message=message, about=(team.id, member))


def _offices(rulebook: Rulebook, staff: Staff) -> Iterator[Finding]:
    used = {territory.office for territory in rulebook.routing.territories}
    for office in (party for party in _sorted(staff) if party.kind == "office"):
        inside = [
            party
            for party in staff.parties.values()
            if party.office == office.id and party.kind == "person"
        ]
        if not inside and staff.manager_of(office) is None:
            serves = "" if office.id in used else ", and no territory either"
            message = (
                f"the office {office.name} has nobody: no person names it, and it has no "
                f"manager{serves}"
            )
            yield Finding(kind="empty office", message=message, about=(office.id,))


def _named(rulebook: Rulebook, staff: Staff) -> Iterator[Finding]:
    """Whom routing.yaml and settings.yaml name and who is not here."""
    routing = rulebook.routing
    named = [(f"the role {name}", role.person) for name, role in routing.roles.items()]
    named += [
        (f"the {what} of {t.words}", getattr(t, what))
        for t in routing.territories
        for what in ("office", "lead")
    ]
    named += [
        (f"the lead of the industry {name}", person) for name, person in routing.industries.items()
    ]
    named += [
        (f"the lead of the segment {name}", person) for name, person in routing.segments.items()
    ]
    named += [
        ("the audit_holder of settings.yaml, who keeps the checkpoints", rulebook.audit_holder)
    ]
    for what, person in named:
        if person is not None and staff.get(person) is None:
            message = f"{what}: {staff.why_unknown(person)}"
            yield Finding(kind="unknown person", message=message, about=(person,))
    for name, role in routing.roles.items():
        if role.team is not None and role.team not in staff.teams:
            message = f"the role {name}: there is no team {role.team}"
            yield Finding(kind="unknown team", message=message, about=(role.team,))


def _segments(rulebook: Rulebook, staff: Staff) -> Iterator[Finding]:
    """Segments without a lead, where a rule's role asks for one."""
    routing = rulebook.routing
    for segment in rulebook.segments:
        if segment.id == UNVERIFIED or staff.get(routing.segments.get(segment.id)) is not None:
            continue
        roles = [(role, rule) for rule in _live(rulebook) for role in _roles_of(rule)]
        asking = {role: rule for role, rule in roles if _asks_segment(role, rulebook)}
        if not asking:
            continue
        named = any(
            _names_segment(rule, segment.id)
            for rule in _live(rulebook)
            if set(_roles_of(rule)) & set(asking)
        )
        alone = any(routing.roles[role].segment is not None for role in asking)
        message = (
            f"the segment {segment.id} has no lead, and {', '.join(sorted(asking))} may ask for one"
        )
        yield Finding(
            kind="unowned segment",
            message=message,
            about=(segment.id,),
            warning=not (named or alone),
        )


def _names_segment(rule: Rule, segment: str) -> bool:
    conditions = [named.condition for named in rule.when]
    return any("customer.segment" in c.reads and f"'{segment}'" in c.sql for c in conditions)


def _asks_segment(role: str, rulebook: Rulebook) -> bool:
    roles = rulebook.routing.roles
    return any(
        roles[name].segment is not None
        for name in {role, *roles_behind(role, roles)}
        if name in roles
    )


def _steps(rulebook: Rulebook, staff: Staff, owners: Sequence[str]) -> Iterator[Finding]:
    """Steps that reach nobody but `default`, for whoever may hold the case by the rules of their
    policy.
    """
    here = without_absences(staff)
    said: dict[str, Finding] = {}
    for rule in _live(rulebook):
        for kind, target in rulebook.policies[rule.policy].targets.items():
            for number, step in enumerate(target.steps, 1):
                for word in step.notify:
                    where = f"{rule.policy}, {kind}, step {number}: {word}"
                    duty = rule.fixer if word.endswith("fixer") and rule.fixer else rule.caller
                    found = _unreached(
                        where, word, _holders(duty, rulebook, here, owners), rulebook, here
                    )
                    if found is not None and (found.message not in said or not found.warning):
                        said[found.message] = found
    yield from said.values()


def _unreached(
    where: str, word: str, holders: Sequence[Party], rulebook: Rulebook, staff: Staff
) -> Finding | None:
    if word not in STEP_WORDS:
        if word == "default" or _holders(word, rulebook, staff, ()):
            return None
        return Finding(
            kind="unreachable step", message=f"{where}: nobody holds this role", about=(word,)
        )
    duty = "fixer" if word.endswith("fixer") else "caller"
    lost = [holder for holder in holders if near(word, duty, holder, staff) is None]
    if not lost:
        return None
    names = ", ".join(party.name for party in lost)
    message = f"{where} reaches nobody for {names}: goes to default"
    about = tuple(party.id for party in lost)
    return Finding(
        kind="unreachable step", message=message, about=about, warning=len(lost) < len(holders)
    )


def _holders(role: str, rulebook: Rulebook, staff: Staff, owners: Sequence[str]) -> list[Party]:
    """Everybody a role may fall to, `default` left out unless it is asked for."""
    routing = rulebook.routing
    ids: set[str] = set()
    for name in {role, *roles_behind(role, routing.roles)} - {
        "default" if role != "default" else ""
    }:
        ids |= set(owners) if name == OWNER else set()
        ids |= _ids_of(routing.roles.get(name), rulebook, staff)
    return [party for party_id in sorted(ids) if (party := staff.get(party_id)) is not None]


def _ids_of(role: Role | None, rulebook: Rulebook, staff: Staff) -> set[str]:
    routing = rulebook.routing
    if role is None:
        return set()
    if role.territory is not None:
        return {named for t in routing.territories if (named := getattr(t, role.territory))}
    if role.industry is not None:
        return set(routing.industries.values())
    if role.segment is not None:
        return set(routing.segments.values())
    team: Team | None = staff.teams.get(role.team or "")
    if team is not None:
        return set(team.members)
    return {role.person} if role.person else set()


def _roles_of(rule: Rule) -> list[str]:
    return [rule.caller, *([rule.fixer] if rule.fixer else []), *rule.inform]


def _live(rulebook: Rulebook) -> list[Rule]:
    return [rule for rule in rulebook.rules if rule.mode == "live"]


def _sorted(staff: Staff) -> list[Party]:
    return [party for _, party in sorted(staff.parties.items())]
