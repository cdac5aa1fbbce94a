"""Durations as people write them: `90s`, `30m`, `24h`, `7d`."""

import re
from datetime import timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_FORM = re.compile(r"(\d{1,6})\s*([smhd])")


def parse_duration(text: str) -> timedelta:
    """`24h` -> 24 hours of elapsed time. Raises ValueError that shows the right form."""
    if re.fullmatch(r"\d+\s*working days?", text.strip()):
        raise ValueError(
            f"{text!r}: only targets are counted in working days; write elapsed time such as 7d"
        )
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration; write 30m, 24h or 7d")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def format_duration(duration: timedelta) -> str:
    """The two largest units that matter, for people: `1 h 20 min`, `3 d 4 h`."""
    minutes = int(abs(duration).total_seconds() // 60)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"
