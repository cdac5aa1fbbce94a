"""`alerting case list`: cases, newest first."""

import click

from alerting.cli.shared import opened, print_json, table
from alerting.database.cases import cases
from alerting.database.customers import customers
from alerting.database.people import staff_facts
from alerting.database.rows.cases import CaseRow
from alerting.domain.cases.cases import CASE_STATUSES


@click.command("list")
@click.option("--status", type=click.Choice(CASE_STATUSES), default="unresolved", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def list_(status: str, as_json: bool) -> None:
    """Show cases, newest first."""
    with opened() as app, app.ctx.db.read() as tx:
        rows = cases.list_cases(tx, status=None if status == "all" else status)
        names = {
            k: h.as_of(tx.now()).name
            for k, h in customers.histories(tx, [r.customer_key for r in rows]).items()
        }
        staff = staff_facts.staff_at(tx, tx.now())
    if as_json:
        print_json([{**vars(r), "number": f"C-{r.id}", "status": _standing(r)} for r in rows])
        return
    people = {r.caller: (found.name if (found := staff.get(r.caller)) else r.caller) for r in rows}
    header = ["case", "customer", "segment", "severity", "status", "caller", "opened"]
    table(
        header,
        [
            [
                f"C-{r.id}",
                names[r.customer_key],
                r.segment,
                r.severity,
                _standing(r),
                people[r.caller],
                f"{r.opened_at:%Y-%m-%d %H:%M}Z",
            ]
            for r in rows
        ],
    )


def _standing(row: CaseRow) -> str:
    return str(row.status) if row.waiting_since is None else "waiting"
