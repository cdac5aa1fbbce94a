"""A condition as DuckDB's SQL, where that differs from PostgreSQL said explicitly.

DuckDB divides two whole numbers to a fraction, raises on zero, and has no backslash in LIKE without
being told. Whether a number is whole is a column of its own here (`whole`, then the fact's name),
and follows the numbers through an expression. Quotients of fractions are doubles: sixteen digits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

NUMBER = "DECIMAL(24, 4)"

ANSWERS = {
    "price": "CASE WHEN {type} IN ('BIGINT', 'UBIGINT', 'DOUBLE') THEN CAST({text} AS "
    f"{NUMBER}) END",
    "reason": "CASE WHEN {type} = 'VARCHAR' THEN {text} END",
    "promised": "CASE WHEN {type} = 'BOOLEAN' THEN CAST({text} AS BOOLEAN) END",
}
"""The rules ask each answer for one type; an answer of another is missing."""

MACROS = """
CREATE MACRO pg_quotient(a, b, whole) AS
  CASE WHEN b = 0 THEN NULL
       WHEN whole THEN CAST(CAST(a AS BIGINT) // CAST(NULLIF(b, 0) AS BIGINT) AS DOUBLE)
       ELSE CAST(a AS DOUBLE) / CAST(NULLIF(b, 0) AS DOUBLE) END;
CREATE MACRO pg_remainder(a, b) AS CASE WHEN b = 0 THEN NULL ELSE a % NULLIF(b, 0) END;
CREATE MACRO pg_is_any(x, list) AS
  CASE WHEN list IS NULL THEN NULL
       WHEN len(list) = 0 THEN FALSE
       WHEN x IS NULL THEN NULL
       WHEN list_contains(list, x) THEN TRUE
       WHEN len(list_filter(list, lambda item: item IS NULL)) > 0 THEN NULL
       ELSE FALSE END;
"""

_SIGNS: Mapping[type[exp.Expression], str] = {
    exp.And: "AND",
    exp.Or: "OR",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Is: "IS",
}
_FUNCTIONS: Mapping[type[exp.Expression], str] = {
    exp.Lower: "lower",
    exp.Upper: "upper",
    exp.Length: "length",
    exp.Abs: "abs",
    exp.Coalesce: "coalesce",
    exp.Greatest: "greatest",
    exp.Least: "least",
    exp.Round: "round",
}
_CALCULATES = (
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Mod,
    exp.Neg,
    exp.Paren,
    exp.Abs,
    exp.Case,
    exp.If,
)
_CHOOSES = (exp.Coalesce, exp.Greatest, exp.Least)


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the words of a condition stand for: name -> column; which columns have a companion; the
    declared lists.
    """

    columns: Mapping[str, str]
    either: frozenset[str]
    fractions: frozenset[str] = frozenset()
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)


def translated(sql: str, names: Names) -> str:
    """The condition as DuckDB must be asked it."""
    return _Translation(names).text(
        sqlglot.parse_one(f"SELECT {sql}", read="postgres").expressions[0]
    )


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def column(name: str) -> str:
    return '"' + name + '"'


