"""The one place where real parts are chosen and wired. What only some processes need is imported
where it is wired.
"""

import contextlib
import json
import logging
import os
import random
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from alerting.adapters.intake.local_log import LocalLog
from alerting.adapters.mail.email.channel import EmailChannel, Mailer
from alerting.adapters.mail.email.mailbox import MailboxMailer, delete_mails, read_mailbox
from alerting.adapters.mail.email.notices import AnyComposer
from alerting.adapters.mail.email.smtp import SmtpMailer, SmtpServer
from alerting.adapters.mail.email.templates import Composer
from alerting.adapters.mail.links import Links
from alerting.adapters.pages import Pages
from alerting.adapters.rulebook import rule_files
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.database import instance
from alerting.database.audit import erasure
from alerting.database.engine import Database
from alerting.database.grants import owns_the_audit
from alerting.database.migrate import is_current, migrate
from alerting.domain.errors import SettingsInvalid
from alerting.domain.mail.notifications import EMAIL
from alerting.entrypoints.consume import run_consume
from alerting.entrypoints.deliver import run_deliver
from alerting.entrypoints.follow_up import run_follow_up
from alerting.entrypoints.loops import Stop, watch
from alerting.services.audit.forget import forgotten_value
from alerting.services.context import Context, Shelf
from alerting.services.intake.event_log import EventLog, NewRecord
from alerting.services.intake.take_records import Record, take_records
from alerting.services.mail.channel import Post
from alerting.services.rulebook.activation import activate_first
from alerting.settings import Settings

if TYPE_CHECKING:
    from alerting.entrypoints.web.parts import WebParts

log = logging.getLogger(__name__)

