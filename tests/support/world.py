"""A whole installation inside a test: real database, real rulebook, real mailbox folder, and a
clock that can be moved.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select

from alerting.adapters.mail.email.mailbox import Kept, read_mailbox
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.bootstrap import App, bootstrap, prepare
from alerting.database import instance
from alerting.database.cases import case_clocks, cases
from alerting.database.migrate import migrate
from alerting.database.tables import case_file
from alerting.domain.cases.cases import Attempt, Case
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.resolutions import Resolution
from alerting.domain.rulebook.rulebook import Rulebook, content_hash
from alerting.services.alerts.judge_batch import Taken
from alerting.services.cases import respond
from alerting.services.cases.fire_timers import fire_due
from alerting.services.cases.respond import Actor
from alerting.services.intake.take_records import Record, take_records
from alerting.services.mail.deliver import deliver_due
from alerting.settings import read_settings

BEGIN = datetime(2026, 3, 6, 8, 30, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
GERMANY = {"country": "DE", "language": "de", "time_zone": "Europe/Berlin"}


@dataclass(kw_only=True)
class World:
    """What a test says and asks. Events are given by what differs from the ordinary."""

    app: App
    folder: Path
    _count: int = field(default=0)

    def now(self) -> datetime:
        with self.app.ctx.db.read() as tx:
            return tx.now()

    def pass_time(self, **amount: float) -> None:
        with self.app.ctx.db.write() as tx:
            instance.move_demo_clock(tx, timedelta(**amount))

    def envelope(self, kind: str, data: Mapping[str, Any], **envelope: Any) -> dict[str, Any]:
        self._count += 1
        return {
            "specversion": "1.0",
            "type": kind,
            "source": "/test",
            "id": f"event-{self._count}",
            "time": self.now().isoformat(),
            "data": dict(data),
            **envelope,
        }

    def survey(
        self, customer: str | None = "ACME-AERO", score: int = 2, **more: Any
    ) -> dict[str, Any]:
        envelope = {name: more.pop(name) for name in ("id", "source", "time") if name in more}
        data = {
            "survey_id": "relationship",
            "metric": "nps",
            "score": score,
            "comment": "It still leaks.",
            **more,
        }
        return self.envelope(
            "survey.answered", data | ({"customer_id": customer} if customer else {}), **envelope
        )

    def call(
        self, customer: str = "ALPENWERK", outcome: str | None = "unresolved", **more: Any
    ) -> dict[str, Any]:
        envelope = {name: more.pop(name) for name in ("id", "source", "time") if name in more}
        data = {"customer_id": customer, "channel": "phone", "direction": "inbound", **more}
        return self.envelope(
            "interaction.recorded", data | ({"outcome": outcome} if outcome else {}), **envelope
        )

    def customer(self, customer: str, **more: Any) -> dict[str, Any]:
        time = more.pop("time", (BEGIN - timedelta(days=30)).isoformat())
        return self.envelope("customer.updated", {"customer_id": customer, **more}, time=time)

    def known_customers(self) -> None:
        """The sample's key account, valuable customer and small one."""
        ada = {
            "name": "Ada Example",
            "role": "Head of Purchasing",
            "phone": "+49 30 5550199",
            "email": "ada@acme.example",
        }
        self.take(
            self.customer(
                "ACME-AERO",
                name="Acme Aerospace",
                revenue_with_us=1_240_000,
                owner="owner_north",
                renewal_date="2026-05-31",
                contacts=[ada],
                **GERMANY,
            ),
            self.customer(
                "ALPENWERK",
                name="Alpenwerk",
                revenue_with_us=410_000,
                owner="owner_north",
                region="Bavaria",
                **GERMANY,
            ),
            self.customer(
                "KIOSK-7",
                name="Kiosk Seven",
                revenue_with_us=1_900,
                owner="lead_central",
                **GERMANY,
            ),
        )

    def take(self, *events: Mapping[str, Any] | bytes) -> Taken:
        """Hand events to intake, in one batch."""
        return take_records(self.app.ctx, [self.record(event) for event in events])

    def record(self, event: Mapping[str, Any] | bytes) -> Record:
        self._count += 1
        value = event if isinstance(event, bytes) else json.dumps(event).encode()
        return Record(
            place=f"test@{self._count}",
            offset=self._count,
            value=value,
            headers={},
            timestamp=self.now(),
        )

    def deliver(self) -> list[Kept]:
        """Send what is due, and return the mails it brought, oldest first."""
        before = {mail.name for mail in self.mails()}
        while deliver_due(self.app.ctx, self.app.post):
            pass
        return [mail for mail in self.mails() if mail.name not in before]

    def mails(self) -> list[Kept]:
        return list(reversed(read_mailbox(self.app.settings.mailbox)))

    def tick(self) -> int:
        return fire_due(self.app.ctx, timedelta(seconds=5))

    def rows(self, statement: Select[Any]) -> list[Any]:
        with self.app.ctx.db.read() as tx:
            return list(tx.execute(statement))

    def case(self, customer: str) -> Case:
        """The customer's newest case."""
        chosen = (
            select(case_file.c.id)
            .where(case_file.c.customer_key == customer)
            .order_by(case_file.c.id.desc())
        )
        found = self.rows(chosen)
        assert found, f"{customer} has no case"
        with self.app.ctx.db.read() as tx:
            case = cases.case_by_id(tx, found[0].id)
        assert case is not None
        return case

    def clocks(self, customer: str) -> dict[str, Clock]:
        """The newest plan of each clock, by kind."""
        case = self.case(customer)
        assert case.id is not None
        with self.app.ctx.db.read() as tx:
            every = case_clocks.clocks_of(tx, [case.id])[case.id]
        return {clock.kind.value: clock for clock in sorted(every, key=lambda c: (c.cycle, c.plan))}

    def reached(
        self, customer: str, by: str, outcome: str = "reached", minutes_ago: float = 0
    ) -> Case:
        case = self.case(customer)
        assert case.id is not None

        def make(now: datetime) -> Attempt:
            moment = now - timedelta(minutes=minutes_ago)
            return Attempt(by=by, channel="phone", outcome=outcome, happened_at=moment, note="")

        return respond.record_attempt(self.app.ctx, case.id, Actor(party=by, door="cli"), make)

    def acknowledged(self, customer: str, by: str) -> Case:
        case = self.case(customer)
        assert case.id is not None
        return respond.acknowledge_case(self.app.ctx, case.id, Actor(party=by, door="cli"))

    def fixed(self, customer: str, by: str = "office_berlin") -> Case:
        case = self.case(customer)
        assert case.id is not None
        return respond.remove_cause_of(
            self.app.ctx,
            case.id,
            Actor(party=by, door="cli"),
            Resolution(note="The seal was replaced."),
        )


