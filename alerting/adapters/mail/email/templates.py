"""Mails from Jinja2 templates: three files a mail, in the reader's locale, English where there is
none.

Customer words are untrusted text: escaped in HTML, and stripped of anything a header could take for
more than a word.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Protocol

import css_inline
from jinja2 import DictLoader, Environment, StrictUndefined

from alerting.adapters.mail.email.filters import call_hours, day_time, filters, one_line
from alerting.adapters.mail.email.mail import Mail
from alerting.adapters.mail.links import Links
from alerting.domain.fields import Fields
from alerting.domain.people.people import Party
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.cases.respond import Purpose, Ticket
from alerting.services.mail.letters import DigestLetter, Letter, RenderError

MAIL_FACTS = frozenset({"v", "me", "zone", "data", "link", "case_link", "call_hours", "soon"})
"""What a mail template may ask for."""

DIGEST_FACTS = frozenset({"items", "me", "zone"})
"""What the template of a digest may ask for; each of the `items` has the facts of a mail and its
`duty`.
"""


WEEKLY_FACTS = frozenset({"mine", "theirs", "me", "zone", "now", "page"})
"""What the weekly mail's template may ask for: open promises of the reader, overdue ones of the
reader's people.
"""


class FromTemplates(Protocol):
    """What is written by the templates of its reader's language."""

    @property
    def recipient(self) -> Party: ...
    @property
    def rulebook(self) -> Rulebook: ...


def facts_of(template: str) -> frozenset[str]:
    """What a template may ask for, by its name below `templates/mail/`; what others build on serves
    both.
    """
    name = template.rsplit("/", 1)[-1]
    if name.startswith("_"):
        return MAIL_FACTS | DIGEST_FACTS | WEEKLY_FACTS
    return {"digest": DIGEST_FACTS, "weekly": WEEKLY_FACTS}.get(name.split(".")[0], MAIL_FACTS)


class _Mails(Environment):
    """Phrases stand once, in `_words.txt`. What HTML imports from there must escape, too: it gets a
    twin compiled as HTML.
    """

    def join_path(self, template: str, parent: str) -> str:
        is_text = parent.endswith(".html") and template.endswith(".txt")
        return template.removesuffix(".txt") + ".html" if is_text else template


