"""Everybody at one moment: who is here, who is away and stands in, who has left; made from dated
facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import ValidationError

from alerting.domain.customers.customers import CustomerChange
from alerting.domain.fields import Fields
from alerting.domain.people.people import Known, Party, Team


@dataclass(frozen=True, kw_only=True)
class PersonFact(CustomerChange):
    """What was said of somebody from a moment on. `active: False`: has left."""

    party: str


@dataclass(frozen=True, kw_only=True)
class Away:
    """Why somebody who is here is not asked now, as words after the name, and who is named to stand
    in for that.
    """

    words: str
    substitute: str | None = None
    refused: bool = False
    """Because their address is, not because they are absent."""


@dataclass(frozen=True, kw_only=True)
class Former:
    """Somebody who has left."""

    id: str
    name: str
    email: str | None
    manager: str | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Who is asked in somebody's place, and the steps that led there, in words. None: nobody is
    left to ask.
    """

    party: Party | None
    words: str


@dataclass(frozen=True, kw_only=True)
class Staff:
    """Everybody who can be told something at one moment, by id. `taken` is each team member's last
    turn, by team.
    """

    parties: Mapping[str, Party]
    teams: Mapping[str, Team] = field(default_factory=dict)
    away: Mapping[str, Away] = field(default_factory=dict)
    former: Mapping[str, Former] = field(default_factory=dict)
    partial: Mapping[str, str] = field(default_factory=dict)
    """Who is known only in part, and what is missing: they cannot be told anything."""
    taken: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    moment: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def members(self) -> dict[str, tuple[str, ...]]:
        """Of each team."""
        return {team.id: team.members for team in self.teams.values()}

    def get(self, party_id: str | None) -> Party | None:
        return self.parties.get(party_id) if party_id else None

    def by_id_or_email(self, text: str | None) -> Party | None:
        """A customer's `owner` may be written as an id or as a mail address."""
        if not text:
            return None
        found = self.parties.get(text)
        if found is not None:
            return found
        matches = (p for p in self.parties.values() if p.email.casefold() == text.casefold())
        return next(matches, None)

    def why_unknown(self, text: str) -> str:
        """Why an id or a mail address leads to nobody, as a clause."""
        gone = [one for one in self.former.values() if text in {one.id, one.email}]
        gone += [
            one for one in self.former.values() if (one.email or "").casefold() == text.casefold()
        ]
        if gone:
            return f"{gone[0].name} has left"
        if text in self.partial:
            return f"{text} cannot be told anything: {self.partial[text]}"
        return f"{text} is a team" if text in self.teams else f"{text} is not in people.yaml"

    def manager_of(self, party: Party) -> Party | None:
        return self.get(party.manager)

    def is_here(self, party: Party, *, to_call: bool = False) -> bool:
        """Whether somebody can be asked now. `to_call`: an office cannot speak with anybody."""
        return party.id not in self.away and not (to_call and party.kind == "office")

    def ask(self, party: Party, *, to_call: bool = False) -> Answer:
        """The person, or whoever stands in. The substitute named for an absence comes first, then
        the standing one; whoever of them is away, too, is replaced in the same way. A circle ends
        where it began.
        """
        words, seen, waiting = [], set[str](), [party.id]
        while waiting:
            name = waiting.pop()
            current = self.get(name)
            if name in seen:
                continue
            seen.add(name)
            if current is None:
                words.append(self.why_unknown(name))
                continue
            if self.is_here(current, to_call=to_call):
                clause = current.name if current is party else f"{current.name} stands in"
                return Answer(party=current, words=", ".join([*words, clause]))
            away = self.away.get(name)
            words.append(f"{current.name} {away.words if away else 'is an office and cannot call'}")
            named = (away.substitute if away else None, current.substitute)
            waiting += [substitute for substitute in reversed(named) if substitute is not None]
        return Answer(party=None, words=", ".join([*words, "nobody stands in"]))

    def stand_in_for(self, party: Party) -> Party | None:
        """Who stands in for somebody now, whether they are away or just do not answer."""
        away = self.away.get(party.id)
        named = [self.get(away.substitute if away else None), self.get(party.substitute)]
        asked = [self.ask(one).party for one in named if one is not None]
        return next((one for one in asked if one is not None and one is not party), None)

    def bosses(self, party: Party) -> list[Party]:
        """The managers upwards, each once, whether they are here or not."""
        found: list[Party] = []
        boss = self.manager_of(party)
        while boss is not None and boss is not party and boss not in found:
            found.append(boss)
            boss = self.manager_of(boss)
        return found

    def next_responsible(
        self, party: Party, default: str | None, already: set[str]
    ) -> Party | None:
        """Whom to tell when `party` cannot be reached: the substitute, then `default`, then
        managers; nobody twice.

        Managers come last: a wrong address must not bring every small complaint before a vice
        president. Whoever is away is passed over.
        """
        line = [self.get(party.substitute), self.get(default), *self.bosses(party)]
        asked = [self.ask(one).party for one in line if one is not None]
        line = [self.stand_in_for(party), *asked]
        return next(
            (p for p in line if p is not None and p.id != party.id and p.id not in already), None
        )


def staff_of(
    states: Mapping[str, Mapping[str, object]],
    moment: datetime,
    taken: Mapping[str, Mapping[str, int]],
) -> Staff:
    """Everybody from what holds of each at a moment."""
    parties: dict[str, Party] = {}
    teams: dict[str, Team] = {}
    away: dict[str, Away] = {}
    former: dict[str, Former] = {}
    partial: dict[str, str] = {}
    for name, state in states.items():
        if state.get("active") is False:
            former[name] = _former(name, state)
            continue
        try:
            known = known_as(name, state)
        except ValidationError as error:
            fields = [str(finding["loc"][0]) for finding in error.errors() if finding["loc"]]
            partial[name] = f"{' and '.join(dict.fromkeys(fields))} missing"
            continue
        if isinstance(known, Team):
            teams[name] = known
            continue
        parties[name] = known
        reason = _away(known, state, moment)
        if reason is not None:
            away[name] = reason
    return Staff(
        parties=parties,
        teams=teams,
        away=away,
        former=former,
        partial=partial,
        taken=taken,
        moment=moment,
    )


_BESIDE = {"active", "refused"}
"""What is kept of somebody beside what people.yaml may say."""


def known_as(name: str, state: Mapping[str, object]) -> Known:
    """A person, an office or a team from what holds of it. Raises ValidationError where something
    is missing.
    """
    said = {
        "name": name,
        **{key: value for key, value in state.items() if key not in _BESIDE},
        "id": name,
    }
    kind: type[Team] | type[Party] = Team if said.get("kind") == "team" else Party
    return kind.model_validate(
        {key: value for key, value in said.items() if key in kind.model_fields}
    )


def _former(name: str, state: Mapping[str, object]) -> Former:
    said = Fields(state)
    return Former(
        id=name,
        name=said.text_or_none("name") or name,
        email=said.text_or_none("email"),
        manager=said.text_or_none("manager"),
    )


def _away(party: Party, state: Mapping[str, object], moment: datetime) -> Away | None:
    """An address that a mail server has refused counts as long as it is the person's address."""
    refused = Fields(state).object("refused")
    if refused.get("address") == party.email:
        words = f"cannot be reached (mail to this address was refused on {refused['on']})"
        return Away(words=words, refused=True)
    absence = party.absence_at(moment)
    return Away(words=absence.words, substitute=absence.substitute) if absence else None
