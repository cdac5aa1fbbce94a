"""The seam between a notification and the way it reaches somebody. Mail is the first channel."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from alerting.domain.mail.message import Outcome
from alerting.domain.mail.retry import LEASE
from alerting.domain.people.people import Party
from alerting.services.mail.letters import AnyMail


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A message as its channel sends it; nobody else looks into `content`. `render_error` says why
    it is a plain one.
    """

    content: object
    render_error: str | None = None


class Channel(Protocol):
    """A way to tell somebody something. A notification's `channel` is the name it is kept under."""

    def address_of(self, reader: Party) -> str:
        """Where the reader is told, as the delivery records it."""
        ...

    def compose(self, letter: AnyMail) -> Composed:
        """What is sent. Where a template fails, a plain message that says what must be known."""
        ...

    def send(self, message: Composed) -> Outcome:
        """Bring one message to one address. Never raises for what a server may answer."""
        ...


@dataclass(frozen=True, kw_only=True)
class Post:
    """The channels there are, and how delivery uses them."""

    channels: Mapping[str, Channel]
    jitter: Callable[[], float]
    lease: timedelta = LEASE

    def channel(self, name: str) -> Channel:
        """Raises LookupError for a name no channel has."""
        if name not in self.channels:
            raise LookupError(f"there is no channel {name!r}; known are {', '.join(self.channels)}")
        return self.channels[name]
