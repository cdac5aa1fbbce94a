"""The picture of a back-test."""

from datetime import timedelta

from alerting.adapters.reports.pictures import weeks_picture
from tests.support.world import BEGIN


def test_a_picture_shows_weeks_without_alerts_too() -> None:
    monday = (BEGIN - timedelta(days=BEGIN.weekday())).date()
    svg = weeks_picture(
        {"A": {monday: 3, monday + timedelta(weeks=3): 1}, "B": {}}, "Alerts a week"
    )
    for week in range(4):
        assert (monday + timedelta(weeks=week)).isoformat() in svg
