"""Targets as they are written."""

from datetime import timedelta

import pytest

from alerting.domain.times.calendars import ALWAYS, Calendar
from alerting.domain.times.working_time import Amount, read_amount


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("480m", "berlin", Amount(length=timedelta(hours=8))),
        ("8h", "berlin", Amount(length=timedelta(hours=8))),
        ("90 s", "berlin", Amount(length=timedelta(seconds=90))),
        ("3 working days", "berlin", Amount(working_days=3)),
        ("1 working day", "berlin", Amount(working_days=1)),
        ("2d", "always", Amount(length=timedelta(days=2))),
        ("2d", "berlin", "a day of berlin has no length; write 2 working days, or hours"),
        ("2 working days", "always", "has no working days; write 2d"),
        ("0 working days", "berlin", "write 1 working day"),
        ("1.5h", "berlin", "is not a target; write 30m, 8h or 3 working days"),
        ("-2h", "always", "is not a target; write 30m, 24h or 7d"),
    ],
)
def test_targets_as_they_are_written(text: str, name: str, found: Amount | str) -> None:
    on = (
        ALWAYS
        if name == "always"
        else Calendar(name=name, time_zone="UTC", week=(((540, 1020),),) * 7)
    )
    if isinstance(found, str):
        with pytest.raises(ValueError, match=found):
            read_amount(text, on)
    else:
        assert read_amount(text, on) == found
        assert read_amount(str(found), on) == found
