"""Conditions: three-valued logic, refusals that help, and PostgreSQL as the oracle for everything
in between.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from alerting.domain.conditions import Scope, Type, arithmetic
from alerting.domain.conditions.analysis import never_true
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.conditions.parser import MAX_LENGTH
from alerting.domain.customers.vocabulary import EVENT_FIELDS, Vocabulary
from alerting.domain.errors import ConditionRefused
from tests.support.builders import LONG, unhurried

COLUMNS = {
    "n": Type.BIGINT,
    "m": Type.BIGINT,
    "p": Type.NUMERIC,
    "q": Type.NUMERIC,
    "s": Type.TEXT,
    "t": Type.TEXT,
    "a": Type.BOOLEAN,
    "b": Type.BOOLEAN,
}
SCOPE = Scope(names={name: (name, kind) for name, kind in COLUMNS.items()})
VOCABULARY = Vocabulary(signals={"calls_in_vain": Type.BIGINT})
SURVEY = VOCABULARY.for_rules("survey.answered")


def value(sql: str, **facts: Any) -> bool | None:
    return compile_condition(sql, SCOPE)(facts)


def refusal(sql: str, scope: Scope = SURVEY) -> ConditionRefused:
    with pytest.raises(ConditionRefused) as caught:
        compile_condition(sql, scope)
    return caught.value


# Three values


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [
        (True, True, True, True),
        (True, False, False, True),
        (True, None, None, True),
        (False, True, False, True),
        (False, False, False, False),
        (False, None, False, None),
        (None, True, None, True),
        (None, False, False, None),
        (None, None, None, None),
    ],
)
def test_and_and_or_know_three_values(
    a: bool | None, b: bool | None, both: bool | None, either: bool | None
) -> None:
    assert value("a AND b", a=a, b=b) is both
    assert value("a OR b", a=a, b=b) is either


@pytest.mark.parametrize(("a", "opposite"), [(True, False), (False, True), (None, None)])
def test_not_unknown_is_unknown(a: bool | None, opposite: bool | None) -> None:
    assert value("NOT a", a=a) is opposite


@pytest.mark.parametrize(
    ("sql", "facts", "answer"),
    [
        ("n = 1", {}, None),  # what is missing is unknown, and unknown never fires
        ("n = NULL", {"n": 1}, None),
        ("n <> 1", {}, None),
        ("n IN (1, 2)", {"n": 2}, True),
        ("n IN (1, NULL)", {"n": 2}, None),
        ("n IN (1, NULL)", {"n": 1}, True),
        ("n NOT IN (1, NULL)", {"n": 2}, None),
        ("n NOT IN (1, 3)", {"n": 2}, True),
        ("n BETWEEN 1 AND m", {"n": 0}, False),  # false already by the bound that is known
        ("n BETWEEN 1 AND m", {"n": 2}, None),
        ("n NOT BETWEEN 1 AND 3", {"n": 5}, True),
        ("n IS NULL", {}, True),
        ("n IS NULL", {"n": 1}, False),
        ("n IS NOT NULL", {}, False),
        ("n IS NOT NULL", {"n": 1}, True),
        ("a IS TRUE", {}, False),
        ("a IS NOT TRUE", {}, True),
        ("a IS FALSE", {"a": False}, True),
        ("a IS NOT FALSE", {}, True),
        ("a IS UNKNOWN", {}, True),
        ("s LIKE '%x%'", {}, None),
        ("s LIKE '%x%'", {"s": "axb"}, True),
        ("s NOT LIKE '%x%'", {"s": "axb"}, False),
        ("s NOT LIKE '%x%'", {"s": "ab"}, True),
        ("s NOT LIKE '%x%'", {}, None),
        ("s NOT ILIKE 'AB'", {"s": "ab"}, False),
        ("COALESCE(s, 'none') <> 'resolved'", {}, True),
        ("CASE WHEN a THEN n END = 1", {"a": None, "n": 1}, None),
        ("CASE WHEN a THEN 1 ELSE 2 END = 2", {"a": None}, True),
    ],
)
def test_a_missing_value_is_unknown_until_something_decides(
    sql: str, facts: dict[str, Any], answer: bool | None
) -> None:
    assert value(sql, **facts) is answer


@pytest.mark.parametrize(
    ("sql", "facts", "answer"),
    [
        ("7 / 2 = 3", {}, True),
        ("-7 / 2 = -3", {}, True),
        ("-7 % 3 = -1", {}, True),
        (
            "p / 2 = 3.5",
            {"p": 7},
            True,
        ),  # a fraction's field holding a whole number is still a fraction's field
        ("p / 2 = 3.5", {"p": Decimal("7.0")}, True),
        ("n / 2 = 3", {"n": 7}, True),
        ("1 / n = 1", {"n": 0}, None),
        ("1 % n = 1", {"n": 0}, None),
        ("p / q > 0", {"p": Decimal(1), "q": Decimal(0)}, None),
        (
            "1 / n = 1 OR m = 1",
            {"n": 0, "m": 1},
            True,
        ),  # an operator that fails is unknown, and evaluation goes on
        ("n + 1 > 0", {"n": 2**63 - 1}, None),
        ("n * n > 0", {"n": 2**62}, None),
        ("- n > 0", {"n": -(2**63)}, None),
        ("ABS(n) > 0", {"n": -(2**63)}, None),
        (
            "p + 1 = 9223372036854775808",
            {"p": 2**63 - 1},
            True,
        ),  # numeric has room where bigint has none
        ("p + 0.000000000000000000000000000001 > p", {"p": Decimal("12345678901234567890")}, True),
        ("0.1 + 0.2 = 0.3", {}, True),
        ("1e3 = n", {"n": 1000}, True),
    ],
)
def test_numbers_are_postgresqls(sql: str, facts: dict[str, Any], answer: bool | None) -> None:
    assert value(sql, **facts) is answer


def test_names_may_have_dots_and_those_of_an_event_come_before_signals() -> None:
    condition = compile_condition(
        "customer.name = 'ACME' AND calls_in_vain >= 3 AND event.score < 7", SURVEY
    )
    assert condition.reads == ("customer.name", "signal.calls_in_vain", "event.score")
    assert condition({"customer.name": "ACME", "signal.calls_in_vain": 3, "event.score": 2}) is True


@pytest.mark.parametrize("event_type", sorted(EVENT_FIELDS))
def test_every_field_can_be_asked_for_even_where_sql_has_a_word_of_that_name(
    event_type: str,
) -> None:
    scope = VOCABULARY.for_rules(event_type)
    for name, (_, kind) in scope.names.items():
        if kind is Type.TEXTS:
            continue
        assert (
            compile_condition(
                f"{name} IS NULL AND NOT {name} = {name} OR {name} IN ({name})", scope
            )({})
            is None
        )


def test_segments_read_customers_by_bare_name() -> None:
    scope = VOCABULARY.for_segments()
    condition = compile_condition(
        "revenue_with_us >= 250000 AND country = 'DE' AND calls_in_vain = 0", scope
    )
    assert condition.reads == (
        "customer.revenue_with_us",
        "customer.country",
        "signal.calls_in_vain",
    )


# Refusals


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


def test_a_condition_is_at_most_4000_characters_long() -> None:
    longest = "contact_me OR " * 285 + "TRUE" + " " * 6
    assert len(longest) == MAX_LENGTH
    assert compile_condition(longest, SURVEY)({}) is True
    assert "at most 4000 characters, this one 4001" in refusal(longest + " ").message


@pytest.mark.parametrize("count", [100, 500, 1_990, 5_000])
@pytest.mark.parametrize(
    ("opening", "inside", "closing"),
    [
        ("(", "contact_me", ")"),
        ("(", "", ""),
        ("NOT ", "contact_me", ""),
        ("- ", "score = 1", ""),
        ("ABS(", "score", ")"),
        ("anything(", "score", ")"),
        ("numeric(", "score", ")"),
        ("date(", "score", ")"),
        ("STRUCT(", "score", ")"),
        ("CASE WHEN ", "contact_me", ""),
        ("score IN (", "1", ")"),
        ("[", "1", "]"),
        ("", "score", "::int"),
        ("", "score", ".score"),
        ("", "score", " + score"),
        ("", "score", " - (score"),
    ],
)
def test_endless_nesting_is_refused_and_never_crashes(
    opening: str, inside: str, closing: str, count: int
) -> None:
    for times in (count, min(count, (MAX_LENGTH - len(inside)) // len(opening + closing))):
        refusal(opening * times + inside + closing * times)


def test_a_long_list_of_alternatives_is_not_deep() -> None:
    words = " OR ".join(f"comment ILIKE '%word {number}%'" for number in range(100))
    condition = compile_condition(words, SURVEY)
    assert condition({"event.comment": "it has WORD 99 in it"}) is True
    assert condition({"event.comment": "nothing"}) is False
    assert condition({}) is None


def test_nested_ranges_cost_no_more_than_their_length() -> None:
    sql = "a"
    for _ in range(18):
        sql = f"({sql} BETWEEN a AND a)"
    assert value(sql, a=True) is True  # compiled twice at each level, this would take minutes


def test_a_customers_long_comment_cannot_stall_a_pattern() -> None:
    condition = compile_condition("comment ILIKE '%refund%money%back%now%'", SURVEY)
    comment = "refund money back " * 5_000
    assert (
        condition({"event.comment": comment}) is False
    )  # searched with backtracking, this would take hours
    assert condition({"event.comment": comment + "now"}) is True


# PostgreSQL, the oracle


@dataclass(frozen=True)
class Sql:
    """A generated expression. `guarded` divides by NULLIF(..., 0): what ours must come to where
    PostgreSQL raises.
    """

    text: str
    guarded: str
    atom: bool = False

    @staticmethod
    def of(form: str, *parts: "Sql", guarded: str | None = None) -> "Sql":
        texts, others = [p.text for p in parts], [p.guarded for p in parts]
        return Sql(form.format(*texts), (guarded or form).format(*others))


def atoms(*texts: str) -> SearchStrategy[Sql]:
    return st.sampled_from([Sql(text, text, atom=True) for text in texts])


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


LETTERS = "aAbB %_\\'\nßΣσÄäİiIéЖж0"
TEXTS = st.text(alphabet=LETTERS, max_size=6)
PATTERNS = st.lists(
    st.sampled_from(["%", "_", "\\%", "\\_", "\\\\", "\\a", *"aAbB ßΣσÄäİiI'"]), max_size=5
).map("".join)
FORMS = st.sampled_from(["{}", "({})"])


def placed(strategy: SearchStrategy[Sql]) -> SearchStrategy[Sql]:
    """With or without parentheses, so that precedence is compared, too."""
    return st.builds(lambda sql, form: sql if sql.atom else Sql.of(form, sql), strategy, FORMS)


def binary(operators: str, operands: SearchStrategy[Sql]) -> SearchStrategy[Sql]:
    return st.builds(
        lambda a, operator, b: Sql.of(f"{{}} {operator} {{}}", a, b),
        operands,
        st.sampled_from(operators.split()),
        operands,
    )


def division(dividend: Sql, operator: str, divisor: Sql) -> Sql:
    return Sql.of(
        f"{{}} {operator} ({{}})", dividend, divisor, guarded=f"{{}} {operator} NULLIF({{}}, 0)"
    )


def chosen(kind: SearchStrategy[Sql], depth: int) -> SearchStrategy[Sql]:
    """What any type can be wrapped in."""
    return st.one_of(
        st.builds(lambda a, b: Sql.of("COALESCE({}, {})", a, b), kind, kind),
        st.builds(
            lambda w, a, b: Sql.of("CASE WHEN {} THEN {} ELSE {} END", w, a, b),
            truths(depth),
            kind,
            kind,
        ),
        st.builds(lambda w, a: Sql.of("CASE WHEN {} THEN {} END", w, a), truths(depth), kind),
    )


@cache
def numbers(depth: int) -> SearchStrategy[Sql]:
    leaves = atoms(
        "n",
        "m",
        "p",
        "q",
        "n",
        "p",
        "0",
        "1",
        "2",
        "3",
        "7",
        "100",
        "0.1",
        "2.50",
        "1e3",
        "-1",
        "-0.75",
    )
    if not depth:
        return leaves
    inner = placed(numbers(depth - 1))
    return st.one_of(
        leaves,
        binary("+ - *", inner),
        st.builds(division, inner, st.sampled_from(["/", "%"]), numbers(depth - 1)),
        st.builds(lambda a: Sql.of("ABS({})", a), inner),
        st.builds(lambda a: Sql.of("- ({})", a), inner),
        st.builds(lambda a: Sql.of("LENGTH({})", a), texts(depth - 1)),
        chosen(inner, depth - 1),
    )


@cache
def texts(depth: int) -> SearchStrategy[Sql]:
    leaves = st.one_of(
        atoms("s", "t"), TEXTS.map(quoted).map(lambda text: Sql(text, text, atom=True))
    )
    if not depth:
        return leaves
    inner = texts(depth - 1)
    return st.one_of(
        leaves,
        st.builds(
            lambda function, a: Sql.of(f"{function}({{}})", a),
            st.sampled_from(["LOWER", "UPPER"]),
            inner,
        ),
        chosen(inner, depth - 1),
    )


@cache
def truths(depth: int) -> SearchStrategy[Sql]:
    leaves = atoms("a", "b", "a", "TRUE", "FALSE")
    if not depth:
        return leaves
    inner, number, text = (
        placed(truths(depth - 1)),
        placed(numbers(depth - 1)),
        placed(texts(depth - 1)),
    )
    any_kind = st.one_of(inner, number, text)
    null = atoms("NULL")

    def listed(kind: SearchStrategy[Sql]) -> SearchStrategy[Sql]:
        items = st.lists(st.one_of(kind, kind, null), min_size=1, max_size=3)
        return st.builds(
            lambda a, word, found: Sql.of(
                f"{{}} {word} (" + ", ".join(["{}"] * len(found)) + ")", a, *found
            ),
            kind,
            st.sampled_from(["IN", "NOT IN"]),
            items,
        )

    def between(kind: SearchStrategy[Sql]) -> SearchStrategy[Sql]:
        words = st.sampled_from(["BETWEEN", "NOT BETWEEN"])
        return st.builds(
            lambda a, word, b, c: Sql.of(f"{{}} {word} {{}} AND {{}}", a, word and b, c),
            kind,
            words,
            kind,
            kind,
        )

    return st.one_of(
        leaves,
        binary("AND OR", inner),
        binary("AND OR", inner),
        st.builds(lambda a: Sql.of("NOT {}", a), inner),
        binary("= <> != < <= > >=", number),
        binary("= <> < <= > >=", text),
        binary("= <>", inner),
        st.builds(
            lambda a, word, b: Sql.of(f"{{}} {word} {{}}", a, b),
            text,
            st.sampled_from(["LIKE", "ILIKE", "NOT LIKE", "NOT ILIKE"]),
            PATTERNS.map(quoted).map(lambda pattern: Sql(pattern, pattern)),
        ),
        listed(number),
        listed(text),
        between(number),
        between(text),
        st.builds(
            lambda a, word: Sql.of(f"{{}} IS {word}", a),
            inner,
            st.sampled_from(["TRUE", "FALSE", "NOT TRUE", "NOT FALSE", "UNKNOWN"]),
        ),
        st.builds(
            lambda a, word: Sql.of(f"{{}} IS {word}", a),
            any_kind,
            st.sampled_from(["NULL", "NOT NULL"]),
        ),
        chosen(inner, depth - 1),
    )


QUOTIENTS = st.builds(
    lambda quotient, truth: Sql.of("{} > 1 OR {}", quotient, truth),
    st.builds(
        division, placed(numbers(1)), st.sampled_from(["/", "%"]), atoms("n", "p", "n * 0", "0")
    ),
    placed(truths(1)),
)

BIGINTS = st.one_of(
    st.none(), st.just(0), st.integers(-9, 9), st.sampled_from([0, 2**63 - 1, -(2**63), 10**12])
)
NUMERICS = st.one_of(
    st.none(),
    st.just(0),
    st.integers(-9, 9),  # a JSON integer in a field for fractions
    st.decimals(-1000, 1000, places=2),
    st.sampled_from(
        [Decimal(0), Decimal("0.00"), Decimal("1E+25"), Decimal("1E-25"), Decimal(10) ** 30, 10**30]
    ),
)
BOOLEANS = st.sampled_from([None, True, False])
FACTS = st.fixed_dictionaries(
    {
        "n": BIGINTS,
        "m": BIGINTS,
        "p": NUMERICS,
        "q": NUMERICS,
        "s": st.none() | TEXTS,
        "t": st.none() | TEXTS,
        "a": BOOLEANS,
        "b": BOOLEANS,
    }
)
CASTS = ", ".join(
    {
        Type.BIGINT: "CAST(%s AS bigint)",
        Type.NUMERIC: "CAST(%s AS numeric)",
        Type.TEXT: 'CAST(%s AS text) COLLATE "pg_c_utf8"',
        Type.BOOLEAN: "CAST(%s AS boolean)",
    }[kind]
    for kind in COLUMNS.values()
)


@pytest.fixture(scope="module")
def postgresql(new_database: Callable[[], str]) -> Iterator[psycopg.Connection]:
    address = new_database().replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection


def asked(
    postgresql: psycopg.Connection, sql: str, rows: list[dict[str, Any]]
) -> list[bool | None]:
    """PostgreSQL's answers for each of the rows."""
    numbered = ", ".join([f"({number}, {CASTS})" for number in range(len(rows))])
    query = (
        f"SELECT ({sql.replace('%', '%%')}) FROM (VALUES {numbered}) AS facts(row, "
        f"{', '.join(COLUMNS)}) ORDER BY row"
    )
    return [
        row[0] for row in postgresql.execute(query, [row[name] for row in rows for name in COLUMNS])
    ]


