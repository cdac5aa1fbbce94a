"""Times, pauses and lengths as people write them on the command line, and as they are shown."""

from datetime import UTC, datetime, timedelta

from alerting.domain.errors import Invalid
from alerting.domain.times.working_time import Pause


def read_pause(text: str) -> Pause:
    """FROM/TO, or FROM/ for one that lasts. Raises Invalid."""
    begin, slash, end = text.partition("/")
    if not slash:
        raise Invalid(f"--pause {text!r}: write FROM/TO, or FROM/ for one that lasts")
    return ordered(read_instant(begin, "--pause"), read_instant(end, "--pause") if end else None)


def ordered(begin: datetime, end: datetime | None) -> Pause:
    """A pause whose ends are in their order. Raises Invalid."""
    if end is not None and end < begin:
        raise Invalid(f"a pause ends before it begins: {written(begin)} to {written(end)}")
    return begin, end


def read_instant(text: object, what: str) -> datetime:
    """A time with its zone, in the years in which calendars are known; in UTC. Raises Invalid."""
    try:
        found = (
            datetime.fromisoformat(text) if isinstance(text, str) and "T" in text.upper() else None
        )
        if found is not None and found.tzinfo is not None:
            found = found.astimezone(UTC)
            if 1900 <= found.year < 9000:
                return found
    except (ValueError, OverflowError):
        pass
    shown = "is missing" if text is None else f"{str(text)!r} is not a time with its zone"
    raise Invalid(f"{what}: {shown}; write 2026-03-06T15:00:00Z")


def written(instant: datetime | None) -> str:
    """`2026-03-06T15:00:00Z`; `-` for None."""
    return "-" if instant is None else instant.isoformat().replace("+00:00", "Z")


def seconds(length: timedelta) -> int | float:
    """Whole seconds as a whole number."""
    whole, rest = divmod(length, timedelta(seconds=1))
    return whole if not rest else length.total_seconds()
