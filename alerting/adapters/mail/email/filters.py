"""How mails and pages write what they show: money, days, phone numbers, and words of strangers.

Customer words are untrusted text: stripped of anything a header could take for more than a word.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from alerting.domain.times.durations import format_duration

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_LANGUAGES = {
    "de": "German", "en": "English", "fr": "French", "es": "Spanish", "it": "Italian",
    "pt": "Portuguese", "nl": "Dutch", "pl": "Polish", "tr": "Turkish", "zh": "Chinese",
    "ja": "Japanese", "ko": "Korean", "ar": "Arabic",
}  # fmt: skip


def one_line(text: object, limit: int = 200) -> str:
    """Customer text fit for a header or a line: no control or direction characters, no encoded
    words, cut at `limit`.

    Python 3.11.7 turns `=?utf-8?q?...?=` inside a subject into real headers; so the opening never
    stays.
    """
    clean = re.sub(r"\s+", " ", _UNSAFE.sub(" ", str(text)).replace("=?", "= ?")).strip()
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def day_time(moment: datetime, zone: ZoneInfo, *, with_zone: bool = False) -> str:
    """`Fri 6 Mar 22:40`, in the reader's zone."""
    local = moment.astimezone(zone)
    text = f"{local:%a} {local.day} {local:%b %H:%M}"
    return f"{text} {local.tzname()}" if with_zone else text


def second(moment: datetime) -> str:
    """`2026-03-06 21:40:07`, in UTC: for evidence."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def money(amount: object, currency: str) -> str:
    """`1.2 million EUR`, `310,000 EUR`."""
    value = Decimal(str(amount))
    if (
        abs(value) >= 1_000_000_000_000_000
    ):  # more digits than anybody reads, or than Decimal rounds
        return f"{value:.2e} {currency}"
    if abs(value) >= 1_000_000:
        return f"{(value / 1_000_000).quantize(Decimal('0.1')).normalize():f} million {currency}"
    return f"{int(value):,} {currency}"


def day(moment: datetime | str, zone: ZoneInfo | None = None) -> str:
    """`31 May 2026`, of an instant in the reader's zone or of a date as JSON has it."""
    local = datetime.fromisoformat(moment) if isinstance(moment, str) else moment.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def phone_uri(number: str) -> str:
    """A `tel:` link's number: digits and a leading plus (RFC 3966); empty for words such as `on
    request`.

    What follows the first letter is an extension and would be dialled along; `+49 (0)30` has no 0
    when dialled from abroad.
    """
    main = re.split(r"[^\W\d_]|;", number.strip(), maxsplit=1)[0]
    if not main.startswith("+"):
        return re.sub(r"[^0-9]", "", main)
    return "+" + re.sub(r"[^0-9]", "", main.replace("(0)", ""))


def language_name(code: str) -> str:
    """`German` for `de` and `de-AT`; a code we do not know as it is."""
    return _LANGUAGES.get(code.split("-")[0].lower()) or one_line(code, 40)


def call_hours(
    contact: Mapping[str, object], customer_zone: str | None, reader: ZoneInfo, now: datetime
) -> str | None:
    """`09:00-11:30 their time (02:00-04:30 yours)`; None where nothing is known."""
    begin, end = (str(contact.get(name) or "") for name in ("call_from", "call_to"))
    if not (begin and end):
        return None
    text = f"{begin}–{end} their time"
    try:
        theirs = ZoneInfo(customer_zone or "")
    except (
        KeyError,
        ValueError,
        OSError,
    ):  # a folder of the zones, such as `Europe`, is an OSError
        return text
    if theirs.utcoffset(now) == reader.utcoffset(now):
        return text
    shown = []
    for clock in (begin, end):
        hour, minute = (int(part) for part in clock.split(":"))
        moment = now.astimezone(theirs).replace(hour=hour, minute=minute)
        shown.append(f"{moment.astimezone(reader):%H:%M}")
    return f"{text} ({shown[0]}–{shown[1]} yours)"


def reads_in_words(reads: Mapping[str, object]) -> str:
    """The values a condition read, without prefixes: `score 2, segment key`."""
    parts = []
    for name, value in reads.items():
        label = name.removeprefix("customer.").removeprefix("signal.").replace("_", " ")
        shown = str(value).replace("_", " ") if label == "segment" else value
        parts.append(f"{label} {'unknown' if value is None else one_line(shown, 60)}")
    return ", ".join(parts)


def filters() -> dict[str, Callable[..., object]]:
    """What templates of mails and pages may use beside Jinja's own."""
    return {
        "one_line": one_line,
        "day": day,
        "day_time": day_time,
        "second": second,
        "money": money,
        "phone_uri": phone_uri,
        "language_name": language_name,
        "reads_in_words": reads_in_words,
        "duration": format_duration,
    }