def oracle(
    postgresql: psycopg.Connection, sql: Sql, facts: dict[str, Any], seen: Counter[str]
) -> list[bool | None]:
    """One row's answer in a list, or none where PostgreSQL raises whatever one does, for too large
    a number.
    """
    for kind, text in (("plain", sql.text), ("guarded", sql.guarded)):
        try:
            answer = asked(postgresql, text, [facts])
        except psycopg.errors.DataError:
            continue
        seen[kind] += 1
        return answer
    seen["out of range"] += 1
    return []


@pytest.mark.parametrize(
    "text",
    ["ΟΔΟΣ", "İstanbul", "ISPARTA", "Straße", "ſtark", "ÄÖÜ", "ﬁn", "K\u212a", "a\nb", "\\%_"],
)
def test_letters_change_their_case_one_by_one(postgresql: psycopg.Connection, text: str) -> None:
    facts = {**dict.fromkeys(COLUMNS), "s": text}
    for other in (text, text.lower(), text.upper(), text.swapcase()):
        for form in (
            "LOWER(s) = {}",
            "UPPER(s) = {}",
            "LOWER(s) < {}",
            "s ILIKE {}",
            "s LIKE {}",
            "LENGTH(UPPER(s)) = LENGTH({})",
        ):
            sql = form.format(quoted(other))
            assert [value(sql, **facts)] == asked(postgresql, sql, [facts]), sql


