"""What the web doors need from outside, handed in by bootstrap."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from alerting.services.cases.respond import Ticket
from alerting.services.context import Context
from alerting.services.customers.segment_report import SegmentReport
from alerting.services.intake.event_log import EventLog
from alerting.services.reports.report_lines import Report
from alerting.services.rulebook.list_changes import Members


class KeptMail(Protocol):
    """A mail in the mailbox folder; `name` is that of its file."""

    @property
    def name(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def html(self) -> str | None: ...


@dataclass(frozen=True, kw_only=True)
class WebParts:
    """All that `read_` raise ActionRefused; `mailbox` is None where mails are really sent."""

    ctx: Context
    event_log: EventLog
    render: Callable[[str, Mapping[str, object]], str]
    read_ticket: Callable[[str], Ticket]
    draw_segments: Callable[[SegmentReport], Mapping[str, str]]
    draw_report: Callable[[Report], Mapping[str, str]]
    report_files: Mapping[str, Callable[[Iterable[Mapping[str, object]]], bytes]]
    make_link: Callable[[Ticket], str]
    read_approval: Callable[[str], tuple[int, str]]
    read_members: Callable[[str, bytes], Members]
    read_invitation: Callable[[str, str], tuple[str, str | None]]
    mailbox: Callable[[], Sequence[KeptMail]] | None
    admin_token: str
    ingest_keys: Sequence[str]
    secure_cookies: bool
    version: str
