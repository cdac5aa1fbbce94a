"""Real parts as the settings choose them, each imported when it is chosen."""

import random
from datetime import timedelta
from typing import TYPE_CHECKING

from alerting.database.engine import Database
from alerting.settings import Settings

if TYPE_CHECKING:
    from alerting.adapters.mail.email.channel import Mailer
    from alerting.adapters.mail.links import Links
    from alerting.services.intake.event_log import EventLog
    from alerting.services.mail.channel import Post


def event_log(settings: Settings) -> "EventLog":
    """Kafka, where it is named, else the local log."""
    if settings.kafka:
        from alerting.adapters.intake.kafka import KafkaLog

        return KafkaLog(
            settings.kafka,
            settings.kafka_group,
            settings.kafka_options,
            settings.kafka_session_timeout,
        )
    from alerting.adapters.intake.local_log import LocalLog

    return LocalLog(Database(settings.local_log_url, has_instance=False))


def post(settings: Settings, links: "Links") -> "Post":
    """How mails are composed and sent: into the mailbox folder where no SMTP server is named."""
    from alerting.adapters.mail.email.channel import EmailChannel
    from alerting.adapters.mail.email.notices import AnyComposer
    from alerting.adapters.mail.email.templates import Composer
    from alerting.domain.mail.notifications import EMAIL
    from alerting.services.mail.channel import Post

    composer = AnyComposer(Composer(settings.mail_from, links), settings.mail_from, links)
    return Post(
        channels={EMAIL: EmailChannel(composer=composer, mailer=_mailer(settings))},
        jitter=random.random,
        lease=timedelta(seconds=2 * settings.send_deadline),
    )


def _mailer(settings: Settings) -> "Mailer":
    if settings.embedded:
        from alerting.adapters.mail.email.mailbox import MailboxMailer

        return MailboxMailer(settings.mailbox)
    from alerting.adapters.mail.email.smtp import SmtpMailer, SmtpServer

    server = SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password,
        ca_file=settings.smtp_ca_file,
    )
    return SmtpMailer(server, settings.send_deadline)
