"""What is no condition is refused at its column, with help."""

import pytest

from tests.support.conditions.texts import refusal


@pytest.mark.parametrize(
    ("sql", "column", "message", "suggestion"),
    [
        ("sentimnt = 'negative'", 1, "unknown field 'sentimnt'", "did you mean 'sentiment'?"),
        (
            "score < 3 AND sentimnt = 'negative'",
            15,
            "unknown field 'sentimnt'",
            "did you mean 'sentiment'?",
        ),
        (
            "score < 3 AND custmer.name = 'x'",
            15,
            "unknown field 'custmer.name'",
            "did you mean 'customer.name'?",
        ),
        ("customer.nam = 'x'", 1, "unknown field 'customer.nam'", "did you mean 'customer.name'?"),
        ("a.b.c.d.e.f = 1", 1, "unknown field 'a.b.c.d.e.f'", None),
        ("\"SENTIMENT\" = 'x'", 1, "unknown field 'SENTIMENT'", "did you mean 'sentiment'?"),
        ("1 = 1 AND zebra", 11, "unknown field 'zebra'", None),
    ],
)
def test_an_unknown_name_is_refused_at_its_column_with_the_nearest_known_one(
    sql: str, column: int, message: str, suggestion: str | None
) -> None:
    error = refusal(sql)
    assert (error.message, error.column, error.suggestion) == (message, column, suggestion)


@pytest.mark.parametrize(
    ("sql", "column", "words"),
    [
        ("score < 3 AND comment > 1", 15, "compares a text with a whole number"),
        ("score = 'bad'", 1, "compares a whole number with a text"),
        ("contact_me = 1", 1, "compares a true/false with a whole number"),
        ("score BETWEEN 1 AND 'x'", 1, "compares a whole number with a text"),
        ("score BETWEEN 'x' AND 2", 1, "compares a whole number with a text"),
        ("score IN (1, 'x')", 1, "compares a whole number with a text"),
        ("1 = 1 AND score + comment > 1", 11, "cannot calculate with a whole number and a text"),
        ("- comment = 1", 3, "needs a number, not a text"),
        ("LOWER(score) = 'x'", 1, "takes a text, not a whole number"),
        ("LENGTH(contact_me) > 1", 1, "takes a text, not a true/false"),
        ("score LIKE '%x%'", 1, "LIKE compares a text with a pattern"),
        ("comment LIKE language", 1, "LIKE compares a text with a pattern"),
        ("comment LIKE 'x\\'", 1, "must not end with a backslash"),
        ("score", None, "must be true or false, this is a whole number"),
        ("'yes'", None, "must be true or false, this is a text"),
        ("NOT score", 5, "'score' is a whole number, not true/false"),
        ("contact_me AND score", 16, "'score' is a whole number, not true/false"),
        ("score IS TRUE", 1, "IS TRUE and IS FALSE ask a true/false value"),
        ("CASE WHEN score THEN 1 END = 1", 11, "'score' is a whole number, not true/false"),
        ("CASE WHEN contact_me THEN 1 ELSE 'x' END = 1", 11, "mixes a whole number and a text"),
        ("COALESCE(score, 'x') = 1", 1, "mixes a whole number and a text"),
    ],
)
def test_wrong_types_are_refused_where_they_stand(sql: str, column: int | None, words: str) -> None:
    error = refusal(sql)
    assert words in error.message
    assert error.column == column


@pytest.mark.parametrize(
    "sql",
    [
        "score IN (SELECT 1)",
        "score = (SELECT 1)",
        "EXISTS (SELECT 1)",
        "score = ANY(ARRAY[1, 2])",
        "comment LIKE ANY (ARRAY['a'])",
        "pg_sleep(10) IS NULL",
        "NOW() > time",
        "CURRENT_DATE > customer.renewal_date",
        "comment ~ '^a+$'",
        "comment SIMILAR TO 'a'",
        "comment || 'x' = 'yx'",
        "score::text = '1'",
        "CAST(score AS text) = '1'",
        "score ^ 2 > 4",
        "score & 1 = 1",
        "score IS DISTINCT FROM 1",
        "score BETWEEN SYMMETRIC 9 AND 1",
        "LENGTH(comment, 'UTF8') > 1",
        "comment LIKE 'a!%' ESCAPE '!'",
        "COALESCE(DISTINCT score) = 1",
        "(score, 1) = (1, 1)",
        "score IS 1",
        "score IN ()",
        "*",
        "$1",
        "@score",
        ":score",
        "score[1] = 1",
        "E'a' = comment",
        "score == 1",
        "!contact_me",
        "score = 1 -- one",
        "score = 1 /* one */",
        "NVL(score, 1) = 1",
        "IFNULL(score, 1) = 1",
        "LEN(comment) = 1",
        "CHAR_LENGTH(comment) = 1",
        "date(time) = time",
        "1 < score < 5",
        "score = 1 = contact_me",
        "comment LIKE 'a' LIKE 'b'",
    ],
)
def test_what_is_not_part_of_the_language_is_refused(sql: str) -> None:
    assert refusal(sql).message


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "   ",
        ";",
        "score < 3; DROP TABLE customer",
        "score < 3;",
        "score < 3, score > 1",
        "score < 3 AS unhappy",
        "score < 3 unhappy",
        "score < 3 FROM customer",
        "score < 3 WHERE contact_me",
        "score < 3 LIMIT 1",
        "score < 3 UNION SELECT TRUE",
        "DISTINCT contact_me",
        "score < 3 GROUP BY score",
        "score < 3 INTO other",
    ],
)
def test_only_one_condition_and_nothing_around_it(sql: str) -> None:
    assert "condition" in refusal(sql).message


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("score <", 7),
        ("score < 3 AND (contact_me OR", 28),
        ("(score < 3", 10),
        ("score < 3)", 10),
        ("comment = 'x", None),
    ],
)
def test_what_cannot_be_parsed_says_where_it_breaks_off(sql: str, column: int | None) -> None:
    error = refusal(sql)
    assert error.message.startswith("not a SQL condition")
    assert error.column == column
    assert "SELECT" not in error.message