def test_every_condition_means_what_postgresql_says(postgresql: psycopg.Connection) -> None:
    """Where PostgreSQL divides by zero, ours is NULL at that operator. Where a number is out of
    range, nobody knows.

    Literals are `integer` to PostgreSQL and `bigint` to us, which shows only in sums beyond 2 ** 31
    of literals alone.
    """
    seen: Counter[str] = Counter()
    six = st.lists(FACTS, min_size=6, max_size=6)

    def compare(sql: Sql, rows: list[dict[str, Any]]) -> None:
        try:
            theirs = [[answer] for answer in asked(postgresql, sql.text, rows)]
            seen["plain"] += len(rows)
        except (psycopg.ProgrammingError, psycopg.errors.InvalidTextRepresentation):
            seen["refused by PostgreSQL"] += (
                1  # without parentheses, `a = '' IS NULL` asks whether a is ''
            )
            return
        except psycopg.errors.DataError:
            theirs = [oracle(postgresql, sql, facts, seen) for facts in rows]
        condition = compile_condition(sql.text, SCOPE)
        ours = [
            [condition(facts)] if answer else [] for facts, answer in zip(rows, theirs, strict=True)
        ]
        assert ours == theirs

    @settings(unhurried, max_examples=280 * LONG)
    @given(sql=truths(3), rows=six)
    @example(
        sql=Sql("a = b IS NULL", "a = b IS NULL"), rows=[{**dict.fromkeys(COLUMNS), "a": False}]
    )
    def means_the_same(sql: Sql, rows: list[dict[str, Any]]) -> None:
        compare(sql, rows)

    @settings(unhurried, max_examples=70 * LONG)
    @given(
        sql=QUOTIENTS, rows=six
    )  # a run of its own: `one_of` takes one branch of fifty so seldom that a run may miss it
    def divides_the_same(sql: Sql, rows: list[dict[str, Any]]) -> None:
        compare(sql, rows)

    means_the_same()
    divides_the_same()
    print(f"pairs: {seen['plain'] + seen['guarded']} compared, no difference; {dict(seen)}")
    assert seen["plain"] > 1_000 * LONG, seen
    assert seen["guarded"] > 5, seen
    assert seen["out of range"] + 6 * seen["refused by PostgreSQL"] < seen["plain"] / 3, seen


