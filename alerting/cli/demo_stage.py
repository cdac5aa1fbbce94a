"""What whoever tells the demo's story can do: send, look, act, wait, and let time pass."""

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from alerting.adapters.mail.email.mailbox import Kept, read_mailbox
from alerting.bootstrap import App
from alerting.database import instance
from alerting.database.engine import Transaction
from alerting.domain.times.durations import format_duration

Found = TypeVar("Found")

PATIENCE = 15.0
"""Seconds to wait for something that takes milliseconds on an idle machine."""


class StoryFailed(Exception):
    """Something that must have happened did not."""


@dataclass(kw_only=True)
class Story:
    """The running installation, and what has been told so far."""

    app: App
    say: Callable[[str], None]
    _told: set[str] = field(default_factory=set)
    _chapter: int = 0

    def chapter(self, title: str) -> None:
        self._chapter += 1
        self.say(f"\n{self._chapter}. {title}")

    def check(self, sentence: str, condition: Callable[[], Found]) -> Found:
        """Wait until `condition` holds, and hand back what it found. Raises StoryFailed."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = condition()
            if found:
                self.say(f"   ok: {sentence}")
                return found
            time.sleep(0.05)
        raise StoryFailed(sentence)

    def mails(self) -> list[Kept]:
        return read_mailbox(self.app.settings.mailbox)

    def mail(self, address: str, subject: str) -> Kept | None:
        """The newest mail to this address with these words in its subject, if there is one."""
        return next((m for m in self.mails() if address in m.to and subject in m.subject), None)

    def expect_mail(self, address: str, subject: str) -> Kept:
        """Wait for such a mail. Raises StoryFailed."""
        found = self.check(f"mail to {address}: {subject} ...", lambda: self.mail(address, subject))
        assert found is not None, "`check` fails where nothing is found"
        return found

    def show_new_mails(self) -> None:
        """Print what was sent to whom, and why."""
        for mail in reversed(self.mails()):
            if mail.name in self._told:
                continue
            self._told.add(mail.name)
            self.say(f"   mail  {mail.to}\n         {mail.subject}")
            lines = [line.strip() for line in mail.text.splitlines()]
            for number, line in enumerate(lines):
                if line.upper().startswith("WHY"):
                    reasons = [
                        line.split(":", 1)[1].strip(),
                        *(r[2:] for r in lines[number + 1 : number + 5] if r.startswith("- ")),
                    ]
                    self.say(f"         why: {'; '.join(r for r in reasons if r)}")
                    break

    def read(self, question: Callable[[Transaction], Found]) -> Found:
        """What a question to the database finds."""
        with self.app.ctx.db.read() as tx:
            return question(tx)

    def now(self) -> datetime:
        return self.read(lambda tx: tx.now())

    def pass_time(self, by: timedelta) -> None:
        """Move the demo's clock."""
        with self.app.ctx.db.write() as tx:
            instance.move_demo_clock(tx, by)
        self.say(f"   ... {format_duration(by)} pass")

    def post_events(self, *found: Mapping[str, object]) -> None:
        """POST /v1/events, as a survey tool or the telephone system would."""
        answer = http(
            f"{self.app.settings.base_url}/v1/events",
            json.dumps(list(found)).encode(),
            {
                "content-type": "application/cloudevents-batch+json",
                "x-api-key": self.app.secrets.ingest_keys[0],
            },
        )
        if answer.status != 202:
            raise StoryFailed(f"POST /v1/events answered {answer.status}: {answer.body}")

    def act(self, mail: Kept, label: str, **fields: str) -> None:
        """Follow an action link of a mail: look at its page, then send its form."""
        link = re.search(rf"{re.escape(label)}\s+(http\S+)", mail.text)
        if link is None:
            raise StoryFailed(f"the mail to {mail.to} has no link {label!r}")
        page = http(link[1])
        if page.status != 200 or "<form" not in page.body:
            raise StoryFailed(f"the page behind {label!r} answered {page.status}")
        answer = http(link[1], urllib.parse.urlencode(fields).encode())
        if answer.status != 200:
            raise StoryFailed(f"{label!r} answered {answer.status}")

    def event(
        self, kind: str, event_id: str, at: datetime, data: Mapping[str, object]
    ) -> dict[str, object]:
        """A CloudEvents envelope, as a producer sends it."""
        return {
            "specversion": "1.0",
            "type": kind,
            "source": "/demo",
            "id": event_id,
            "time": at.isoformat(),
            "data": dict(data),
        }


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: str


def http(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """GET, or POST where there is a body. Status 0 where nobody answers."""
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as found:
            return Answer(status=found.status, body=found.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(status=error.code, body=error.read().decode())
    except urllib.error.URLError as error:
        return Answer(status=0, body=str(error))
