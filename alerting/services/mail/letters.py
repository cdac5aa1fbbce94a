"""What delivery hands to whoever writes and carries mails: letters, digests of them, and what is
under way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alerting.database.rows.messages import NotificationRow
from alerting.domain.errors import Invalid
from alerting.domain.people.people import Party
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.cases.case_view import CaseView


class RenderError(Invalid):
    """A mail template failed; the message names template and line."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Everything a mail is made of. `data` is what the cause wanted said beside the case itself."""

    template: str
    recipient: Party
    message_id: str
    view: CaseView
    data: Mapping[str, object]
    rulebook: Rulebook


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A mail about no case: plain lines, for whoever looks after the installation."""

    recipient: Party
    message_id: str
    subject: str
    lines: tuple[str, ...]
    sent_at: datetime
    proposal: int | None = None
    """What the recipient is asked to approve: the mail ends with a link to do so."""
    survey: tuple[str, str, str | None] | None = None
    """Form, customer and contact: the mail ends with a link to the form, which knows who
    answers.
    """


@dataclass(frozen=True, kw_only=True)
class OpenPromise:
    """A promise nobody has kept yet, for whoever reads a list of them. `kind`: acknowledge, contact
    or resolve.
    """

    case_id: int
    customer: str
    segment: str
    kind: str
    holder: str
    due_at: datetime
    overdue: bool
    paused: bool


@dataclass(frozen=True, kw_only=True)
class WeeklyLetter:
    """What one reader owes, and what the reader's people owe and have not kept: what breaches next
    comes first.
    """

    message_id: str
    recipient: Party
    rulebook: Rulebook
    now: datetime
    mine: tuple[OpenPromise, ...]
    theirs: tuple[OpenPromise, ...]


@dataclass(frozen=True, kw_only=True)
class DigestLetter:
    """Several letters to one reader that go as one mail, the oldest first; never empty."""

    message_id: str
    letters: tuple[Letter, ...]

    @property
    def recipient(self) -> Party:
        return self.letters[0].recipient

    @property
    def rulebook(self) -> Rulebook:
        return self.letters[0].rulebook


AnyMail = Letter | DigestLetter | Notice | WeeklyLetter


@dataclass(frozen=True, kw_only=True)
class Part:
    """A notification whose attempt is under way: its row, the attempt's number, and what it
    says.
    """

    notification: NotificationRow
    delivery_id: int
    letter: Letter | Notice | WeeklyLetter


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """Notifications that are ours until the lease ends, and the one mail they become."""

    parts: tuple[Part, ...]
    mail: AnyMail
    channel: str
