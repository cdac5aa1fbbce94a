"""Random conditions over columns of every plain type, with rows of facts for them."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from alerting.domain.conditions import Scope, Type
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.customers.vocabulary import Vocabulary
from alerting.domain.errors import ConditionRefused

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


def listed(kind: SearchStrategy[Sql]) -> SearchStrategy[Sql]:
    items = st.lists(st.one_of(kind, kind, atoms("NULL")), min_size=1, max_size=3)
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
        lambda a, word, b, c: Sql.of(f"{{}} {word} {{}} AND {{}}", a, b, c), kind, words, kind, kind
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