@lru_cache(maxsize=8)
def _environment(items: tuple[tuple[str, str], ...]) -> Environment:
    twins = {
        name.removesuffix(".txt") + ".html": text for name, text in items if name.endswith(".txt")
    }
    environment = _Mails(
        loader=DictLoader(twins | dict(items)),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters.update(filters())
    return environment


class Composer:
    """Turns a Letter into a Mail, by the rulebook's own templates."""

    def __init__(self, sender: str, links: Links) -> None:
        self._sender = sender
        self._links = links
        self._inliner = css_inline.CSSInliner(
            load_remote_stylesheets=False, keep_at_rules=True, keep_style_tags=True
        )

    def compose(self, letter: Letter | DigestLetter) -> Mail:
        """Raises RenderError that names the template; the letter can then still be sent plainly."""
        name = letter.template if isinstance(letter, Letter) else "digest"

        def facts() -> dict[str, object]:
            return self._facts(letter) if isinstance(letter, Letter) else self._digest_facts(letter)

        return self._mail(letter, *self.rendered(letter, name, facts))

    def rendered(
        self, letter: FromTemplates, name: str, facts: Callable[[], Mapping[str, object]]
    ) -> tuple[str, str, str]:
        """Subject, text and HTML of a mail. Raises RenderError that names the template."""
        try:
            environment = _environment(tuple(sorted(letter.rulebook.templates.items())))
            given = facts()
            parts = {
                ending: environment.get_template(_localized(letter, name, ending)).render(given)
                for ending in ("subject.txt", "txt", "html")
            }
            html = self._inliner.inline(parts["html"])
        except (
            Exception
        ) as error:  # a template can fail in any way, endless recursion too, and the mail must go
            line = getattr(error, "lineno", None)
            place = f"{name} line {line}" if line else name
            raise RenderError(f"{place}: {type(error).__name__}: {error}") from error
        return one_line(parts["subject.txt"]), _tidy(parts["txt"]), html

    def compose_plain(self, letter: Letter | DigestLetter, error: RenderError) -> Mail:
        """Without templates: what must be known and where to act, for when a template fails at
        22:40.
        """
        letters = [letter] if isinstance(letter, Letter) else letter.letters
        lines = [line for one in letters for line in (*self._plain(one), "")]
        lines += [f"This mail is plain because its template failed ({one_line(error, 300)})."]
        view = letters[0].view
        more = f" and {len(letters) - 1} more" if len(letters) > 1 else ""
        subject = f"{view.case.number}: {one_line(view.customer.name)} - {view.trigger.title}{more}"
        return self._mail(letter, one_line(subject), "\n".join(lines), None)

    def _plain(self, letter: Letter) -> list[str]:
        view, zone = letter.view, letter.recipient.zone
        lines = [
            f"{view.case.number}: {one_line(view.customer.name)} is unhappy.",
            f"Caller: {view.caller.name}." + (f" Fixer: {view.fixer.name}." if view.fixer else ""),
        ]
        lines += [
            f"{c.kind.value} by {day_time(c.due_at, zone, with_zone=True)}"
            for c in view.clocks.values()
            if c.running
        ]
        if view.contact and view.contact.get("phone"):
            lines.append(f"{one_line(view.contact['name'])}: {one_line(view.contact['phone'])}")
        return [
            *lines,
            "",
            *self._plain_links(letter),
            f"The case:    {self._links.case_page(view.case.id)}",
        ]

    def _plain_links(self, letter: Letter) -> list[str]:
        """What the reader may do, and no more: the office must not take the call over by a
        click.
        """
        meant = letter.data.get("meant_as", letter.template)
        if meant in {"informed", "handled"}:
            return []
        if meant == "fix" or letter.data.get("clock") == "resolve":
            return ["It is fixed: " + self._link(letter, "fixed")]
        return [
            "I'll call:   " + self._link(letter, "acknowledge"),
            "I called:    " + self._link(letter, "contact"),
        ]

    def _link(self, letter: Letter, purpose: Purpose) -> str:
        case = letter.view.case
        ticket = Ticket(
            case_id=case.id,
            person=letter.recipient.id,
            assignment=case.assignment,
            cycle=case.cycle,
            purpose=purpose,
        )
        return self._links.action(ticket)

    def _facts(self, letter: Letter) -> dict[str, object]:
        view, me = letter.view, letter.recipient
        hours = None
        if view.contact:
            hours = call_hours(
                view.contact,
                Fields(view.customer.state).text_or_none("time_zone"),
                me.zone,
                view.now,
            )
        return {
            "v": view,  # what stands here stands in MAIL_FACTS, too
            "me": me,
            "zone": me.zone,
            "data": letter.data,
            "link": lambda purpose: self._link(letter, purpose),
            "case_link": self._links.case_page(view.case.id),
            "call_hours": hours,
            "soon": timedelta(hours=1),
        }

    def _digest_facts(self, digest: DigestLetter) -> dict[str, object]:
        newest = {
            (one.view.case.id, one.data.get("duty", _duty(one.template))): one
            for one in digest.letters
        }
        items = [{**self._facts(one), "duty": duty} for (_, duty), one in newest.items()]
        return {"items": items, "me": digest.recipient, "zone": digest.recipient.zone}

    def _mail(
        self, letter: Letter | DigestLetter, subject: str, text: str, html: str | None
    ) -> Mail:
        newest = letter if isinstance(letter, Letter) else letter.letters[-1]
        return Mail(
            message_id=letter.message_id,
            sender=self._sender,
            recipient=letter.recipient.email,
            recipient_name=one_line(letter.recipient.name),
            subject=subject,
            text=text,
            html=html,
            reply_to=_reply_to(letter),
            in_reply_to=_thread(letter) if isinstance(letter, Letter) else None,
            sent_at=newest.view.now,
        )


def _duty(template: str) -> str:
    """A rule may name a template of its own in place of `call`."""
    return template if template in {"fix", "informed", "handled"} else "call"


def _reply_to(letter: Letter | DigestLetter) -> str | None:
    """The account owner; of a digest only where all its customers have the same one."""
    letters = [letter] if isinstance(letter, Letter) else letter.letters
    owners = {one.view.owner.email if one.view.owner else None for one in letters}
    return owners.pop() if len(owners) == 1 else None


def _thread(letter: Letter) -> str:
    view = letter.view
    domain = letter.message_id.rsplit("@", 1)[-1].rstrip(">")
    first = view.alerts[
        0
    ].time  # unlike `starts`, it stays when the case is reopened: one thread per case
    return f"<case-{view.case.id}.{first:%Y%m%d%H%M%S}@{domain}>"


def _localized(letter: FromTemplates, template: str, ending: str) -> str:
    """Of the rulebook's own templates: a twin of `call.txt` is no `call.html`."""
    own = letter.rulebook.templates
    for locale in (letter.recipient.locale, letter.recipient.locale.split("-")[0], "en"):
        name = f"{locale}/{template}.{ending}"
        if name in own:
            return name
    raise LookupError(f"there is no template {template}.{ending}")


def _tidy(text: str) -> str:
    """No more than one empty line in a row, none at the ends."""
    return (
        re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip()
        + "\n"
    )
