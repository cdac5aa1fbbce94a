"""The one place where real parts are wired. What only some processes need is imported where it is
wired: a command starts as fast as what it does allows.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from alerting import real_parts
from alerting.database import instance
from alerting.database.engine import Database
from alerting.database.migrate import is_current, migrate
from alerting.domain.errors import SettingsInvalid
from alerting.entrypoints.loops import Stop, watch
from alerting.keys import Secrets, read_secrets
from alerting.services.context import Context, Shelf
from alerting.settings import Settings

if TYPE_CHECKING:
    from alerting.adapters.mail.links import Links
    from alerting.domain.rulebook.rulebook import Rulebook
    from alerting.entrypoints.web.parts import WebParts
    from alerting.services.intake.event_log import EventLog
    from alerting.services.mail.channel import Post

log = logging.getLogger(__name__)

ROLES = ("consume", "deliver", "follow-up", "web")


@dataclass(frozen=True, kw_only=True)
class App:
    """Everything wired. Parts that not every command needs are made when they are first asked
    for, by one thread: `run_roles` hands them to the others.
    """

    settings: Settings
    ctx: Context
    secrets: Secrets

    @cached_property
    def event_log(self) -> "EventLog":
        """Kafka, where it is named, else the local log. Nothing is asked of it yet."""
        return real_parts.event_log(self.settings)

    @cached_property
    def links(self) -> "Links":
        from alerting.adapters.mail.links import Links

        return Links(self.settings.base_url, self.secrets.link_keys)

    @cached_property
    def post(self) -> "Post":
        """How mails are composed and sent."""
        return real_parts.post(self.settings, self.links)

    def close(self) -> None:
        """Close the database, and the event log if it was used."""
        if "event_log" in self.__dict__:
            self.event_log.close()
        self.ctx.db.close()


def bootstrap(settings: Settings) -> App:
    """Wire the real parts. Nothing is started, and nothing is asked of database or broker yet."""
    if settings.database_url.startswith("sqlite"):
        settings.data.mkdir(parents=True, exist_ok=True)
    found = read_secrets(settings)
    ctx = Context(
        db=Database(settings.database_url),
        shelf=Shelf(read=_read_rulebook),
        mail_domain=settings.mail_domain,
    )
    return App(settings=settings, ctx=ctx, secrets=found)


def _read_rulebook(files: Mapping[str, str]) -> "Rulebook":
    from alerting.adapters.rulebook.rulebook_builder import build_rulebook

    return build_rulebook(files)


def prepare(app: App) -> None:
    """Bring the database up to date, make the local log, and activate what an empty database finds
    in rules/.
    """
    from alerting.adapters.intake.local_log import LocalLog
    from alerting.adapters.rulebook import rule_files
    from alerting.services.rulebook.activation import activate_first

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
    from alerting.database.audit import erasure

    with app.ctx.db.read() as tx:
        wish = {"customer_id": key, "time": tx.now().isoformat(), "by": by}
        mails = erasure.message_ids(tx, [key, *erasure.addresses_of(tx, key)])
    app.settings.data.mkdir(parents=True, exist_ok=True)
    with _wishes(app).open("a", encoding="utf-8") as file:
        file.write(json.dumps(wish, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    _carry_out(app, wish)
    if not app.settings.embedded:
        return 0
    from alerting.adapters.mail.email.mailbox import delete_mails

    return delete_mails(app.settings.mailbox, mails)


def _wishes(app: App) -> Path:
    return app.settings.data / "forgotten.jsonl"


def _carry_out(app: App, wish: Mapping[str, str]) -> None:
    from alerting.adapters.intake.local_log import LocalLog
    from alerting.database.audit import erasure
    from alerting.services.audit.forget import forgotten_value
    from alerting.services.intake.event_log import NewRecord
    from alerting.services.intake.take_records import Record, take_records

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
    from alerting.database.audit import erasure

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
    from alerting.database.grants import owns_the_audit

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
    """What a role does until asked to stop. Its parts are made here, before any thread runs."""
    ctx = app.ctx
    if role == "consume":
        from alerting.entrypoints.consume import run_consume

        event_log = app.event_log
        return lambda: run_consume(ctx, event_log, stop)
    if role == "deliver":
        from alerting.entrypoints.deliver import run_deliver

        post = app.post
        return lambda: run_deliver(ctx, post, stop)
    from alerting.entrypoints.follow_up import run_follow_up

    tick = timedelta(seconds=app.settings.tick)
    return lambda: run_follow_up(ctx, tick, stop)


def web_parts(app: App) -> "WebParts":
    """What the web doors get."""
    from alerting.adapters.imports.member_lists import read_members
    from alerting.adapters.mail.email.mailbox import read_mailbox
    from alerting.adapters.pages import Pages
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
