"""A world whose mails go out over SMTP, and what came of them."""

from typing import Any

from sqlalchemy import select

from alerting.adapters.mail.email.smtp import SmtpMailer, SmtpServer
from alerting.database.tables import audit_entry
from tests.support.mail.channels import send_by
from tests.support.world import World


def over_smtp(world: World, smtp: Any) -> None:
    server = SmtpServer(
        host=smtp.host,
        port=smtp.port,
        security="starttls",
        user="alerting",
        password="secret",
        ca_file=str(smtp.certificate.ca_file),
    )
    send_by(world, SmtpMailer(server, 5.0))


def actions(world: World) -> list[str]:
    return [
        row.action for row in world.rows(select(audit_entry.c.action).order_by(audit_entry.c.id))
    ]
