"""The text of a condition becomes one expression tree, or is refused with a column."""

import re
from itertools import zip_longest

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import ParseError, TokenError

from alerting.domain.errors import ConditionRefused

MAX_LENGTH = 4_000
"""Characters of one condition: a bound on what a rule author can make every event pay."""


def parse(sql: str) -> exp.Expr:
    """One boolean expression. Parsed as `SELECT <it>`: alone, some texts become a `Command` with a
    mere warning.
    """
    if len(sql) > MAX_LENGTH:
        raise ConditionRefused(
            f"a condition has at most {MAX_LENGTH} characters, this one {len(sql)}"
        )
    try:
        _refuse_foreign_words(sql)
        statements = sqlglot.parse(f"SELECT {sql}", dialect="postgres")
    except (ParseError, TokenError) as error:
        details = getattr(error, "errors", None) or [{}]
        column = details[0].get("col")
        message = str(details[0].get("description") or "a quote is not closed").split(". Line")[0]
        if message.startswith("Required keyword"):
            message = "something is missing here"
        if message.startswith("Invalid expression"):
            message = "something here does not belong there"
        raise ConditionRefused(
            f"not a SQL condition: {message}", column=_own_column(column)
        ) from error
    select = statements[0] if len(statements) == 1 else None
    if (
        not isinstance(select, exp.Select)
        or len(select.expressions) != 1
        or sql.rstrip().endswith(";")
    ):
        raise ConditionRefused("write one condition, without commas or semicolons at its end")
    extra = [
        name for name, value in select.args.items() if value and name not in {"expressions", "kind"}
    ]
    only = select.expressions[0]
    if extra or isinstance(only, exp.Alias):
        raise ConditionRefused("write only a condition, no FROM, WHERE or AS")
    return only  # type: ignore[no-any-return]


_CALLED = frozenset(
    [
        "ABS",
        "ALL",
        "ANY",
        "COALESCE",
        "CONTAINS_ANY",
        "GREATEST",
        "LEAST",
        "LENGTH",
        "LOWER",
        "ROUND",
        "UPPER",
        "AND",
        "BETWEEN",
        "CASE",
        "CAST",
        "ELSE",
        "IN",
        "NOT",
        "OR",
        "THEN",
        "WHEN",
    ]
)
"""What may stand before a parenthesis, besides an operator. sqlglot reads other databases'
functions as PostgreSQL's.
"""

_FOREIGN = {"==": "write =", "!": "write NOT"}
"""What sqlglot takes although PostgreSQL does not -> what to do instead."""


_INTERVAL = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*[A-Za-z]+\s*")
"""Of `'1 day 04:30'` sqlglot keeps the day and drops the rest without a word."""


def _refuse_foreign_words(sql: str) -> None:
    """What the parser would take, or stumble over, although it is not in the language.

    `numeric(numeric(...`: sqlglot tries each as a type and as a function, twice the work at every
    level.
    """
    tokens = sqlglot.tokenize(sql, dialect="postgres")
    if tokens and tokens[0].token_type in {TokenType.ALL, TokenType.DISTINCT}:
        raise ConditionRefused(
            f"{tokens[0].text!r} is not part of the condition language", column=1
        )
    for token, following in zip_longest(tokens, tokens[1:]):
        word, column = token.text.upper(), token.start + 1
        is_name = token.token_type not in _TEXTS and word.isidentifier()
        called = following is not None and following.token_type is TokenType.L_PAREN
        if token.token_type is TokenType.COMMA and (
            following is None or following.token_type is TokenType.R_PAREN
        ):
            raise ConditionRefused("something is missing after this comma", column=column)
        if token.token_type is TokenType.INTERVAL and not (
            following and _INTERVAL.fullmatch(following.text)
        ):
            message = "an interval is one number with its unit in quotes"
            raise ConditionRefused(
                message, column=column, suggestion="INTERVAL '1 day' + INTERVAL '4 hours'"
            )
        if token.comments:
            raise ConditionRefused(
                "a condition has no room for a comment", column=column, suggestion="remove it"
            )
        if token.token_type not in _TEXTS and word in _FOREIGN:
            message = f"{token.text!r} is not part of the condition language"
            raise ConditionRefused(message, column=column, suggestion=_FOREIGN[word])
        if called and (is_name or token.token_type is TokenType.IDENTIFIER) and word not in _CALLED:
            raise ConditionRefused(
                f"{token.text!r} is not part of the condition language", column=column
            )


_TEXTS = {TokenType.STRING, TokenType.IDENTIFIER}


def _own_column(column: int | None) -> int | None:
    return max(column - len("SELECT "), 1) if column else None
