"""A mail ready to be sent, and how an attempt to send it ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail ready to be sent to one address. Headers hold no line breaks; bodies are plain text
    and HTML.
    """

    message_id: str
    sender: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    html: str | None
    reply_to: str | None
    in_reply_to: str | None
    sent_at: datetime


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one attempt ended: `sent` only after 250 to the final dot, `refused` is final, `deferred`
    is tried again.

    `unknown`: the connection was lost where the server may have taken the mail. It is tried again
    and may come twice.
    """

    kind: Literal["sent", "refused", "deferred", "unknown"]
    detail: str
    code: int | None = None
    address_refused: bool = False
    """The server knows no such address, whatever the mail says."""
