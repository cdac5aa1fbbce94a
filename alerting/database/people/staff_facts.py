"""The dated facts about people, offices and teams, and the turns that teams have taken."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import func, select, update

from alerting.database.engine import Transaction
from alerting.database.rows.people import PartyFactRow
from alerting.database.tables import party_fact, team_turn
from alerting.domain.customers.customers import states_after
from alerting.domain.people.people import Known, Party, dated
from alerting.domain.routing.staff import PersonFact, Staff, staff_of

FILE = "people.yaml"
"""The source of what was imported from the file."""

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""The first import counts from here on: events older than the installation have their people,
too.
"""


def staff_at(tx: Transaction, moment: datetime) -> Staff:
    """Everybody by the facts that are valid at a moment, with the turns taken until then."""
    return staff_of(_states(tx, moment), moment, turns_taken(tx, until=moment))


def party_at(tx: Transaction, party: str, moment: datetime) -> Party | None:
    """One of them, by the same facts."""
    return staff_of(_states(tx, moment, party), moment, {}).get(party)


def _states(
    tx: Transaction, moment: datetime, only: str | None = None
) -> dict[str, Mapping[str, object]]:
    """What holds of each at a moment: the state after the latest fact."""
    f = party_fact.c
    newest = (f.valid_from.desc(), f.source.desc(), f.event_id.desc())
    nth = func.row_number().over(partition_by=f.party, order_by=newest).label("nth")
    latest = (
        select(f.id, nth)
        .where(f.valid_from <= moment, *([f.party == only] if only else []))
        .subquery()
    )
    joined = party_fact.join(latest, latest.c.id == f.id)
    rows = tx.execute(
        select(f.party, f.state).select_from(joined).where(latest.c.nth == 1).order_by(f.party)
    )
    return {row.party: row.state for row in rows}


def facts_of(tx: Transaction, party: str, *, hold: bool = False) -> list[PersonFact]:
    """Everything ever said of somebody, oldest first. `hold`: nobody adds to it until this
    transaction ends.
    """
    statement = select(party_fact).where(party_fact.c.party == party)
    rows = tx.rows(PartyFactRow, statement.with_for_update() if hold else statement)
    return sorted((_fact(row) for row in rows), key=lambda fact: fact.order)


def _fact(row: PartyFactRow) -> PersonFact:
    return PersonFact(
        party=row.party,
        valid_from=row.valid_from,
        source=row.source,
        event_id=row.event_id,
        changes=row.changes,
    )


def add_facts(tx: Transaction, facts: Iterable[PersonFact], now: datetime) -> None:
    """Add facts, and bring what holds after each up to date. One that is there already is left
    alone.
    """
    by_party: dict[str, list[PersonFact]] = {}
    for fact in facts:
        by_party.setdefault(fact.party, []).append(fact)
    for party, given in sorted(by_party.items()):
        _add(tx, party, given, now)


def _add(tx: Transaction, party: str, given: Iterable[PersonFact], now: datetime) -> None:
    before = facts_of(tx, party, hold=True)
    known = {fact.order: state for fact, state in zip(before, states_after(before), strict=True)}
    every = sorted(
        {fact.order: fact for fact in (*given, *before)}.values(), key=lambda fact: fact.order
    )
    f = party_fact.c
    for fact, state in zip(every, states_after(every), strict=True):
        place = {"valid_from": fact.valid_from, "source": fact.source, "event_id": fact.event_id}
        if fact.order not in known:
            row = {
                "party": party,
                **place,
                "recorded_at": now,
                "changes": dict(fact.changes),
                "state": state,
            }
            tx.execute(party_fact.insert().values(**row))
        elif known[fact.order] != state:
            this = (f.party == party, *(f[name] == value for name, value in place.items()))
            tx.execute(update(party_fact).where(*this).values(state=state))


def import_people(tx: Transaction, people: Mapping[str, Known], now: datetime) -> list[str]:
    """Store what people.yaml says otherwise than it did, as facts valid from now on; returns whose
    facts changed.

    Whoever is not in it any more has left. What others said of somebody stays, where the file says
    nothing new.
    """
    if not people:
        return []
    said = _said_by_file(tx)
    first = not said
    wanted: dict[str, dict[str, object]] = {
        name: {**dated(party), "active": True} for name, party in people.items()
    }
    wanted |= {
        name: {**state, "active": False} for name, state in said.items() if name not in people
    }
    changed = {name: _difference(said.get(name, {}), state) for name, state in wanted.items()}
    moved = {name: changes for name, changes in changed.items() if changes}
    valid_from = ALWAYS if first else now
    facts = [
        PersonFact(
            party=name,
            valid_from=valid_from,
            source=FILE,
            event_id=now.isoformat(),
            changes=changes,
        )
        for name, changes in moved.items()
    ]
    add_facts(tx, facts, now)
    return [
        *(name for name in moved if name in people),
        *sorted(name for name in moved if name not in people),
    ]


def from_elsewhere(tx: Transaction, moment: datetime) -> dict[str, Known]:
    """Who is known by events and tables, and never stood in the file: rules may name them, too."""
    staff, said = staff_at(tx, moment), _said_by_file(tx)
    everybody: dict[str, Known] = {**staff.parties, **staff.teams}
    return {name: one for name, one in everybody.items() if name not in said}


def _said_by_file(tx: Transaction) -> dict[str, dict[str, object]]:
    """What the file said the last time, by id."""
    f = party_fact.c
    facts: dict[str, list[PersonFact]] = {}
    for row in tx.rows(PartyFactRow, select(party_fact).where(f.source == FILE)):
        facts.setdefault(row.party, []).append(_fact(row))
    return {
        name: states_after(sorted(given, key=lambda fact: fact.order))[-1]
        for name, given in facts.items()
    }


def _difference(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, object]:
    """What changed; None for what is said no more."""
    names = [*after, *(name for name in before if name not in after)]
    return {name: after.get(name) for name in names if before.get(name) != after.get(name)}


def turns_taken(
    tx: Transaction, *, until: datetime | None = None, before_alert: int | None = None
) -> dict[str, dict[str, int]]:
    """The number of each member's last turn, by team."""
    t = team_turn.c
    statement = select(t.team, t.member, func.max(t.id).label("last")).group_by(t.team, t.member)
    if until is not None:
        statement = statement.where(t.taken_at <= until)
    if before_alert is not None:
        statement = statement.where(t.alert_id < before_alert)
    found: dict[str, dict[str, int]] = {}
    for row in tx.execute(statement):
        found.setdefault(row.team, {})[row.member] = row.last
    return found


def hold_turns(tx: Transaction, teams: Iterable[str]) -> None:
    """Nobody else takes a turn of these teams until this transaction ends: two cases at once go to
    two people.
    """
    f = party_fact.c
    tx.execute(
        select(f.id).where(f.party.in_(sorted(set(teams)))).order_by(f.id).with_for_update()
    ).all()


def take_turn(
    tx: Transaction, team: str, member: str, case_id: int, alert_id: int, now: datetime
) -> None:
    """A member has been given a case."""
    row = {
        "team": team,
        "member": member,
        "taken_at": now,
        "case_id": case_id,
        "alert_id": alert_id,
    }
    tx.execute(team_turn.insert().values(**row))
