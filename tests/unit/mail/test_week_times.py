"""Times of the week at which mails go out."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.people.people import Party
from alerting.domain.rulebook.rulebook import Weekly
from alerting.services.mail.weekly import LATEST, week_due
from tests.support.builders import changed, problems_of

ZONES = ["Europe/Berlin", "America/Chicago", "Pacific/Apia", "Asia/Kathmandu", "UTC"]


def reader(zone: str) -> Party:
    return Party(id="ann", name="Ann", email="ann@example.com", time_zone=zone)


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - hypothesis wants them so
    weekday=st.integers(0, 6),
    hour=st.integers(0, 23),
    zone=st.sampled_from(ZONES),
)
def test_a_mail_is_never_early_and_belongs_to_one_week(
    moment: datetime, weekday: int, hour: int, zone: str
) -> None:
    now, weekly = moment.replace(tzinfo=UTC), Weekly(weekday=weekday, at=time(hour))
    week = week_due(weekly, reader(zone), now)
    days = [now.astimezone(ZoneInfo(zone)).date() - timedelta(days=n) for n in range(8)]
    dues = [datetime.combine(d, time(hour), ZoneInfo(zone)) for d in days if d.weekday() == weekday]
    over = [due for due in dues if timedelta(0) <= now - due <= LATEST]
    assert week == (over[0].date().isoformat() if over else None)


@pytest.mark.parametrize("text", ["monday 07:00", "mon 7:00", "mon 24:00", "07:00", "mon"])
def test_a_time_of_the_week_is_a_day_and_a_time(text: str) -> None:
    (problem,) = problems_of(changed(settings=("weekly_mail: mon 07:00", f"weekly_mail: {text}")))
    assert "write mon 07:00" in problem.message + str(problem.suggestion)
