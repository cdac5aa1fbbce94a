"""Words in and out: numbers a database can look for, texts it can store, and counts as people say
them.
"""

import re
from datetime import UTC, datetime, timedelta

import click

_LARGEST = 2**63 - 1


class Number(click.ParamType[int]):
    """`12`, or with its prefix `C-12`. Digits of other scripts and numbers no row can have are
    refused.
    """

    name = "number"

    def __init__(self, what: str, prefix: str = "") -> None:
        self.what = what
        self.prefix = prefix

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        text = str(value).upper().removeprefix(self.prefix)
        if not (text.isascii() and text.isdecimal()):
            self.fail(f"{value!r} is no {self.what} number; write {self.prefix}12", param, ctx)
        if len(text) > 19 or int(text) > _LARGEST:
            self.fail(f"there is no {self.what} with so large a number", param, ctx)
        return int(text)


class TextType(click.ParamType[str]):
    """A text somebody will read later. `blank` says whether it may be left empty."""

    name = "text"

    def __init__(self, *, blank: bool = False) -> None:
        self.blank = blank

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value).strip()
        if not text and not self.blank:
            self.fail("must not be empty", param, ctx)
        if "\x00" in text or any("\ud800" <= ch <= "\udfff" for ch in text):
            self.fail("is no text in UTF-8", param, ctx)
        return text


class InstantType(click.ParamType[datetime]):
    """A day, which is its last moment, or a time; without a zone in UTC."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(
                    days=1, microseconds=-1
                )
            if not re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", text):
                raise ValueError("another form")
            found = datetime.fromisoformat(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                f"{text!r} is not a time; write 2026-03-06 or 2026-03-06T08:30:00Z", param, ctx
            )


def printable(text: object, keep: str = "") -> str:
    """What customers and producers wrote, without what would move a terminal's cursor; `keep` names
    exceptions.
    """
    return "".join(
        ch if ch.isprintable() or ch in keep else ch.encode("unicode_escape").decode("ascii")
        for ch in str(text)
    )


def spreadsheet_cell(value: object) -> str:
    """A value a spreadsheet will not take for a formula: what begins like one gets an apostrophe,
    as OWASP advises.
    """
    text = str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 rule`, `2 rules`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
