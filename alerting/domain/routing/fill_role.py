"""Who holds a role for a customer: every step that leads there, and who is left in the end."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

from alerting.domain.customers.customers import Customer
from alerting.domain.people.people import Party, Team
from alerting.domain.routing.routing import OWNER, Routing
from alerting.domain.routing.staff import Staff


class StepOutcome(StrEnum):
    """What a step of filling a role came to."""

    HOLDER = "holder"
    STAND_IN = "stand_in"
    """Somebody else for the one who is away."""
    TURN = "turn"
    """The member of a team whose turn it is."""
    NOBODY = "nobody"
    """The rules name nobody here."""
    UNUSABLE = "unusable"
    """Somebody is named who is not known, is away without a substitute, or cannot call."""
    ELSEWHERE = "elsewhere"
    """It goes on at another role, or above it."""


@dataclass(frozen=True, kw_only=True)
class RoutingStep:
    """One step of filling a role: `label` is the role or "account owner", `scope` what of it was
    looked at ("territory DE"), `words` what was found, `party` who.
    """

    label: str
    found: StepOutcome
    words: str
    scope: str = ""
    party: str | None = None

    @property
    def sentence(self) -> str:
        if self.found is StepOutcome.ELSEWHERE:
            return self.words
        place = f"{self.label} ({self.scope})" if self.scope else self.label
        return f"{place}: {self.words}"

    def as_json(self) -> dict[str, object]:
        return {"label": self.label, "found": self.found, "words": self.words, "party": self.party}


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """A role filled: who, and the steps that led there, readable one after the other.

    `through` is the role or `customer.owner` that led to this person in the end, `team` the one
    whose turn it was.
    """

    party: Party
    role: str
    why: tuple[str, ...]
    steps: tuple[RoutingStep, ...] = ()
    through: str = ""
    team: str | None = None


def fill_role(
    role: str,
    customer: Customer,
    segment: str,
    routing: Routing,
    staff: Staff,
    *,
    to_call: bool = False,
) -> Assignment:
    """Who holds `role` for this customer. What cannot be filled falls to `default`, and the reasons
    say so.

    Whoever is absent, cannot be reached or has left is passed over. `to_call` passes over offices:
    an office cannot speak with anybody. Raises LookupError if `default` itself names nobody and
    nobody else is left to ask.
    """
    filling = _Filling(
        customer=customer, segment=segment, routing=routing, staff=staff, to_call=to_call
    )
    party = filling.fill(role)
    if party is None and role != "default":
        filling.went_on(role, f"nobody holds {role}: goes to default")
        filling.to_call = False
        party = filling.fill("default")
    if party is None:
        party = filling.last_resort()
    if party is None:
        said = "; ".join(step.sentence for step in filling.steps)
        raise LookupError(f"the role 'default' names nobody: {said}")
    return Assignment(
        party=party,
        role=role,
        why=tuple(step.sentence for step in filling.steps),
        steps=tuple(filling.steps),
        through=filling.through,
        team=filling.team,
    )


class _Place(NamedTuple):
    """Where a step looks: a role, and what of it."""

    label: str
    scope: str = ""


@dataclass(kw_only=True)
class _Filling:
    """One role being filled: what is known, and the steps so far."""

    customer: Customer
    segment: str
    routing: Routing
    staff: Staff
    to_call: bool
    steps: list[RoutingStep] = field(default_factory=list)
    through: str = ""
    team: str | None = None

    def went_on(self, label: str, words: str) -> None:
        self.steps.append(RoutingStep(label=label, found=StepOutcome.ELSEWHERE, words=words))

    def _note(self, at: _Place, found: StepOutcome, words: str, party: Party | None = None) -> None:
        who = None if party is None else party.id
        self.steps.append(
            RoutingStep(label=at.label, scope=at.scope, found=found, words=words, party=who)
        )

    def fill(self, name: str) -> Party | None:
        if name == OWNER:
            return self._ask(name, _Place("account owner"), self.customer.owner)
        role = self.routing.roles.get(name)
        if role is None:
            self._note(_Place(name), StepOutcome.UNUSABLE, "no such role")
            return None
        if role.first_of is not None:
            tried = (self.fill(item) for item in role.first_of if item != name)
            return next((party for party in tried if party is not None), None)
        if role.person is not None:
            return self._ask(name, _Place(name), role.person)
        if role.team is not None:
            return self._by_turn(name, role.team)
        if role.territory is not None:
            return self._in_territory(name, role.territory)
        if role.industry is not None:
            industry = str(self.customer.state.get("industry") or "")
            lead = self.routing.industry_lead(industry)
            return self._ask(name, _Place(name, "industry"), lead)
        place = _Place(name, f"segment {self.segment}")
        return self._ask(name, place, self.routing.segments.get(self.segment))

    def _ask(self, name: str, at: _Place, party_id: str | None) -> Party | None:
        """Look somebody up and write down what was found."""
        if party_id is None:
            self._note(at, StepOutcome.NOBODY, "nobody")
            return None
        party = self.staff.by_id_or_email(party_id)
        if party is None:
            self._note(at, StepOutcome.UNUSABLE, self.staff.why_unknown(party_id))
            return None
        answer = self.staff.ask(party, to_call=self.to_call)
        found = StepOutcome.HOLDER if answer.party is party else StepOutcome.STAND_IN
        self._note(at, found if answer.party else StepOutcome.UNUSABLE, answer.words, answer.party)
        return self._found(name, answer.party)

    def _found(self, name: str, party: Party | None) -> Party | None:
        self.through = name if party is not None else self.through
        return party

    def _in_territory(self, name: str, what: Literal["office", "lead"]) -> Party | None:
        """The most specific territory that has one who is here; the parts of the map around it
        after it.
        """
        named = [
            (t, found)
            for t in self.routing.territories_of(self.customer)
            if (found := getattr(t, what))
        ]
        for territory, party_id in named:
            party = self._ask(name, _Place(name, f"territory {territory.words}"), party_id)
            if party is not None:
                return party
        if not named:
            self._note(_Place(name, "territory"), StepOutcome.NOBODY, "nobody")
        return None

    def _by_turn(self, name: str, team_id: str) -> Party | None:
        """Whose turn it is. Members who are away or have left are skipped: the turn goes to the
        next.
        """
        team = self.staff.teams.get(team_id)
        if team is None:
            self._note(_Place(name, "team"), StepOutcome.UNUSABLE, self.staff.why_unknown(team_id))
            return None
        at = _Place(name, f"team {team.name}")
        line, reason = team.in_line(self.staff.moment, self.staff.taken.get(team.id, {}))
        skipped: list[str] = []
        for member in line:
            party = self.staff.get(member)
            if party is not None and self.staff.is_here(party, to_call=self.to_call):
                self.team = team.id
                words = _turn_words(self.staff, team, line[0], reason, skipped, party)
                self._note(at, StepOutcome.TURN, words, party)
                return self._found(name, party)
            skipped.append(_skipped(self.staff, member))
        self._note(at, StepOutcome.UNUSABLE, f"{', '.join(skipped)}: nobody is left")
        return None

    def last_resort(self) -> Party | None:
        """Nobody is left by the rules: the managers above `default`, whoever has nobody above, then
        `default` itself, though it may be away. A complaint must not be lost because everybody is
        on holiday.
        """
        role = self.routing.roles.get("default")
        named = role.person if role else None
        party = self.staff.get(named)
        former = self.staff.former.get(named or "")
        above = self.staff.bosses(party) if party else []
        boss = self.staff.get(former.manager) if former else None
        above += [boss, *self.staff.bosses(boss)] if boss else []
        people = [p for _, p in sorted(self.staff.parties.items()) if p.kind == "person"]
        heads = [p for p in people if p.manager is None] if party or former else []
        for candidate in (*above, *heads):
            if self.staff.is_here(candidate, to_call=True):
                above_it = f"goes to {candidate.name}, who is above or has nobody above"
                self.went_on("default", f"nobody holds default: {above_it}")
                return self._found("default", candidate)
        if party is not None:
            self.went_on("default", f"nobody else is left: goes to {party.name} all the same")
        return self._found("default", party)


def _turn_words(
    staff: Staff, team: Team, first: str, reason: str, skipped: list[str], party: Party
) -> str:
    if not skipped:
        return f"it is the turn of {party.name} ({reason})"
    turn = staff.get(first)
    whose = turn.name if turn else first
    return f"it is the turn of {whose} ({reason}), {', '.join(skipped)}, {party.name} is next"


def _skipped(staff: Staff, member: str) -> str:
    party, away = staff.get(member), staff.away.get(member)
    if party is None:
        return staff.why_unknown(member)
    return f"{party.name} {away.words if away else 'is an office and cannot call'}"
