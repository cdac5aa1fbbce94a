"""A real SMTP server that remembers what it accepted and can misbehave on request."""

import asyncio
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.services.process import free_port

Security = Literal["none", "starttls", "tls"]


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """One message the server took responsibility for."""

    mail_from: str
    rcpt_tos: tuple[str, ...]
    raw: bytes
    accepted_at: datetime

    @property
    def email(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)  # type: ignore[return-value]


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """For localhost and 127.0.0.1, by an authority nobody knows but through `ca_file`."""

    ca_file: Path
    context: ssl.SSLContext


def make_certificate(folder: Path) -> Certificate:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return Certificate(ca_file=folder / "ca.pem", context=context)


class SmtpServer:
    """Listens on `host`:`port`, the same one after `stop()` and `start()`.

    `certificate` is needed for any `security` but "none"; with `login` (user, password) nobody
    sends without it. Switches, to be set at any time: `refuse["a@b.test"] = "550 no such user"`
    answers that recipient so; `defer` answers every recipient 451; `drop_after_data` records the
    message and cuts the connection instead of answering.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        security: Security = "none",
        certificate: Certificate | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.security = security
        self.login = login
        self.certificate = certificate
        self.refuse: dict[str, str] = {}
        self.defer = False
        self.drop_after_data = False
        self._accepted: list[Accepted] = []
        self._arrival = threading.Condition()
        self._controller: _Controller | None = None

    def start(self) -> None:
        context = self.certificate.context if self.certificate and self.security != "none" else None
        self._controller = _Controller(
            _Handler(self),
            hostname=self.host,
            port=self.port,
            server_hostname="localhost",  # else a DNS query for every connection
            ssl_context=context if self.security == "tls" else None,
            tls_context=context if self.security == "starttls" else None,
            require_starttls=self.security == "starttls",
            auth_require_tls=self.security
            == "starttls",  # it would not see that "tls" is encrypted from the start
            authenticator=self._authenticate,
        )
        self._controller.start()

    def stop(self) -> None:
        """Cut every connection and listen no more; what was accepted stays known."""
        if self._controller:
            self._controller.stop()
            self._controller = None

    @property
    def messages(self) -> Sequence[Accepted]:
        with self._arrival:
            return tuple(self._accepted)

    def clear(self) -> None:
        with self._arrival:
            self._accepted.clear()

    def wait_for(self, count: int, timeout: float = 10) -> Sequence[Accepted]:
        """All messages, as soon as there are at least `count`; AssertionError if there are not
        within `timeout`.
        """
        with self._arrival:
            self._arrival.wait_for(lambda: len(self._accepted) >= count, timeout)
            subjects = [message.email["subject"] for message in self._accepted]
            assert len(subjects) >= count, (
                f"{len(subjects)} of {count} messages within {timeout:g} s: {subjects}"
            )
            return tuple(self._accepted)

    def record(self, envelope: Envelope) -> None:
        message = Accepted(
            mail_from=envelope.mail_from or "",
            rcpt_tos=tuple(envelope.rcpt_tos),
            raw=envelope.original_content or b"",
            accepted_at=datetime.now(UTC),
        )
        with self._arrival:
            self._accepted.append(message)
            self._arrival.notify_all()

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _way: str, data: Any
    ) -> AuthResult:
        right = self.login and data == LoginPassword(*(word.encode() for word in self.login))
        return AuthResult(success=bool(right), handled=False)


class _Handler:
    """What aiosmtpd calls at each step; an answer beginning with 250 goes on."""

    def __init__(self, owner: SmtpServer) -> None:
        self._owner = owner

    async def handle_MAIL(
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._owner.login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self._owner.defer:
            return "451 4.7.1 Try again later"
        if refusal := self._owner.refuse.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        self._owner.record(envelope)
        if self._owner.drop_after_data:
            server.transport.abort()
            await asyncio.sleep(
                60
            )  # the loss of the connection cancels us; an answer now would only be a traceback
        return "250 OK"


class _Controller(Controller):
    """Cuts open connections on `stop`: from Python 3.12 on, the listener would wait for their
    clients to leave.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._connections: list[SMTP] = []

    def factory(self) -> SMTP:
        self._connections.append(super().factory())
        return self._connections[-1]

    def stop(self, no_assert: bool = False) -> None:
        self.loop.call_soon_threadsafe(self._cut)
        super().stop(no_assert)

    def _cut(self) -> None:
        for connection in self._connections:
            if connection.transport:
                connection.transport.abort()