ROLES = ("consume", "deliver", "follow-up", "web")


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Keys that sign links, the admin token, and the keys of those who send events."""

    link_keys: Sequence[str]
    admin_token: str
    ingest_keys: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class App:
    """Everything wired."""

    settings: Settings
    ctx: Context
    event_log: EventLog
    post: Post
    links: Links
    secrets: Secrets

    def close(self) -> None:
        self.event_log.close()
        self.ctx.db.close()


def bootstrap(settings: Settings) -> App:
    """Wire the real parts. Nothing is started, and nothing is asked of database or broker yet."""
    if settings.database_url.startswith("sqlite"):
        settings.data.mkdir(parents=True, exist_ok=True)
    found = _secrets(settings)
    links = Links(settings.base_url, found.link_keys)
    composer = AnyComposer(Composer(settings.mail_from, links), settings.mail_from, links)
    ctx = Context(
        db=Database(settings.database_url),
        shelf=Shelf(read=build_rulebook),
        mail_domain=settings.mail_domain,
    )
    post = Post(
        channels={EMAIL: EmailChannel(composer=composer, mailer=_mailer(settings))},
        jitter=random.random,
        lease=timedelta(seconds=2 * settings.send_deadline),
    )
    return App(
        settings=settings,
        ctx=ctx,
        event_log=_event_log(settings),
        post=post,
        links=links,
        secrets=found,
    )


def prepare(app: App) -> None:
    """Bring the database up to date, make the local log, and activate what an empty database finds
    in rules/.
    """
    revision = migrate(app.ctx.db)
    if isinstance(app.event_log, LocalLog):
        app.event_log.prepare()
    activated = activate_first(
        app.ctx, lambda: rule_files.read_all(app.settings.rules, app.settings.templates)
    )
    log.info("prepared", extra={"revision": revision, "activated": activated})
    _forget_again(app)


def forget(app: App, key: str, by: str) -> int:
    """Forget a customer now, and whenever what is stored today comes back. Returns how many kept
    mails were deleted.

    The wish is kept in a file beside the data, then in the event log, then carried out: where we
    are interrupted, the next start goes on.
    """
    with app.ctx.db.read() as tx:
        wish = {"customer_id": key, "time": tx.now().isoformat(), "by": by}
        mails = erasure.message_ids(tx, [key, *erasure.addresses_of(tx, key)])
    app.settings.data.mkdir(parents=True, exist_ok=True)
    with _wishes(app).open("a", encoding="utf-8") as file:
        file.write(json.dumps(wish, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    _carry_out(app, wish)
    return delete_mails(app.settings.mailbox, mails) if app.settings.embedded else 0


def _wishes(app: App) -> Path:
    return app.settings.data / "forgotten.jsonl"


def _carry_out(app: App, wish: Mapping[str, str]) -> None:
    with app.ctx.db.read() as tx:
        keys = [wish["customer_id"], *erasure.addresses_of(tx, wish["customer_id"])]
    if isinstance(app.event_log, LocalLog):
        app.event_log.erase(keys)
    value = forgotten_value(wish)
    app.event_log.append([NewRecord(topic="customers", key=wish["customer_id"], value=value)])
    take_records(
        app.ctx, [Record(place="forget", offset=0, value=value, headers={}, timestamp=None)]
    )
    app.ctx.db.settle()
    if isinstance(app.event_log, LocalLog):
        app.event_log.settle()


def _forget_again(app: App) -> None:
    """After a restore the database may know customers again that were forgotten since."""
    if not _wishes(app).is_file():
        return
    wishes = [
        json.loads(line)
        for line in _wishes(app).read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    with app.ctx.db.read() as tx:
        done = erasure.forgotten_until(tx, [wish["customer_id"] for wish in wishes])
    for wish in wishes:
        until = done.get(wish["customer_id"])
        if until is None or until < datetime.fromisoformat(wish["time"]):
            _carry_out(app, wish)
            log.info("a customer was forgotten again", extra={"since": wish["time"]})


def check_ready(app: App) -> None:
    """What every command needs before it starts. Raises SettingsInvalid with what to do."""
    if not is_current(app.ctx.db):
        raise SettingsInvalid(["the database is not up to date; run `alerting migrate` first"])
    with app.ctx.db.read() as tx:
        if instance.kind_of(tx) == "demo":
            raise SettingsInvalid(
                [
                    "this database was made by `alerting demo`, its clock may have been moved; use "
                    "another one"
                ]
            )


def check_rulebook(app: App) -> None:
    """Raises RulebookUnusable. Only for roles: `alerting rules activate` is what mends this, and
    must start without.
    """
    with app.ctx.db.read() as tx:
        app.ctx.shelf.active(tx)


def warn_of_rights(app: App) -> None:
    """On PostgreSQL a role that owns the tables could switch off what guards the audit."""
    with app.ctx.db.read() as tx:
        if owns_the_audit(tx):
            log.warning(
                "this database role could change the audit; see ALERTING_DATABASE_ROLE in "
                "docs/how-to/install-for-production.md"
            )


def run_roles(app: App, roles: Sequence[str], stop: Stop) -> None:
    """Run roles side by side until asked to stop; the web role, where it is among them, in this
    thread.
    """
    threads = [
        threading.Thread(target=_loop(app, role, stop), name=role, daemon=True)
        for role in roles
        if role != "web"
    ]
    watch(stop)
    warn_of_rights(app)
    for thread in threads:
        thread.start()
    if "web" in roles:
        from alerting.entrypoints.web.server import run_web

        run_web(web_parts(app), app.settings.host, app.settings.port, stop)
    while not stop.asked:
        stop.wait(1.0)
    for thread in threads:
        thread.join(timeout=30)


def _loop(app: App, role: str, stop: Stop) -> Callable[[], None]:
    if role == "consume":
        return lambda: run_consume(app.ctx, app.event_log, stop)
    if role == "deliver":
        return lambda: run_deliver(app.ctx, app.post, stop)
    return lambda: run_follow_up(app.ctx, timedelta(seconds=app.settings.tick), stop)


def web_parts(app: App) -> "WebParts":
    """What the web doors get."""
    from alerting.adapters.imports.member_lists import read_members
    from alerting.adapters.reports.pictures import segment_pictures
    from alerting.adapters.reports.report_files import WRITERS
    from alerting.adapters.reports.report_pictures import report_pictures
    from alerting.entrypoints.web.parts import WebParts

    settings = app.settings
    pages = Pages(settings.templates / "pages", has_mailbox=settings.embedded)
    return WebParts(
        ctx=app.ctx,
        event_log=app.event_log,
        render=pages.render,
        read_ticket=app.links.read_action,
        draw_segments=segment_pictures,
        draw_report=report_pictures,
        report_files=WRITERS,
        make_link=app.links.action,
        read_approval=app.links.read_approval,
        read_members=read_members,
        read_invitation=app.links.read_invitation,
        mailbox=(lambda: read_mailbox(settings.mailbox)) if settings.embedded else None,
        admin_token=app.secrets.admin_token,
        ingest_keys=app.secrets.ingest_keys,
        secure_cookies=settings.base_url.startswith("https://"),
        version=version("alerting"),
    )


def _event_log(settings: Settings) -> EventLog:
    if settings.kafka:
        from alerting.adapters.intake.kafka import KafkaLog

        return KafkaLog(
            settings.kafka,
            settings.kafka_group,
            settings.kafka_options,
            settings.kafka_session_timeout,
        )
    return LocalLog(Database(settings.local_log_url, has_instance=False))


def _mailer(settings: Settings) -> Mailer:
    if settings.embedded:
        return MailboxMailer(settings.mailbox)
    server = SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password,
        ca_file=settings.smtp_ca_file,
    )
    return SmtpMailer(server, settings.send_deadline)


def _secrets(settings: Settings) -> Secrets:
    """Given secrets first; an embedded installation makes its own and keeps them in the data
    folder.
    """
    if not settings.database_url.startswith("sqlite"):
        if not settings.link_keys:
            raise SettingsInvalid(
                [
                    "ALERTING_LINK_KEYS must be set: all processes sign and read links with the "
                    "same keys"
                ]
            )
        return Secrets(
            link_keys=settings.link_keys,
            admin_token=settings.admin_token or secrets.token_urlsafe(24),
            ingest_keys=settings.ingest_keys,
        )
    kept = _kept_secrets(settings.data / "secrets.json")
    return Secrets(
        link_keys=settings.link_keys or (kept["link_key"],),
        admin_token=settings.admin_token or kept["admin_token"],
        ingest_keys=settings.ingest_keys or (kept["ingest_key"],),
    )


def _kept_secrets(path: Path) -> dict[str, str]:
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(
                {
                    name: secrets.token_urlsafe(24)
                    for name in ("link_key", "admin_token", "ingest_key")
                },
                file,
            )
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # whole or not at all, also when two processes start at once
        draft.unlink()
    return json.loads(path.read_text())  # type: ignore[no-any-return]