@dataclass(frozen=True)
class _Translation:
    names: Names

    def text(self, node: exp.Expression) -> str:
        if node.args.get("negate"):  # NOT LIKE and IS NOT NULL are one node each
            positive = node.copy()
            positive.set("negate", None)
            return f"(NOT {self.text(positive)})"
        if type(node) in _SIGNS and not isinstance(node.expression, (exp.Any, exp.Anonymous)):
            return f"({self.text(node.left)} {_SIGNS[type(node)]} {self.text(node.right)})"
        if type(node) in _FUNCTIONS:
            others = [node.args["decimals"]] if node.args.get("decimals") else node.expressions
            return f"{_FUNCTIONS[type(node)]}({', '.join(self.text(part) for part in (node.this, *others))})"  # noqa: E501
        name = "_" + type(node).__name__.lower()
        return str(getattr(self, name)(node))

    def whole(self, node: exp.Expression) -> str:
        """Whether a number is whole, as SQL: a missing one is."""
        if isinstance(node, exp.Column):
            return self._column_is_whole(node)
        if isinstance(node, exp.Literal):
            return str(node.this.isdigit())
        if isinstance(node, exp.Round):
            return "FALSE"
        if isinstance(node, (*_CALCULATES, *_CHOOSES)):
            parts = [part for part in self._valued(node) if not isinstance(part, exp.Null)]
            return "(" + " AND ".join(self.whole(part) for part in parts) + ")"
        assert isinstance(node, (exp.Length, exp.Cast)), node
        return "TRUE"  # days between two dates are whole

    def _valued(self, node: exp.Expression) -> list[exp.Expression]:
        """The parts whose kind of number decides that of the whole expression."""
        if isinstance(node, exp.Case):
            default = node.args.get("default")
            return [
                *(branch.args["true"] for branch in node.args["ifs"]),
                *([default] if default else []),
            ]
        if isinstance(node, exp.Binary):
            return [node.left, node.right]
        return [node.this, *(node.expressions if isinstance(node, _CHOOSES) else [])]

    def _name(self, node: exp.Column) -> str:
        return ".".join(part.name for part in node.parts)

    def _column_is_whole(self, node: exp.Column) -> str:
        name = self._name(node)
        if name.startswith("answers."):
            kind = f"json_type({column('event.answers')}, '$.{name.removeprefix('answers.')}')"
            return f"coalesce({kind} <> 'DOUBLE', TRUE)"
        found = self.names.columns[name]
        if found in self.names.fractions:
            return f"({column(found)} IS NULL)"
        return column(f"whole {found}") if found in self.names.either else "TRUE"

    def _column(self, node: exp.Column) -> str:
        name = self._name(node)
        if not name.startswith("answers."):
            return column(self.names.columns[name])
        answer = name.removeprefix("answers.")
        place = f"({column('event.answers')}, '$.{answer}')"
        return (
            "("
            + ANSWERS[answer].format(type=f"json_type{place}", text=f"json_extract_string{place}")
            + ")"
        )

    def _literal(self, node: exp.Literal) -> str:
        return quoted(node.this) if node.is_string else str(node.this)

    def _boolean(self, node: exp.Boolean) -> str:
        return str(node.this).upper()

    def _null(self, node: exp.Null) -> str:
        return "NULL"

    def _paren(self, node: exp.Paren) -> str:
        return f"({self.text(node.this)})"

    def _neg(self, node: exp.Neg) -> str:
        return f"(- {self.text(node.this)})"

    def _not(self, node: exp.Not) -> str:
        return f"(NOT {self.text(node.this)})"

    def _div(self, node: exp.Div) -> str:
        whole = f"{self.whole(node.left)} AND {self.whole(node.right)}"
        return f"pg_quotient({self.text(node.left)}, {self.text(node.right)}, {whole})"

    def _mod(self, node: exp.Mod) -> str:
        return f"pg_remainder({self.text(node.left)}, {self.text(node.right)})"

    def _between(self, node: exp.Between) -> str:
        value, low, high = (
            self.text(part) for part in (node.this, node.args["low"], node.args["high"])
        )
        return f"({value} >= {low} AND {value} <= {high})"

    def _in(self, node: exp.In) -> str:
        return (
            "("
            + " OR ".join(
                f"{self.text(node.this)} = {self.text(item)}" for item in node.expressions
            )
            + ")"
        )

    def _like(self, node: exp.Like) -> str:
        return f"({self.text(node.this)} LIKE {self.text(node.expression)} ESCAPE '\\')"

    def _ilike(self, node: exp.ILike) -> str:
        return f"({self.text(node.this)} ILIKE {self.text(node.expression)} ESCAPE '\\')"

    def _case(self, node: exp.Case) -> str:
        subject = self.text(node.this) if node.this else ""
        branches = " ".join(
            f"WHEN {self.text(b.this)} THEN {self.text(b.args['true'])}" for b in node.args["ifs"]
        )
        default = node.args.get("default")
        return f"CASE {subject} {branches} ELSE {self.text(default) if default else 'NULL'} END"

    def _cast(self, node: exp.Cast) -> str:
        """Times are kept in UTC, without a zone."""
        if node.to.this == exp.DType.DATE:
            return f"CAST({self.text(node.this)} AS DATE)"
        assert node.to.this == exp.DType.TIMESTAMPTZ and node.this.name.endswith("Z"), node
        return f"TIMESTAMP {quoted(node.this.name.removesuffix('Z'))}"

    def _interval(self, node: exp.Interval) -> str:
        return f"INTERVAL {quoted(node.this.name + ' ' + node.args['unit'].name)}"

    def _eq(self, node: exp.EQ) -> str:
        """`x = ANY(list)`."""
        return f"pg_is_any({self.text(node.left)}, {self._list(node.expression)})"

    def _neq(self, node: exp.NEQ) -> str:
        """`x <> ALL(list)`."""
        return f"(NOT pg_is_any({self.text(node.left)}, {self._list(node.expression)}))"

    def _list(self, node: exp.Expression) -> str:
        name = self._name(node.this.unnest() if isinstance(node, exp.Any) else node.expressions[0])
        if not name.startswith("lists."):
            return column(self.names.columns[name])
        return (
            "["
            + ", ".join(quoted(word) for word in self.names.lists[name.removeprefix("lists.")])
            + "]"
        )

    def _anonymous(self, node: exp.Anonymous) -> str:
        """`contains_any`: words are cut off by what is neither letter, digit nor underscore."""
        assert node.name.lower() == "contains_any"
        subject, words = node.expressions
        name = self._name(words).removeprefix("lists.")
        found = "|".join(word.replace(" ", r"\s+") for word in self.names.lists[name])
        edge = r"[^\pL\pN_]"
        return (
            f"regexp_matches({self.text(subject)}, {quoted(f'(?i)(^|{edge})({found})({edge}|$)')})"
        )
