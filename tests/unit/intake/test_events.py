"""Events: what is read, what is refused and under which field's name, and when two of them say the
same.
"""

import json
from datetime import timedelta
from typing import Any

import pytest

from alerting.domain.intake.events import MAX_BODY, MAX_FUTURE, parse_event
from tests.support.builders import NOW, envelope, read
from tests.support.intake.events import refused

HEADERS = {
    "ce_specversion": b"1.0",
    "ce_id": b"1",
    "ce_source": b"/test",
    "ce_type": b"survey.answered",
    "ce_time": b"2026-03-06T08:00:00Z",
    "content-type": b"application/json",
}


ANSWER = {"customer_id": "ACME", "survey_id": "relationship", "metric": "nps", "score": 2}


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
