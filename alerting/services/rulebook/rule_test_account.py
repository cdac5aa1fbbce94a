"""What happened while a test was played, as the test may expect it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerting.database.alerts import alert_records
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.intake import happenings
from alerting.database.people import staff_facts
from alerting.domain.routing.fill_role import fill_role
from alerting.domain.routing.routing import Routing
from alerting.domain.rulebook.rule_tests import Fault, Happening, Played, format_offset
from alerting.services.context import Context


@dataclass(frozen=True, kw_only=True)
class Account:
    """Reads what happened, once all time has passed."""

    tx: Transaction
    ctx: Context
    begin: datetime
    faults: list[Fault]

    def read(self) -> Played:
        alerts, mails = happenings.alerts(self.tx), happenings.mails(self.tx)
        happened = [
            *(
                self._happening(row.raised_at, "alert", row.rule, row)
                for row in alerts
                if not row.suppressed
            ),
            *(self._mail(row) for row in mails if row.status == "sent"),
            *(
                self._happening(row.happened_at, "missed", row.kind, row)
                for row in happenings.misses(self.tx)
            ),
        ]
        unsent = [row for row in mails if row.status not in {"sent", "skipped"}]
        faults = [
            *self.faults,
            *(
                Fault(
                    message=f"mail {r.template} to {r.recipient} was not sent: "
                    f"{r.reason or r.status}"
                )
                for r in unsent
            ),
            *(
                Fault(message=f"the mail template {r.template} failed: {r.render_error}")
                for r in happenings.render_errors(self.tx)
            ),
        ]
        remarks = self._remarks(alerts, mails)
        return Played(happened=sorted(happened, key=lambda h: h.at), faults=faults, remarks=remarks)

    def _happening(
        self, moment: datetime, kind: Any, what: str, row: Any, **more: Any
    ) -> Happening:
        return Happening(
            at=moment - self.begin, kind=kind, what=what, customer=row.customer_key, **more
        )

    def _mail(self, row: Any) -> Happening:
        return self._happening(
            row.sent_at, "mail", row.template, row, to=row.recipient, names=self._names_of(row)
        )

    def _names_of(self, row: Any) -> frozenset[str]:
        """The roles the recipient held for this customer when the mail was sent; an office holds
        some that call nobody.
        """
        routing = self.ctx.shelf.active(self.tx).routing
        customer = customers.histories(self.tx, [row.customer_key])[row.customer_key].as_of(
            row.sent_at
        )
        staff = staff_facts.staff_at(self.tx, row.sent_at)

        def holds(role: str) -> bool:
            found = [
                fill_role(role, customer, row.segment, routing, staff, to_call=to_call).party.id
                for to_call in (False, True)
            ]
            return row.recipient in found

        held = {role for role in routing.roles if holds(role)}
        chosen = by_turn(self.tx, routing, row.case_id)
        held = {role for role in held if role not in chosen} | {
            r for r, p in chosen.items() if p == row.recipient
        }
        return frozenset(held if row.recipient in routing.roles else held | {row.recipient})

    def _remarks(self, alerts: list[Any], mails: list[Any]) -> list[str]:
        """Why something did not happen that somebody may have waited for."""
        remarks = [
            (
                row.raised_at,
                f"alert {row.rule} for {row.customer_key} rang nobody: {row.suppressed}",
            )
            for row in alerts
            if row.suppressed
        ]
        remarks += [
            (row.created_at, f"mail {row.template} to {row.recipient} was not sent: {row.reason}")
            for row in mails
            if row.status == "skipped"
        ]
        remarks += [
            (
                row.time,
                f"rule {row.rule} could not be decided for {row.customer_key}: {row.condition!r} "
                "is unknown",
            )
            for row in happenings.undecided(self.tx)
        ]
        return [f"{format_offset(moment - self.begin)}: {text}" for moment, text in sorted(remarks)]


def by_turn(tx: Transaction, routing: Routing, case_id: int) -> dict[str, str]:
    """Who of a team has had the turn for a case, by role: whose turn is next says nothing of it."""
    people = alert_records.people_of_alerts(tx, case_id)
    return {one["role"]: one["party"] for one in people if routing.teams_behind(one["role"])}
