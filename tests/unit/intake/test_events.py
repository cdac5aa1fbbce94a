"""Events: what is read, what is refused and under which field's name, and when two of them say the
same.
"""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.errors import UnreadableEvent
from alerting.domain.intake.events import MAX_BODY, MAX_FUTURE, parse_event
from alerting.domain.intake.payloads import CustomerUpdated, sentiment_of
from tests.support.builders import NOW, envelope, event, read, unhurried

HEADERS = {
    "ce_specversion": b"1.0",
    "ce_id": b"1",
    "ce_source": b"/test",
    "ce_type": b"survey.answered",
    "ce_time": b"2026-03-06T08:00:00Z",
    "content-type": b"application/json",
}
ANSWER = {"customer_id": "ACME", "survey_id": "relationship", "metric": "nps", "score": 2}


def refused(
    given: dict[str, Any] | bytes | None, headers: dict[str, bytes] | None = None
) -> UnreadableEvent:
    value = json.dumps(given).encode() if isinstance(given, dict) else given
    with pytest.raises(UnreadableEvent) as caught:
        parse_event(value, headers or {}, NOW)
    return caught.value


def raw_answer(field: str, json_text: str) -> bytes:
    """An answer with one field as the sender's own JSON text, whatever that is."""
    whole = json.dumps(envelope(data={**ANSWER, field: "HERE"}))
    return whole.replace('"HERE"', json_text).encode()


# What cannot be read at all


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"id": "\xc3\x28"}', "not UTF-8"),
        (b"{", "not JSON"),
        (b"hello", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b"[" * 500_000, "not JSON"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not JSON"),
        (b"[]", "invalid"),
        (b'"survey.answered"', "invalid"),
        (b"5", "invalid"),
        (b"null", "invalid"),
        (b" " * (MAX_BODY + 1), "too large"),
    ],
)
def test_bytes_that_are_no_event_are_refused_with_their_reason(
    value: bytes | None, reason: str
) -> None:
    assert refused(value).reason == reason


def test_a_body_of_exactly_one_mebibyte_is_read() -> None:
    assert read(json.dumps(envelope()).encode().ljust(MAX_BODY)).id == "1"


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" + "0" * 5000, "01", "0x1"]
)
def test_what_is_no_number_in_json_is_refused(text: str) -> None:
    assert refused(raw_answer("score", text)).reason == "not JSON"


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00x"', '"\\ud800\\ud800"'])
def test_half_a_character_is_refused(text: str) -> None:
    """A lone surrogate cannot be written as UTF-8: it would fail in the database instead."""
    assert refused(raw_answer("comment", text)).reason == "not JSON"


def test_nul_is_left_out_of_what_is_judged_and_kept_in_the_raw_bytes() -> None:
    whole = read(raw_answer("comment", '"It\\u0000 leaks"'))
    assert whole.fields()["comment"] == "It leaks"
    assert b"\\u0000" in whole.raw
    assert refused(envelope(id="\0")).field == "id"


# What is wrong, by the field's name


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "data"])
def test_an_attribute_that_is_missing_is_named(name: str) -> None:
    error = refused(envelope(**{name: ...}))
    assert (error.reason, error.field) == ("invalid", name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", "0.3"),
        ("specversion", 1.0),
        ("id", 1),
        ("id", ""),
        ("id", "a\nb"),
        ("id", "x" * 201),
        ("source", None),
        ("source", "a\x7fb"),
        ("type", 5),
        ("time", "2026-03-06T08:00:00"),
        ("time", "2026-03-06"),
        ("time", "yesterday"),
        ("time", ""),
        ("time", 1700000000),
        ("time", "1700000000"),
        ("time", True),
        ("time", []),
        ("time", "2026-02-30T08:00:00Z"),
        ("time", "2026-03-06T08:00:00+25:00"),
        ("time", "0001-01-01T00:00:00+14:00"),
        ("time", "9999-12-31T23:59:59-14:00"),
        ("data", None),
        ("data", []),
        ("data", "{}"),
    ],
)
def test_an_attribute_that_is_wrong_is_named(name: str, value: Any) -> None:
    error = refused(envelope(**{name: value}))
    assert (error.reason, error.field) == ("invalid", name)


def test_an_unknown_type_is_named_with_those_that_are_known() -> None:
    error = refused(envelope("survey.answred"))
    assert (error.reason, error.field) == ("unknown type", "type")
    assert "survey.answered" in error.detail


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


# Time