def recipients(mails: Iterable[Kept]) -> list[str]:
    """The local parts of the addresses, sorted: `vp.sales`."""
    return sorted(mail.to.split("<")[-1].split("@")[0] for mail in mails)


_books: dict[str, Rulebook] = {}


def read_once(files: Mapping[str, str]) -> Rulebook:
    """Rulebooks never change, and every world has the same one: reading it costs more than most
    tests.
    """
    name = content_hash(files)
    if name not in _books:
        _books[name] = build_rulebook(files)
    return _books[name]


def make_world(
    folder: Path,
    database_url: str | None = None,
    rules: Path | None = None,
    *,
    prepared: bool = False,
    **variables: str,
) -> World:
    """An installation whose clock stands at BEGIN, whatever the date. `prepared`: its database is a
    copy of another's.
    """
    environment = {
        "ALERTING_DATA": str(folder / "data"),
        "ALERTING_RULES": str(rules or ROOT / "rules"),
        "ALERTING_TEMPLATES": str(ROOT / "templates"),
        "ALERTING_MAILBOX": str(folder / "mailbox"),
        "ALERTING_MAIL_FROM": "Customer alerts <alerts@example.com>",
        "ALERTING_LINK_KEYS": "test-link-key-0123456789",
        "ALERTING_ADMIN_TOKEN": "test-admin-token-0123",
        "ALERTING_INGEST_KEYS": "test-ingest-key-0123",
        **({"ALERTING_DATABASE_URL": database_url} if database_url else {}),
        **variables,
    }
    app = bootstrap(read_settings(environment))
    app.ctx.shelf.read = read_once
    if not prepared:
        migrate(app.ctx.db)
        with app.ctx.db.write() as tx:
            instance.begin_instance(tx, "demo", tx.now())
    with app.ctx.db.write() as tx:
        instance.move_demo_clock(tx, BEGIN - tx.now())
    if not prepared:
        prepare(app)
    return World(app=app, folder=folder)
