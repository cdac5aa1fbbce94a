"""A mail ready to be sent to one address."""

from dataclasses import dataclass
from datetime import datetime


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
