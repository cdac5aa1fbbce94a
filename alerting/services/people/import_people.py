"""People: importing them from a table, and what an administrator may put right."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerting.database.audit import audit_entries
from alerting.database.people import staff_facts
from alerting.domain.audit.entries import Action, Entry, EntrySubject
from alerting.domain.customers.customers import states_after
from alerting.domain.errors import ActionRefused
from alerting.domain.fields import Fields
from alerting.domain.people.people import Party
from alerting.domain.routing.staff import PersonFact, Staff
from alerting.services.context import Context
from alerting.services.imports.import_customers import Imported
from alerting.services.imports.person_rows import KEY, PersonTable, read_row
from alerting.services.intake.take_records import Record, take_records


@dataclass(kw_only=True)
class _Given:
    """What a table gives of one person: its first row, and the absences of further ones."""

    lines: list[int] = field(default_factory=list)
    changes: dict[str, object] = field(default_factory=dict)

    def add(self, line: int, changes: dict[str, object]) -> None:
        absences = [*_absences(self.changes), *_absences(changes)]
        for name, value in changes.items():
            if name != "absences" and self.changes.get(name, value) != value:
                raise ValueError(f"{name}: line {self.lines[0]} says {self.changes[name]!r}")
        if self.lines and not changes.get("absences"):
            raise ValueError(
                f"person_id: stands in line {self.lines[0]} already, and this row adds no absence"
            )
        self.lines.append(line)
        self.changes |= changes | ({"absences": absences} if absences else {})


def _absences(changes: Mapping[str, object]) -> list[object]:
    given = changes.get("absences")
    return given if isinstance(given, list) else []


def import_people_table(ctx: Context, table: PersonTable) -> Imported:
    """Each row that says something new becomes a `person.updated` event; the same file again
    changes nothing.

    A bad row is reported and does not stop the rest. Whoever is not in the table stays as they are.
    """
    result, found = Imported(), dict[str, _Given]()
    for row in table.rows:
        try:
            changes = read_row(row)
            found.setdefault(row.cells[KEY], _Given()).add(row.line, changes)
        except ValueError as error:
            result.bad.append((row.line, str(error)))
    good = {name: given for name, given in found.items() if given.lines}
    with ctx.db.read() as tx:
        now = tx.now()
        states = {name: _state(staff_facts.facts_of(tx, name)) for name in good}
    records = []
    for name, given in sorted(good.items()):
        if all(states[name].get(key) == value for key, value in given.changes.items()):
            result.unchanged += 1
        else:
            records.append(_record(table.name, name, given, now))
    result.changed = take_records(ctx, records).events if records else 0
    _warn(ctx, good, result)
    return result


def _state(facts: Sequence[PersonFact]) -> dict[str, object]:
    return states_after(facts)[-1] if facts else {}


def _record(file_name: str, name: str, given: _Given, now: datetime) -> Record:
    """The row as an event. Its id holds the moment: a value that returns to what it was is a
    change.
    """
    data = {"person_id": name, **given.changes}
    content = json.dumps([now.isoformat(), data], sort_keys=True)
    envelope = {
        "specversion": "1.0",
        "type": "person.updated",
        "source": f"import:{file_name}"[:200],
        "id": hashlib.sha256(content.encode()).hexdigest()[:32],
        "time": now.isoformat(),
        "data": data,
    }
    value, line = json.dumps(envelope, ensure_ascii=False).encode(), given.lines[0]
    return Record(
        place=f"{file_name}:{line}@{envelope['id']}",
        offset=line,
        value=value,
        headers={},
        timestamp=now,
    )


def _warn(ctx: Context, good: dict[str, _Given], result: Imported) -> None:
    """Who is named and not known may be hired tomorrow: the row is taken."""
    staff = staff_now(ctx)
    for name, given in good.items():
        line = given.lines[0]
        if name in staff.partial:
            result.warnings.append(
                (line, f"{name} cannot be told anything yet: {staff.partial[name]}")
            )
        for key in ("manager", "substitute", "office"):
            named = Fields(given.changes).text_or_none(key)
            if named and staff.get(named) is None:
                result.warnings.append((line, f"{key}: {staff.why_unknown(named)}"))
    result.bad.sort()
    result.warnings.sort()


def staff_now(ctx: Context, moment: datetime | None = None) -> Staff:
    with ctx.db.read() as tx:
        return staff_facts.staff_at(tx, moment or tx.now())


def mark_reachable(ctx: Context, text: str, actor: str) -> Party:
    """The address that was refused works again: the person is asked again. Raises ActionRefused."""

    def once() -> Party:
        with ctx.db.write() as tx:
            now = tx.now()
            party = staff_facts.staff_at(tx, now).by_id_or_email(text.strip())
            if party is None:
                raise ActionRefused(
                    f"{text!r} is nobody we know; `alerting people list` shows everybody"
                )
            if not _state(staff_facts.facts_of(tx, party.id, hold=True)).get("refused"):
                raise ActionRefused(
                    f"no mail to {party.name} was refused; there is nothing to clear"
                )
            fact = PersonFact(
                party=party.id,
                valid_from=now,
                source="command",
                event_id=now.isoformat(),
                changes={"refused": None},
            )
            staff_facts.add_facts(tx, [fact], now)
            entry = Entry(
                actor=actor,
                action=Action.PERSON_REACHABLE,
                subject=EntrySubject(kind="person", id=party.id),
                happened_at=now,
            )
            audit_entries.write(tx, entry, now)
            return party

    return ctx.db.retrying(once)
