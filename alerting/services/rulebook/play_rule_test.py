"""Playing a rule test: intake, follow-up, delivery and responses as in production, on a demo's
database of its own.

The demo's clock is moved from one due timer, full silence or day of the calendar to the next, so
that every step fires at its own time and sees the case as it stands then. What happened is read
from the database afterwards.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from alerting.database import instance
from alerting.database.alerts import watches
from alerting.database.cases import cases, timers
from alerting.database.customers import customers, memberships
from alerting.database.intake import dead_letters
from alerting.database.people import staff_facts
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.errors import ActionRefused
from alerting.domain.routing.fill_role import fill_role
from alerting.domain.rulebook.rule_tests import (
    Arrival,
    Fault,
    Played,
    Response,
    RuleTest,
    format_offset,
)
from alerting.services.alerts.customer_silence import notice_silences
from alerting.services.alerts.review_due import review_due
from alerting.services.cases import acts, respond
from alerting.services.cases.fire_timers import fire_due
from alerting.services.cases.respond import Actor
from alerting.services.context import Context
from alerting.services.intake.take_records import Record, take_records
from alerting.services.mail.channel import Post
from alerting.services.mail.deliver import deliver_due
from alerting.services.rulebook.rule_test_account import Account, by_turn

KNOWN_SINCE = timedelta(days=30)
"""How long before the begin a test's customers have been as they are."""

MOMENT = timedelta(seconds=10)
"""The clock ticks on while a test is played: what falls due this little after an instant falls due
at it.
"""


def play(ctx: Context, post: Post, test: RuleTest) -> Played:
    """Play one test on an empty demo database with an active rulebook."""
    stage = _Stage(ctx=ctx, post=post, test=test)
    stage.begin()
    stage.take(
        [stage.record("customer.updated", fields, -KNOWN_SINCE) for fields in test.customers]
    )
    with ctx.db.write() as tx:
        watches.put_off(tx, KNOWN_SINCE)  # a silence is counted from the begin of the test
    for item in test.timeline:
        stage.run_to(item.at)
        if isinstance(item, Arrival):
            stage.arrive(item)
        else:
            stage.respond(item)
        stage.deliver()
    stage.run_to(test.end)
    with ctx.db.read() as tx:
        return Account(tx=tx, ctx=ctx, begin=test.begin, faults=stage.faults).read()


@dataclass(kw_only=True)
class _Stage:
    """One installation while its time passes."""

    ctx: Context
    post: Post
    test: RuleTest
    faults: list[Fault] = field(default_factory=list)
    _count: int = 0

    def begin(self) -> None:
        """Set the clock, which shows the machine's date until now; only here may it go
        backwards.
        """
        with self.ctx.db.write() as tx:
            instance.move_demo_clock(tx, self.test.begin - tx.now())

    def advance(self, target: datetime) -> None:
        with self.ctx.db.write() as tx:
            instance.move_demo_clock(tx, max(target - tx.now(), timedelta(0)))

    def run_to(self, offset: timedelta) -> None:
        """Let time pass until `offset`: timers fire, silences are full and the calendar moves
        customers when that is due.
        """
        target = self.test.begin + offset
        while (due := self._next_due()) is not None and due <= target + MOMENT:
            self.advance(due)
            if (
                not fire_due(self.ctx, timedelta(0))
                + notice_silences(self.ctx)
                + review_due(self.ctx)
            ):
                self.faults.append(
                    Fault(message=f"a timer could not fire, see the log; due at {due.isoformat()}")
                )
                break
            self.deliver()
        self.advance(target)

    def _next_due(self) -> datetime | None:
        with self.ctx.db.read() as tx:
            due = (timers.next_due(tx), watches.next_due(tx), memberships.next_review(tx))
        return min((moment for moment in due if moment is not None), default=None)

    def deliver(self) -> None:
        while deliver_due(self.ctx, self.post):
            pass

    def record(self, kind: str, data: Mapping[str, object], at: timedelta) -> Record:
        """An event that happened at `at`, and arrives now."""
        self._count += 1
        time = self.test.begin + at
        envelope = {
            "specversion": "1.0",
            "type": kind,
            "source": "/rule-test",
            "id": str(self._count),
            "time": time.isoformat(),
            "data": dict(data),
        }
        value = json.dumps(envelope, ensure_ascii=False).encode()
        arrived = max(time, self.test.begin)
        return Record(
            place=f"rule-test@{self._count}",
            offset=self._count,
            value=value,
            headers={},
            timestamp=arrived,
        )

    def take(self, records: list[Record]) -> None:
        take_records(self.ctx, records)

    def arrive(self, item: Arrival) -> None:
        with self.ctx.db.read() as tx:
            before = len(dead_letters.list_letters(tx))
        self.take([self.record(item.type, item.data, item.at)])
        with self.ctx.db.read() as tx:
            letters = dead_letters.list_letters(tx)[before:]
        self.faults += [
            Fault(message=f"became a dead letter: {row.reason}: {row.detail}", place=item.place)
            for row in letters
        ]

    def respond(self, item: Response) -> None:
        """Somebody acts; what the product refuses makes the test fail, with its words."""
        try:
            row = self._case_of(item)
            _act(self.ctx, row, item, self._name)
        except ActionRefused as error:
            said = f"{item.does} by {item.by} at {format_offset(item.at)} was refused: {error}"
            self.faults.append(Fault(message=said, place=item.place))

    def _case_of(self, item: Response) -> Any:
        with self.ctx.db.read() as tx:
            rows = cases.list_cases(tx, status="unresolved")
        fitting = [row for row in rows if item.customer in {None, row.customer_key}]
        if len(fitting) != 1:
            whose = f" of {item.customer}" if item.customer else ""
            known = ", ".join(sorted(row.customer_key for row in fitting))
            raise ActionRefused(
                f"several cases are open, say whose: {known}"
                if fitting
                else f"no case{whose} is open"
            )
        return fitting[0]

    def _name(self, row: Any, word: str, *, to_call: bool) -> str:
        """The person behind a role, for this case and now; a person's own id stands for itself."""
        with self.ctx.db.read() as tx:
            routing = self.ctx.shelf.active(tx).routing
            if word not in routing.roles:
                return word
            if word in (chosen := by_turn(tx, routing, row.id)):
                return chosen[word]
            customer = customers.customer_now(tx, row.customer_key)
            staff = staff_facts.staff_at(tx, tx.now())
            return fill_role(word, customer, row.segment, routing, staff, to_call=to_call).party.id


def _act(ctx: Context, row: Any, item: Response, name: Callable[..., str]) -> None:
    by = name(row, item.by, to_call=item.does != "fixed")
    actor = Actor(party=respond.find_party(ctx, by).id, door="cli")
    if item.does == "hand_over":
        given: Any = acts.HandOver(to=name(row, item.to, to_call=True), reason=item.note)
    elif item.does == "contact":
        given = acts.RecordContact.model_validate({"outcome": item.outcome, "note": item.note})
    elif item.does == "wait":
        given = acts.BeginWait(waiting_for=WaitingFor(item.waiting_for), reason=item.note)
    elif item.does == "fixed":
        with ctx.db.read() as tx:
            known = ctx.shelf.active(tx).resolutions
        cause, done = next(iter(known.root_causes), None), next(iter(known.actions), None)
        given = acts.Resolve(note=item.note, root_cause=cause, action=done)
    else:
        given = acts.Acknowledge() if item.does == "acknowledge" else acts.GoOn()
    acts.perform(ctx, row.id, actor, given)
