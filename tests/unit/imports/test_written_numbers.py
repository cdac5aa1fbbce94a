"""Numbers as spreadsheets write them: what has one reading is taken, what has two is refused unless
its column tells.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.imports.written_numbers import (
    Mark,
    decimal_mark,
    looks_like_number,
    read_number,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("250000", 250_000),
        ("0", 0),
        ("-5", -5),
        ("250000.50", 250_000.5),
        ("1.5", 1.5),
        ("0.125", 0.125),
        ("1234.567", 1234.567),
        ("1,240,000", 1_240_000),
        ("1.240.000", 1_240_000),
        ("1,240,000.50", 1_240_000.5),
        ("1.240.000,50", 1_240_000.5),
        ("1.240,5", 1240.5),
        ("1,240.5", 1240.5),
        ("1 240 000", 1_240_000),
        ("1\u00a0240\u202f000,50", 1_240_000.5),
        ("1'240'000.50", 1_240_000.5),
        ("310.0", 310),
    ],
)
def test_a_number_with_one_reading_is_taken(text: str, number: float) -> None:
    assert read_number(text) == number
    assert isinstance(read_number(text), type(number))


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("250.000", "write 250 or 250000"),
        ("250,000", "write 250 or 250000"),
        ("1.240", "write 1.24 or 1240"),
        ("-1,240", "write -1240 or -1.24"),
        ("1,5", "write 1.5"),
        ("0,125", "write 0.125"),
        ("250000,50", "write 250000.5"),
    ],
)
def test_a_number_with_two_readings_is_refused_with_both(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        read_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "many",
        "1e5",
        "1e400",
        "nan",
        "inf",
        "-inf",
        "Infinity",
        "",
        "-",
        "1,24,000",
        "1.24.000",
        "1,240.000.5",
        "1.240,000,5",
        "12 34",
        "1 2400",
        "0x10",
        "٣",
        "5 €",
        "--5",
        "1_000",
        "9" * 41,
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number; write one such as"):
        read_number(text)


@pytest.mark.parametrize(
    ("texts", "known", "mark"),
    [
        ([], None, None),
        (["250000", "250.000", "250,000", "1,5", "many"], None, None),
        (["1.240.000"], None, ","),
        (["1.240,50"], None, ","),
        (["1,240,000", "7"], None, "."),
        (["1.5"], None, "."),
        (["1,240,000", "1.240.000"], None, None),
        (["250.000"], ",", ","),
        (
            ["1.5"],
            ",",
            None,
        ),  # a file with semicolons that writes points: nobody can tell what 250.000 is
        (["1.240.000"], ",", ","),
    ],
)
def test_a_column_tells_how_it_writes_decimals(
    texts: list[str], known: Mark | None, mark: Mark | None
) -> None:
    assert decimal_mark(texts, known) == mark


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("250.000", ",", 250_000),
        ("250.000", ".", 250),
        ("250,000", ".", 250_000),
        ("250,000", ",", 250),
        ("1,5", ",", 1.5),
        ("1,240,000", ",", 1_240_000),
        ("1.5", ",", 1.5),
    ],
)
def test_where_the_column_tells_the_doubtful_is_read_so(
    text: str, mark: Mark, number: float
) -> None:
    assert read_number(text, mark) == number


def test_a_decimal_comma_among_points_is_refused() -> None:
    with pytest.raises(ValueError, match=r"write 1\.5"):
        read_number("1,5", ".")


@given(number=st.decimals(-(10**12), 10**12, places=2), comma=st.booleans())
def test_a_number_written_out_is_never_read_as_another(number: Decimal, comma: bool) -> None:
    text = f"{number:,.2f}"
    if comma:
        text = text.translate({ord(","): ".", ord("."): ","})
    mark: Mark = "," if comma else "."
    assert read_number(text, mark) == pytest.approx(float(number))
    try:
        assert read_number(text) == pytest.approx(float(number))
    except ValueError:
        assert comma and "." not in text


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("12", True),
        ("1,5", True),
        ("0", True),
        ("0.5", True),
        ("007", False),
        ("+49 30", False),
        ("gold", False),
        ("00.5", False),
    ],
)
def test_a_code_of_digits_does_not_look_like_a_number(text: str, is_one: bool) -> None:
    assert looks_like_number(text) is is_one