@pytest.mark.parametrize(
    ("ahead", "clamped"),
    [
        (timedelta(minutes=-1), False),
        (timedelta(0), False),
        (MAX_FUTURE, False),
        (MAX_FUTURE + timedelta(microseconds=1), True),
        (timedelta(days=400), True),
    ],
)
def test_a_time_too_far_ahead_becomes_the_time_of_arrival_and_is_marked(
    ahead: timedelta, clamped: bool
) -> None:
    arrived = read(envelope(time=(NOW + ahead).isoformat()), NOW)
    assert arrived.clamped is clamped
    assert arrived.time == (NOW if clamped else NOW + ahead)


def test_times_of_any_zone_are_utc_inside() -> None:
    arrived = read(envelope(time="2026-03-06T09:00:00.25+01:00"))
    assert arrived.time.isoformat() == "2026-03-06T08:00:00.250000+00:00"


def test_an_event_without_a_time_happened_when_it_arrived() -> None:
    assert read(envelope(time=...), NOW).time == NOW


# Binary mode, and sameness


def test_binary_mode_says_the_same_as_structured_mode() -> None:
    structured = read(envelope(data=ANSWER))
    binary = parse_event(json.dumps(ANSWER).encode(), HEADERS, NOW)
    assert binary.fields() == structured.fields()
    assert binary.digest == structured.digest
    typed = read(envelope(data=ANSWER, datacontenttype="application/json"))
    assert typed.digest == structured.digest


@pytest.mark.parametrize(
    ("headers", "field", "reason"),
    [
        ({"ce_id": b"\xff"}, "ce_id", "not UTF-8"),
        ({"ce_id": b""}, "id", "invalid"),
        ({"ce_id": b"a\nb"}, "id", "invalid"),
        ({"ce_time": b"1700000000"}, "time", "invalid"),
        ({"ce_type": b"other"}, "type", "unknown type"),
        ({"ce_specversion": b"2.0"}, "specversion", "invalid"),
    ],
)
def test_binary_mode_names_what_is_wrong(
    headers: dict[str, bytes], field: str, reason: str
) -> None:
    error = refused(ANSWER, {**HEADERS, **headers})
    assert (error.field, error.reason) == (field, reason)


def test_no_header_can_stand_for_the_data() -> None:
    binary = parse_event(json.dumps(ANSWER).encode(), {**HEADERS, "ce_data": b"x"}, NOW)
    assert binary.fields()["score"] == 2


def test_the_order_of_keys_and_spaces_do_not_matter_but_every_value_does() -> None:
    whole = envelope(data={**ANSWER, "comment": "It leaks", "answers": {"a": 1, "b": 2}})
    turned = dict(reversed([*whole.items()])) | {"data": dict(reversed([*whole["data"].items()]))}
    digest = read(whole).digest
    assert read(json.dumps(turned, indent=2).encode()).digest == digest
    for other in ({"comment": "It leaks."}, {"answers": {"a": 1, "b": 3}}, {"score": 3}):
        assert read(envelope(data={**whole["data"], **other})).digest != digest
    for name in ("id", "source", "time"):
        assert read({**whole, name: "2026-03-06T08:00:01Z"}).digest != digest


# Who it is about


def key_of(**respondent: str) -> str:
    return event(customer_id=..., respondent=respondent).customer_key


def test_somebody_known_only_by_address_has_a_key_that_does_not_name_them() -> None:
    key = key_of(email="Ada@Example.com")
    assert key.startswith("respondent:")
    assert "ada" not in key.lower().removeprefix("respondent:")


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@EXAMPLE.COM", "  Ada@example.com "])
def test_an_address_is_the_same_in_any_case(email: str) -> None:
    assert key_of(email=email) == key_of(email="ada@example.com")


def test_different_addresses_are_different_people() -> None:
    keys = {
        key_of(email="ada@example.com"),
        key_of(email="ida@example.com"),
        key_of(phone="+49 30 5550199"),
        key_of(phone="+49 30 5550198"),
    }
    assert len(keys) == 4
    assert key_of(phone="+49 (30) 555-0199") == key_of(phone="+49305550199")


def test_the_senders_customer_id_counts_before_an_address() -> None:
    assert event(respondent={"email": "ada@example.com"}).customer_key == "ACME"


# What conditions see


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
    band = (
        "negative"
        if share < Fraction("0.4")
        else "positive"
        if share >= Fraction("0.75")
        else "neutral"
    )
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
