"""Sending by SMTP. 250 after the final dot is the only "sent".

smtplib's timeout holds for each socket operation; a watchdog ends the whole attempt at one
deadline. One recipient per transaction, so that one refused address never hides another's answer.
"""

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from alerting.adapters.mail.email.mail import Mail
from alerting.adapters.mail.email.mime import to_bytes
from alerting.domain.mail.message import Outcome
from alerting.domain.mail.retry import SEND_DEADLINE


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """Where and how to send. `starttls` and `tls` verify the server's certificate against `ca_file`
    or the system's.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str | None = None
    password: str | None = None
    ca_file: str | None = None


KEPT_SECONDS = 15.0
KEPT_MAILS = 100
"""Connections are used again, because TLS and login cost more than the mail: but not after this
pause, and not for ever.
"""


@dataclass(kw_only=True)
class _Kept:
    client: smtplib.SMTP
    idle_since: float
    mails: int


class SmtpMailer:
    """Sends each mail in a transaction of its own; may be used by several threads, each gets its
    own connection.
    """

    def __init__(self, server: SmtpServer, deadline: float = SEND_DEADLINE.total_seconds()) -> None:
        self._server = server
        self._deadline = deadline
        self._idle: list[_Kept] = []

    def send(self, mail: Mail) -> Outcome:
        """One attempt, within the send deadline; what the server answered is the outcome, never an
        error.
        """
        if not mail.recipient.isascii():
            return Outcome(kind="refused", detail="the address has letters outside ASCII")
        try:
            raw = to_bytes(mail)
        except ValueError as error:
            return Outcome(kind="refused", detail=f"cannot be written as a mail: {error}")
        begun = time.monotonic()
        kept = self._take_kept()
        if kept is not None:
            with _cut_after(self._deadline, kept.client):
                try:
                    return self._transact(kept, mail, raw)
                except (OSError, smtplib.SMTPException):
                    # it was closed while idle, before it took anything; a new one tells more
                    kept.client.close()
        return self._send_anew(mail, raw, self._deadline - (time.monotonic() - begun))

    def _send_anew(self, mail: Mail, raw: bytes, remaining: float) -> Outcome:
        client = self._client()
        with _cut_after(remaining, client):
            try:
                self._enter(client)
                return self._transact(_Kept(client=client, idle_since=0.0, mails=0), mail, raw)
            except smtplib.SMTPResponseException as error:
                client.close()
                return Outcome(
                    kind="deferred",
                    code=error.smtp_code,
                    detail=f"not let in: {_said(error.smtp_error)}",
                )
            except (OSError, smtplib.SMTPException) as error:
                client.close()
                return Outcome(
                    kind="deferred", detail=f"no connection: {type(error).__name__}: {error}"
                )

    def __del__(self) -> None:
        while self._idle:
            self._idle.pop().client.close()

    def _client(self) -> smtplib.SMTP:
        """Not yet connected: smtplib connects when it is made, and the deadline must hold from
        before that.
        """
        kind = smtplib.SMTP_SSL if self._server.security == "tls" else smtplib.SMTP
        return kind.__new__(kind)

    def _enter(self, client: smtplib.SMTP) -> None:
        server, timeout = self._server, min(self._deadline, 20.0)
        if isinstance(client, smtplib.SMTP_SSL):
            client.__init__(server.host, server.port, timeout=timeout, context=self._context())  # type: ignore[misc]
        else:
            client.__init__(server.host, server.port, timeout=timeout)  # type: ignore[misc]
        if server.security == "starttls":
            client.starttls(context=self._context())
        if server.user is not None:
            client.login(server.user, server.password or "")
        client.ehlo_or_helo_if_needed()

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._server.ca_file)

    def _take_kept(self) -> _Kept | None:
        with contextlib.suppress(IndexError):
            while True:
                kept = self._idle.pop()
                if time.monotonic() - kept.idle_since < KEPT_SECONDS:
                    return kept
                kept.client.close()
        return None

    def _keep(self, used: _Kept) -> None:
        if used.mails < KEPT_MAILS:
            self._idle.append(
                _Kept(client=used.client, idle_since=time.monotonic(), mails=used.mails + 1)
            )
            return
        with contextlib.suppress(OSError, smtplib.SMTPException):
            used.client.quit()  # a bad goodbye after 250 changes nothing
        used.client.close()

    def _transact(self, line: _Kept, mail: Mail, raw: bytes) -> Outcome:
        """MAIL, RCPT, DATA. Raises OSError or SMTPException where the connection is lost before the
        message.

        A 5xx to our own sender is our configuration and can be mended: it is tried again.
        """
        client = line.client
        code, answer = client.mail(mail.sender.rsplit("<", 1)[-1].rstrip(">"))
        if code == 421:
            raise smtplib.SMTPSenderRefused(code, _bytes(answer), mail.sender)
        if code != 250:
            return self._over(
                line,
                Outcome(kind="deferred", code=code, detail=f"sender not accepted: {_said(answer)}"),
            )
        code, answer = client.rcpt(mail.recipient)
        if code not in {250, 251}:
            refused = replace(
                _answered(code, f"recipient: {_said(answer)}"),
                address_refused=_no_such_address(code, answer),
            )
            return self._over(line, refused)
        try:
            code, answer = client.data(raw)
        except smtplib.SMTPDataError as error:
            code, answer = error.smtp_code, _bytes(error.smtp_error)
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            client.close()
            what = f"{type(error).__name__}: {error}"
            return Outcome(kind="unknown", detail=f"connection lost during the message: {what}")
        if code != 250:
            return self._over(line, _answered(code, f"message: {_said(answer)}"))
        self._keep(line)
        return Outcome(kind="sent", code=code, detail=_said(answer))

    def _over(self, line: _Kept, outcome: Outcome) -> Outcome:
        """The mail was not taken: the connection is of use again only if it forgets this one."""
        try:
            line.client.rset()
            self._keep(line)
        except (OSError, smtplib.SMTPException):
            line.client.close()
        return outcome


def _answered(code: int, detail: str) -> Outcome:
    return Outcome(kind="refused" if 500 <= code < 600 else "deferred", code=code, detail=detail)


def _no_such_address(code: int, answer: bytes | str) -> bool:
    """RFC 3463: 5.7.x is the server's policy on senders, which says nothing of the address."""
    return 500 <= code < 600 and not _said(answer).startswith("5.7.")


@contextlib.contextmanager
def _cut_after(deadline: float, client: smtplib.SMTP) -> Iterator[None]:
    """Cut the connection when the whole attempt takes too long, whatever it waits for; again where
    TLS has replaced it.
    """
    over = threading.Event()

    def watch() -> None:
        remaining = deadline
        while not over.wait(remaining):
            if client.sock is not None:
                with contextlib.suppress(OSError):
                    client.sock.shutdown(socket.SHUT_RDWR)
            remaining = 0.1

    threading.Thread(target=watch, name="send-deadline", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _bytes(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode()


def _said(answer: bytes | str) -> str:
    return _bytes(answer).decode("utf-8", "replace")[:300]
