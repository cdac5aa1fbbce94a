"""What an event says: fields that are wrong, sentiment, numbers, changes."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.errors import UnreadableEvent
from alerting.domain.intake.payloads import CustomerUpdated, sentiment_of
from tests.support.builders import envelope, event, read, unhurried
from tests.support.intake.events import refused


@pytest.mark.parametrize(
    ("type_", "changes", "field"),
    [
        ("survey.answered", {"score": "2"}, "score"),
        ("survey.answered", {"score": True}, "score"),
        ("survey.answered", {"score": [2]}, "score"),
        ("survey.answered", {"score": 11}, "score"),
        ("survey.answered", {"score": -1}, "score"),
        ("survey.answered", {"score": 2.5}, "score"),
        ("survey.answered", {"metric": "csat", "score": 0}, "score"),
        ("survey.answered", {"metric": "csat", "score": 6}, "score"),
        ("survey.answered", {"metric": "ces", "score": 8}, "score"),
        ("survey.answered", {"metric": "rating", "scale": 5, "score": 0.5}, "score"),
        ("survey.answered", {"metric": "rating"}, "scale"),
        ("survey.answered", {"metric": "rating", "scale": True}, "scale"),
        ("survey.answered", {"metric": "rating", "scale": 5.0}, "scale"),
        ("survey.answered", {"metric": "rating", "scale": 1}, "scale"),
        ("survey.answered", {"metric": "smileys"}, "metric"),
        ("survey.answered", {"metric": ...}, "metric"),
        ("survey.answered", {"survey_id": ...}, "survey_id"),
        ("survey.answered", {"contact_me": "yes"}, "contact_me"),
        ("survey.answered", {"contact_me": 1}, "contact_me"),
        ("survey.answered", {"comment": 5}, "comment"),
        ("survey.answered", {"comment": "x" * 100_001}, "comment"),
        ("survey.answered", {"answers": []}, "answers"),
        ("survey.answered", {"customer_id": 5}, "customer_id"),
        ("survey.answered", {"customer_id": True}, "customer_id"),
        ("survey.answered", {"customer_id": ""}, "customer_id"),
        ("survey.answered", {"customer_id": ...}, "customer_id"),
        ("survey.answered", {"customer_id": ..., "respondent": {"name": "Ada"}}, "customer_id"),
        (
            "survey.answered",
            {"customer_id": ..., "respondent": {"email": "n/a", "phone": "unknown"}},
            "customer_id",
        ),
        ("survey.answered", {"respondent": "ada@example.com"}, "respondent"),
        ("survey.answered", {"respondent": {"email": 5}}, "respondent.email"),
        ("interaction.recorded", {"channel": ...}, "channel"),
        ("interaction.recorded", {"channel": "fax"}, "channel"),
        ("interaction.recorded", {"outcome": "solved"}, "outcome"),
        ("interaction.recorded", {"duration_seconds": "60"}, "duration_seconds"),
        ("interaction.recorded", {"duration_seconds": True}, "duration_seconds"),
        ("interaction.recorded", {"duration_seconds": -1}, "duration_seconds"),
        ("interaction.recorded", {"duration_seconds": 10**400}, "duration_seconds"),
        ("interaction.recorded", {"customer_id": ...}, "customer_id"),
        ("customer.updated", {"revenue_with_us": "100"}, "revenue_with_us"),
        ("customer.updated", {"revenue_with_us": False}, "revenue_with_us"),
        ("customer.updated", {"employees": 1.5}, "employees"),
        ("customer.updated", {"employees": -1}, "employees"),
        ("customer.updated", {"renewal_date": "31.05.2026"}, "renewal_date"),
        ("customer.updated", {"renewal_date": "2026-02-30"}, "renewal_date"),
        ("customer.updated", {"renewal_date": 20260531}, "renewal_date"),
        ("customer.updated", {"renewal_date": "20260531"}, "renewal_date"),
        ("customer.updated", {"renewal_date": "2026-W22-7"}, "renewal_date"),
        ("customer.updated", {"renewal_date": "2026-05-31T00:00:00Z"}, "renewal_date"),
        ("customer.updated", {"revenue_with_us": -0.01}, "revenue_with_us"),
        ("customer.updated", {"country": "Germany"}, "country"),
        ("customer.updated", {"country": "ZZ"}, "country"),
        ("customer.updated", {"country": ""}, "country"),
        ("customer.updated", {"language": "German"}, "language"),
        ("customer.updated", {"language": ""}, "language"),
        ("customer.updated", {"time_zone": "Mars"}, "time_zone"),
        ("customer.updated", {"time_zone": "Europe"}, "time_zone"),
        ("customer.updated", {"time_zone": "../etc/passwd"}, "time_zone"),
        ("customer.updated", {"time_zone": "Factory"}, "time_zone"),
        ("customer.updated", {"contacts": {}}, "contacts"),
        ("customer.updated", {"contacts": [{"role": "Buyer"}]}, "contacts.0.name"),
        (
            "customer.updated",
            {"contacts": [{"name": "A"}, {"name": "B", "call_from": "9:00"}]},
            "contacts.1.call_from",
        ),
        (
            "customer.updated",
            {"contacts": [{"name": "A", "call_to": "24:00"}]},
            "contacts.0.call_to",
        ),
        ("customer.updated", {"attributes": []}, "attributes"),
        ("customer.deleted", {"customer_id": ...}, "customer_id"),
    ],
)
def test_a_field_that_is_wrong_is_named(type_: str, changes: dict[str, Any], field: str) -> None:
    data = {
        name: value
        for name, value in {**envelope(type_)["data"], **changes}.items()
        if value is not ...
    }
    error = refused(envelope(type_, data=data))
    assert (error.reason, error.field) == ("invalid", f"data.{field}")
    assert error.detail


@pytest.mark.parametrize(
    ("metric", "scale", "bands"),
    [
        ("nps", None, {"negative": range(7), "neutral": range(7, 9), "positive": range(9, 11)}),
        ("csat", None, {"negative": range(1, 3), "neutral": range(3, 4), "positive": range(4, 6)}),
        ("ces", None, {"negative": range(1, 4), "neutral": range(4, 5), "positive": range(5, 8)}),
        ("rating", 5, {"negative": range(1, 3), "neutral": range(3, 4), "positive": range(4, 6)}),
        ("rating", 10, {"negative": range(1, 5), "neutral": range(5, 8), "positive": range(8, 11)}),
        ("rating", 11, {"negative": range(1, 5), "neutral": range(5, 9), "positive": range(9, 12)}),
        ("rating", 2, {"negative": range(1, 2), "neutral": range(0), "positive": range(2, 3)}),
    ],
)
def test_sentiment_by_bands(metric: str, scale: int | None, bands: dict[str, range]) -> None:
    for sentiment, scores in bands.items():
        for score in scores:
            given = event(metric=metric, score=score, **({"scale": scale} if scale else {}))
            assert given.fields()["sentiment"] == sentiment, score


@unhurried
@given(scale=st.integers(2, 20), tenths=st.integers(0, 190))
def test_a_rating_between_the_points_is_banded_exactly(scale: int, tenths: int) -> None:
    score = 1 + tenths % ((scale - 1) * 10 + 1) / 10
    share = (Fraction(str(score)) - 1) / (scale - 1)
    bands = (
        (Fraction("0.75"), "positive"),
        (Fraction("0.4"), "neutral"),
        (Fraction(0), "negative"),
    )
    band = next(name for least, name in bands if share >= least)
    assert sentiment_of("rating", score, scale) == band


def test_an_answer_without_a_score_has_no_sentiment() -> None:
    assert event(metric=..., score=..., comment="Just words").fields()["sentiment"] is None


def test_fractions_are_decimals_and_whole_numbers_stay_whole() -> None:
    assert event(metric="rating", scale=5, score=2.3).fields()["score"] == Decimal("2.3")
    assert event(score=2).fields()["score"] == 2
    assert type(event(score=2).fields()["score"]) is int


def test_a_respondents_fields_stand_under_their_own_name() -> None:
    fields = event(respondent={"email": "ada@example.com"}).fields()
    assert fields["respondent.email"] == "ada@example.com"
    assert fields["respondent.phone"] is None
    assert "respondent" not in fields


def test_a_change_of_a_customer_holds_what_was_given_and_nothing_else() -> None:
    payload = event(
        "customer.updated", name="Acme", owner=None, renewal_date="2026-05-31", unheard_of=1
    ).payload
    assert isinstance(payload, CustomerUpdated)
    assert payload.changes() == {"name": "Acme", "owner": None, "renewal_date": "2026-05-31"}


def test_a_country_and_a_language_are_kept_in_one_form_and_the_same_event_stays_the_same() -> None:
    first = event("customer.updated", country="de", language="de_DE", time_zone="Europe/Berlin")
    assert isinstance(first.payload, CustomerUpdated)
    assert first.payload.changes() == {
        "country": "DE",
        "language": "de-DE",
        "time_zone": "Europe/Berlin",
    }
    again = event("customer.updated", country="de", language="de_DE", time_zone="Europe/Berlin")
    assert again.digest == first.digest
    cleared = event("customer.updated", country=None, language=None, time_zone=None).payload
    assert isinstance(cleared, CustomerUpdated)
    assert cleared.changes() == {"country": None, "language": None, "time_zone": None}


@pytest.mark.parametrize(
    ("customer_id", "said"),
    [
        ("  ", "is blank"),
        ("\u00a0", "is blank"),
        ("respondent:0123", "must not begin with 'respondent:'"),
    ],
)
@pytest.mark.parametrize("type_", ["survey.answered", "interaction.recorded", "customer.updated"])
def test_an_id_that_names_no_customer_is_refused(type_: str, customer_id: str, said: str) -> None:
    given = envelope(type_)
    with pytest.raises(UnreadableEvent, match=said) as refused:
        read({**given, "data": {**given["data"], "customer_id": customer_id}})
    assert refused.value.field == "data.customer_id"


def test_a_leap_second_is_read_as_the_second_before_it() -> None:
    assert read(envelope(time="2016-12-31T23:59:60.5Z")).time == datetime(
        2016, 12, 31, 23, 59, 59, 500_000, UTC
    )