OPERATIONS = {
    "+": arithmetic.ADD,
    "-": arithmetic.SUBTRACT,
    "*": arithmetic.MULTIPLY,
    "/": arithmetic.DIVIDE,
    "%": arithmetic.REMAINDER,
}
DECIMALS = st.one_of(
    st.decimals(-(10**6), 10**6, places=4),
    st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent),
        st.integers(-99999, 99999),
        st.integers(-40, 40),
    ),
)


def test_fractions_have_postgresqls_digits_even_after_a_division(
    postgresql: psycopg.Connection,
) -> None:
    @settings(unhurried, max_examples=60)
    @given(pairs=st.lists(st.tuples(DECIMALS, DECIMALS), min_size=20, max_size=20))
    @example(
        pairs=[
            (Decimal(1), Decimal(3)),
            (Decimal(10), Decimal(3)),
            (Decimal(10000), Decimal(3)),
            (Decimal(0), Decimal(7)),
        ]
    )
    def same_digits(pairs: list[tuple[Decimal, Decimal]]) -> None:
        pairs = [(a, b) for a, b in pairs if b]
        for operator, operation in OPERATIONS.items():
            sign, columns = (
                operator.replace("%", "%%"),
                "unnest(%s::text[]::numeric[], %s::text[]::numeric[])",
            )
            query = f"SELECT (a {sign} b)::text FROM {columns} AS pairs(a, b)"
            answers = postgresql.execute(
                query, [[f"{a:f}" for a, _ in pairs], [f"{b:f}" for _, b in pairs]]
            )
            theirs = [Decimal(row[0]) for row in answers]
            assert [operation.numeric(a, b) for a, b in pairs] == theirs, operator

    same_digits()


