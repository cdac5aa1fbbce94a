"""What conditions read, computed by DuckDB from the events alone, as docs/ defines it.

Of the export only the fields of events and the customer's id are read; who the customer was is
found from the changes that were sent. Nothing here looks at the signals, the history, the segments,
the tags or the alerts of the product.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from ruamel.yaml import YAML

from tests.support.oracle.conditions import MACROS, NUMBER, Names, column, quoted, translated
from tests.support.oracle.words import (
    AGGREGATES,
    CUSTOMER,
    DAY,
    EVENT,
    EVERY_EVENT,
    HISTORY,
    JSON,
    NUMBERS,
    SENTIMENT,
    UNITS,
    WHOLE,
)


@dataclass(frozen=True)
class Reckoning:
    """The tables of one past: `e` the events in their order, `facts` all that conditions read,
    `alerts`.
    """

    db: duckdb.DuckDBPyConnection
    rules: Path
    either: set[str] = field(default_factory=set)

    def read(self, name: str) -> Any:
        found = self.rules / name
        return YAML(typ="safe").load(found) if found.exists() else {}

    def run(self, events: Path, changes: Iterable[Mapping[str, Any]], scratch: Path) -> None:
        self.db.execute("SET TimeZone = 'UTC'")
        self.db.execute(MACROS)
        self._events(events)
        self._customers(changes, scratch)
        self._history()
        signals = self.read("signals.yaml")["signals"]
        for table, comes_before in (("signals", "<="), ("signals_before", "<")):
            self._signals(table, comes_before, signals)
        self._facts(list(signals))
        self._alerts()

    def names(self, *first: tuple[str, Iterable[str]]) -> Names:
        """Bare names, the first group that has one wins; the customer's stand everywhere as
        `customer.<name>`.
        """
        of_customer = [*CUSTOMER, *self.attributes, "id", "segment", "tags", *HISTORY.split()]
        columns = {f"customer.{name}": f"customer.{name}" for name in of_customer}
        for group, found in reversed(first):
            columns |= {name: f"{group}.{name}" for name in found}
        lists = self.read("lists.yaml").get("lists", {})
        fractions = {"signal.average_talk", "signal.average_score"}
        return Names(
            columns={**columns, "now": "event.time"},
            either=frozenset(self.either),
            fractions=frozenset(fractions),
            lists=lists,
        )

    @property
    def attributes(self) -> dict[str, str]:
        return dict(self.read("attributes.yaml").get("attributes", {}))

    def _events(self, export: Path) -> None:
        every = " ".join(EVENT.values()).split()
        kept = [name for name in every if name not in {"score", "sentiment"}]
        others = ", ".join(
            column(f"event.{name}")
            for name in dict.fromkeys([*kept, "answers"])
            if name != "duration_seconds"
        )
        numbers = ", ".join(
            f"CAST({column(name)} AS {NUMBER}) AS {column(name)}, "
            f"{column(name)} IS NULL OR list_contains(whole, '{name}') AS {column(f'whole {name}')}"
            for name in ("event.score", "event.duration_seconds")
        )
        self.either.update(("event.score", "event.duration_seconds"))
        self.db.execute(
            'CREATE TABLE e AS SELECT row_number() OVER (ORDER BY "event.time", "event.source", '
            '"event.id") AS n,'
            f' "customer.id" AS key, CAST("event.time" AS TIMESTAMP) AS "event.time",'
            f' "event.type", "event.source", "event.id", {numbers}, {others} FROM '
            f"read_parquet({quoted(str(export))})"
        )
        self.db.execute(
            'ALTER TABLE e ADD COLUMN "event.sentiment" VARCHAR; UPDATE e SET "event.sentiment" = '
            f"{SENTIMENT}"
        )

    def _customers(self, changes: Iterable[Mapping[str, Any]], scratch: Path) -> None:
        """Field by field the newest change that names it. What was heard first also counts for the
        time before.
        """
        lines = scratch / "changes.jsonl"
        lines.write_text("".join(json.dumps(change) + "\n" for change in changes), encoding="utf-8")
        types = "{source: 'VARCHAR', id: 'VARCHAR', time: 'TIMESTAMPTZ', data: 'JSON'}"
        self.db.execute(
            "CREATE TABLE changes AS SELECT data->>'$.customer_id' AS key, CAST(time AS "
            "TIMESTAMP) AS time, data,"
            " row_number() OVER (PARTITION BY data->>'$.customer_id' ORDER BY time, source, id) "
            "AS k"
            f" FROM read_json({quoted(str(lines))}, format = 'newline_delimited', columns = "
            f"{types})"
        )
        fields = {
            name: (f"json_extract(data, '$.{name}')", kind) for name, kind in CUSTOMER.items()
        }
        for name, kind in self.attributes.items():
            cleared = "json_type(data, '$.attributes') = 'NULL'"
            value = (
                f"CASE WHEN {cleared} THEN 'null'::JSON ELSE json_extract(data, "
                f"'$.attributes.{name}') END"
            )
            fields[name] = (value, kind)
        raw = ", ".join(
            f"arg_max({value}, c.k) AS {column(name)}" for name, (value, _) in fields.items()
        )
        typed = ", ".join(self._typed(name, kind) for name, (_, kind) in fields.items())
        self.db.execute(
            "CREATE TABLE heard AS SELECT n, e.key, greatest(1, count(k)) AS k FROM e LEFT JOIN "
            "changes c"
            ' ON c.key = e.key AND c.time <= e."event.time" GROUP BY n, e.key'
        )
        self.db.execute(
            f"CREATE TABLE customers AS SELECT n, k IS NOT NULL AS known, {typed} FROM ("
            f"  SELECT n, max(c.k) AS k, {raw} FROM heard h LEFT JOIN changes c ON c.key = h.key "
            "AND c.k <= h.k GROUP BY n"
            f")"
        )

    def _typed(self, name: str, kind: str) -> str:
        """What is of another type than declared counts as missing."""
        types, wanted = JSON[kind]
        value = column(name)
        text = f"json_extract_string({value}, '$')"
        found = f"TRY_CAST({text} AS {wanted})"
        if kind == "list of texts":
            odd = (
                f"len(list_filter(json_extract({value}, '$[*]'), lambda x: json_type(x) NOT IN "
                "('VARCHAR', 'NULL')))"
            )
            found = f"CASE WHEN {odd} = 0 THEN CAST({value} AS VARCHAR[]) END"
        if kind == "time":
            found = f"CAST({found} AS TIMESTAMP)"
        sql = (
            f"CASE WHEN json_type({value}) IN ({types}) THEN {found} END AS "
            f"{column(f'customer.{name}')}"
        )
        if kind != "number":
            return sql
        self.either.add(f"customer.{name}")
        return (
            f"{sql}, coalesce(json_type({value}), '') <> 'DOUBLE' AS "
            f"{column(f'whole customer.{name}')}"
        )

    def _history(self) -> None:
        self.either.update(("customer.last_score", "customer.score_change"))
        answer = (
            '{metric: a."event.metric", score: a."event.score", whole: a."whole event.score",'
            ' sentiment: a."event.sentiment"}'
        )
        self.db.execute(
            f"""CREATE TABLE history AS
            WITH answers AS (
              SELECT e.n, arg_max({answer}, a.n, 2) AS last FROM e JOIN e a ON a.key = e.key AND a.n < e.n
              WHERE a."event.type" = 'survey.answered' AND a."event.score" IS NOT NULL GROUP BY e.n),
            contacts AS (
              SELECT e.n, max(c."event.time") AS last FROM e JOIN e c ON c.key = e.key AND c.n < e.n
              WHERE c."event.type" = 'interaction.recorded'
              AND coalesce(c."event.outcome", '') NOT IN ('voicemail', 'abandoned') GROUP BY e.n)
            SELECT e.n, a.last[1].score AS "customer.last_score",
              coalesce(a.last[1].whole, TRUE) AS "whole customer.last_score",
              a.last[1].sentiment AS "customer.last_sentiment",
              CASE WHEN a.last[1].metric = a.last[2].metric THEN a.last[1].score - a.last[2].score END
                AS "customer.score_change",
              coalesce(a.last[1].whole AND a.last[2].whole, TRUE) AS "whole customer.score_change",
              (epoch_us("event.time") - epoch_us(c.last)) // {DAY} AS "customer.days_since_contact"
            FROM e LEFT JOIN answers a USING (n) LEFT JOIN contacts c USING (n)"""  # noqa: E501
        )

    def _signals(
        self, table: str, comes_before: str, signals: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """One column each. A mark counts unless a reset stands at or after it, up to the event
        being judged.
        """
        joined = " ".join(
            f"LEFT JOIN ({self._signal(name, signal, comes_before)}) USING (n)"
            for name, signal in signals.items()
        )
        self.db.execute(f"CREATE TABLE {table} AS SELECT * FROM (SELECT n FROM e) {joined}")

    def _signal(self, name: str, signal: Mapping[str, Any], comes_before: str) -> str:
        aggregate = next(found for found in AGGREGATES if found in signal)
        kind = signal[aggregate]
        names = self.names(("event", [*EVERY_EVENT.split(), *EVENT[kind].split()]))
        value = "m." + column("event." + signal["of"]) if "of" in signal else "m.n"
        counts = (
            f"{value} IS NOT NULL AND m.n IN (SELECT n FROM e WHERE "
            f"{translated(signal.get('where', 'TRUE'), names)})"
        )
        resets = translated(signal["reset_when"], names) if "reset_when" in signal else "FALSE"
        columns = f"{AGGREGATES[aggregate].format(value=value)} AS {column(f'signal.{name}')}"
        if signal.get("of") in NUMBERS and aggregate in WHOLE:
            self.either.add(f"signal.{name}")
            whole = WHOLE[aggregate].format(
                value=value, whole="m." + column("whole event." + signal["of"])
            )
            columns += f", coalesce({whole}, TRUE) AS {column(f'whole signal.{name}')}"
        return f"""
            WITH marks AS (
              SELECT e.n AS judged, m.* FROM e JOIN e m ON m.key = e.key AND m.n {comes_before} e.n
              WHERE m."event.type" = '{kind}' AND m."event.time" > e."event.time" - {_within(signal)} AND {counts}
              AND NOT EXISTS (
                SELECT 1 FROM (SELECT * FROM e WHERE "event.type" = '{kind}' AND {resets}) r
                WHERE r.key = e.key AND r.n >= m.n AND r.n {comes_before} e.n))
            SELECT e.n, {columns} FROM e LEFT JOIN marks m ON m.judged = e.n GROUP BY e.n, e."event.time"
            """  # noqa: E501

    def _facts(self, signals: Sequence[str]) -> None:
        """Segments see the signals with the event being judged, tags without it."""
        days = '"customer.renewal_date" - CAST("event.time" AS DATE) AS "customer.days_to_renewal"'
        for view, table in (("untagged", "signals"), ("before", "signals_before")):
            self.db.execute(
                f'CREATE VIEW {view} AS SELECT *, {days}, key AS "customer.id"'
                f" FROM e JOIN customers USING (n) JOIN history USING (n) JOIN {table} USING (n)"
            )
        names = self.names(
            ("customer", [*CUSTOMER, *self.attributes, "id"]),
            ("signal", signals),
            ("customer", HISTORY.split()),
        )
        tags = ", ".join(
            f"CASE WHEN known AND {translated(sql, names)} THEN {quoted(tag)} END"
            for tag, sql in self.read("segments.yaml").get("tags", {}).items()
        )
        self.db.execute(
            f"""CREATE TABLE facts AS SELECT *, {self._segment(names)} AS "customer.segment" FROM untagged
            JOIN (
              SELECT n, list_filter(CAST([{tags}] AS VARCHAR[]), lambda tag: tag IS NOT NULL) AS "customer.tags"
              FROM before) USING (n)"""  # noqa: E501
        )

    def _segment(self, names: Names) -> str:
        cases, unknown = [], []
        for segment in self.read("segments.yaml")["segments"]:
            if "members" in segment:
                rows = (
                    (self.rules / segment["members"]).read_text(encoding="utf-8").splitlines()[1:]
                )
                keys = ", ".join(quoted(row.partition(",")[0]) for row in rows)
                cases.append(
                    f"WHEN key IN ({keys}) THEN '{segment['id']}' WHEN NOT known THEN 'unverified'"
                )
            elif "when" in segment:
                condition = translated(segment["when"], names)
                cases.append(f"WHEN {condition} THEN '{segment['id']}'")
                unknown.append(f"({condition}) IS NULL")
            else:
                cases.append(
                    f"WHEN {' OR '.join(unknown)} THEN 'unverified' ELSE '{segment['id']}'"
                )
        return f"CASE {' '.join(cases)} END"

    def _alerts(self) -> None:
        signals = list(self.read("signals.yaml")["signals"])
        found = []
        for file in sorted((self.rules / "escalations").glob("*.yaml")):
            for rule in YAML(typ="safe").load(file)["rules"]:
                event = ("event", [*EVERY_EVENT.split(), *EVENT[rule["on"]].split()])
                names = self.names(event, ("signal", signals), ("customer", HISTORY.split()))
                when = " AND ".join(f"({translated(sql, names)})" for sql in rule["when"].values())
                found.append(
                    f"""SELECT '{rule["id"]}' AS rule, "event.source", "event.id" FROM facts
                    WHERE "event.type" = '{rule["on"]}' AND {when}"""
                )
        self.db.execute(f"CREATE TABLE alerts AS {' UNION ALL '.join(found)}")


def _within(signal: Mapping[str, Any]) -> str:
    number, unit = str(signal["within"])[:-1], str(signal["within"])[-1]
    return f"INTERVAL '{number} {UNITS[unit]}'"
