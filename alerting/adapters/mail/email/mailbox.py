"""The mailbox folder: mails as .eml files, for the embedded default. Shown at /mailbox."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from alerting.adapters.mail.email.mail import Mail
from alerting.adapters.mail.email.mime import to_bytes
from alerting.domain.mail.message import Outcome


class MailboxMailer:
    """Writes each mail into a folder; a mail sent again under its Message-ID replaces itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, mail: Mail) -> Outcome:
        """Writes the mail into the folder, whole or not at all."""
        try:
            raw = to_bytes(mail)
        except ValueError as error:
            return Outcome(kind="refused", detail=f"cannot be written as a mail: {error}")
        name = _file_name(mail.message_id)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._folder / f"{name}.draft"
            with draft.open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._folder / name)
        except OSError as error:
            return Outcome(kind="deferred", detail=f"the mailbox folder: {error}")
        return Outcome(kind="sent", code=250, detail="in the mailbox folder")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A mail in the folder."""

    name: str
    to: str
    subject: str
    date: datetime
    text: str
    html: str | None


def _file_name(message_id: str) -> str:
    return message_id.strip("<>").replace("/", "_") + ".eml"


def delete_mails(folder: Path, message_ids: Iterable[str]) -> int:
    """Delete the mails with these Message-IDs; returns how many there were."""
    found = [path for name in message_ids if (path := folder / _file_name(name)).is_file()]
    for path in found:
        path.unlink()
    return len(found)


def read_mailbox(folder: Path) -> list[Kept]:
    """All mails, newest first."""
    found = [_kept(path) for path in folder.glob("*.eml")] if folder.is_dir() else []
    return sorted(found, key=lambda mail: (mail.date, mail.name), reverse=True)


def _kept(path: Path) -> Kept:
    message = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(path.read_bytes())
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return Kept(
        name=path.stem,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        date=message["Date"].datetime,
        text=text.get_content() if text else "",
        html=html.get_content() if html else None,
    )