ASKED = st.sampled_from(["n", "p", "n + m", "ABS(n)", "CASE WHEN a THEN n END"])
NEAR_ZERO = st.integers(-2, 2)
QUOTED = TEXTS.map(lambda text: "'" + text.replace("'", "''") + "'")
LIMITS = st.one_of(
    st.builds(
        "{} {} {}".format, ASKED, st.sampled_from(["<", "<=", ">", ">=", "=", "<>"]), NEAR_ZERO
    ),
    st.builds("{} BETWEEN {} AND {}".format, ASKED, NEAR_ZERO, NEAR_ZERO),
    st.builds(
        "{} {}IN ({}, {})".format, ASKED, st.sampled_from(["", "NOT "]), NEAR_ZERO, NEAR_ZERO
    ),
    st.builds("{} IS {}NULL".format, ASKED, st.sampled_from(["", "NOT "])),
    st.builds(
        "{} {} {}".format,
        st.sampled_from(["s", "LOWER(s)", "UPPER(s)"]),
        st.sampled_from(["=", "<>"]),
        QUOTED,
    ),
    st.builds("LENGTH(s) {} {}".format, st.sampled_from(["<", ">", "="]), NEAR_ZERO),
    st.sampled_from(["a", "NOT a", "a = TRUE", "n / 0 > 1", "NULL"]),
)


def test_what_can_never_be_true_never_is() -> None:
    """The other way round nothing is promised: not every contradiction is seen."""
    told: Counter[bool] = Counter()

    @settings(unhurried, max_examples=400)
    @given(st.lists(LIMITS, min_size=1, max_size=4), st.lists(FACTS, min_size=4, max_size=4))
    def keeps_its_word(limits: list[str], people: list[dict[str, Any]]) -> None:
        impossible = never_true(limits, SCOPE, {})
        told[impossible is not None] += 1
        whole = " AND ".join(f"({limit})" for limit in limits)
        nearby = [
            {**facts, "n": n, "m": 0, "p": Decimal(n)}
            for facts in people
            for n in (-2, -1, 0, 1, 2)
        ]
        possible = any(map(compile_condition(whole, SCOPE), [*people, *nearby]))
        assert not (impossible and possible), (whole, impossible)

    keeps_its_word()
    assert min(told.values()) > 20, told
