"""A back-test reckoned a second time by DuckDB, over the Parquet it wrote: the alerts agree one by
one, both ways.

Independent of the product: windows, resets, ties and aggregates of signals, history, sentiment,
segments and tags, who a customer was at any time, and the truth of every condition and rule, all in
SQL of tests/oracle over the rules' own YAML. Taken from the export: each event's time, source, id,
customer and fields as they were sent, which is compared with what was sent. Shared: sqlglot reads
the text of the conditions for both; what they mean is written down twice.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from alerting.adapters.files.parquet import exporting
from alerting.adapters.rulebook.rule_files import read_files
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.domain.customers.value import VALUE_READS
from alerting.services.alerts.backtest import Comparison, Effort, Extent, backtest
from tests.support.builders import LONG, starter_people
from tests.support.installation import Run
from tests.support.oracle.facts import Reckoning
from tests.support.oracle.past import Past
from tests.support.oracle.rules import ANSWERED, CALLED, write_rules
from tests.support.world import BEGIN, ROOT, World

EVENTS = 900
SEEDS = range(2 + LONG)
SILENCE = ("event.rule", "event.of", "event.since", "event.days")
"""Fields of events that no past here has."""
MOVES = tuple(
    f"event.{name}"
    for name in (
        "from_segment",
        "to_segment",
        "why",
        "tags",
        "tags_added",
        "tags_removed",
        "cause",
        "amount",
        "currency",
    )
)
"""Those of moves between segments and of purchases."""

EXPORTED = ("facts_a", "facts_b", "alerts_a", "alerts_b")


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A past, the back-test over it, and the folder of its export."""

    sent: list[dict[str, Any]]
    found: Comparison
    rules: Path
    folder: Path

    def reckoned(self, which: str) -> duckdb.DuckDBPyConnection:
        """DuckDB's own facts and alerts beside those of the export, `product_facts` and
        `product_alerts`.
        """
        db = duckdb.connect()
        rules = {"a": ROOT / "rules", "b": self.rules}[which]
        changes = [event for event in self.sent if event["type"] == "customer.updated"]
        Reckoning(db, rules).run(self.folder / f"facts_{which}.parquet", changes, self.folder)
        for what in ("facts", "alerts"):
            db.execute(f"CREATE VIEW product_{what} AS FROM '{self.folder}/{what}_{which}.parquet'")
        return db


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(ROOT / "rules", tmp_path_factory.mktemp("oracle") / "rules")


def tried(world: World, rules: Path, seed: int, number: int = EVENTS) -> Tried:
    """The starter rules are active; those of the comparison are tried."""
    sent = Past(seed, BEGIN).events(number)
    taken = world.take(*sent)
    assert (taken.events, taken.dead) == (len(sent), 0)
    found = exported(world, rules, "export")
    return Tried(sent=sent, found=found, rules=rules, folder=world.folder / "export")


def exported(
    world: World, rules: Path, name: str, days: int = 90, processes: int = 1
) -> Comparison:
    other = build_rulebook(read_files(rules, ROOT / "templates"), starter_people())
    with world.app.ctx.db.read() as tx:
        active = world.app.ctx.shelf.active(tx)
    books = {"a": active.vocabulary.facts(), "b": other.vocabulary.facts()}
    begin = BEGIN - timedelta(days=days)
    with exporting(world.folder / name, books) as export:
        effort = Effort(processes=processes, keeping=export.keeping)
        return backtest(world.app.ctx, Extent(begin=begin), other, effort).found


@pytest.mark.parametrize("seed", SEEDS)
def test_duckdb_comes_to_the_same_facts_and_alerts(
    small_world: World, rules: Path, seed: int
) -> None:
    past = tried(small_world, rules, seed)
    assert_sent_is_exported(past)
    fired: Counter[str] = Counter()
    for which, tally in (("a", past.found.a), ("b", past.found.b)):
        db = past.reckoned(which)
        assert list(different_facts(db)) == []
        assert different_alerts(db) == {"missing": [], "extra": []}
        fired = Counter(
            dict(db.execute("SELECT rule, count(*) FROM alerts GROUP BY rule").fetchall())
        )
        assert tally is not None and fired == tally.by_rule
    print(f"{fired.total()} alerts of {len(fired)} rules about {len(past.sent)} events agree")
    assert len(fired) > 0.95 * len({**ANSWERED, **CALLED}), "silence agrees with anything"
    assert fired.total() > 3 * EVENTS


def assert_sent_is_exported(past: Tried) -> None:
    rows = duckdb.sql(
        f"""SELECT "event.source", "event.id", "event.type", CAST("event.time" AT TIME ZONE 'UTC' AS VARCHAR),
        "event.score", "event.comment", "event.outcome", "event.duration_seconds"
        FROM '{past.folder}/facts_b.parquet'"""  # noqa: E501
    ).fetchall()
    fields = ("score", "comment", "outcome", "duration_seconds")
    sent = {
        (e["source"], e["id"]): (
            e["type"],
            moment(e["time"]),
            *(e["data"].get(name) for name in fields),
        )
        for e in past.sent
    }
    assert {
        (source, id_): (kind, moment(time), *more) for source, id_, kind, time, *more in rows
    } == sent


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEGIN.tzinfo)


def different_facts(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Of every column: where the two differ, and one such event. Averages may, in their last
    digits.
    """
    types = dict(
        db.execute("SELECT column_name, column_type FROM (DESCRIBE product_facts)").fetchall()
    )
    ours = [name for (name,) in db.execute("SELECT column_name FROM (DESCRIBE facts)").fetchall()]
    both = [
        name
        for name in ours
        if name in types and name not in {"event.time", "event.source", "event.id"}
    ]
    others = {"whole", *SILENCE, *MOVES, "event.customer_id"}
    assert set(types) - set(ours) - VALUE_READS == others, "a column nobody compares"
    bought = " OR ".join(f'"{name}" IS NOT NULL' for name in sorted(VALUE_READS))
    if db.execute(f"SELECT count(*) FROM product_facts WHERE {bought}").fetchall() != [(0,)]:
        yield "value: nobody has bought anything"
    whole = [name.removeprefix("whole ") for name in ours if name.startswith("whole ")]
    pairs = {name: (f'p."{name}"', f'f."{name}"') for name in both}
    pairs |= {
        n: tuple(f"round(CAST({side} AS DOUBLE), 9)" for side in pairs[n])
        for n in both
        if types[n] == "DOUBLE"
    }
    pairs |= {
        f"whole {n}": (f"list_contains(p.whole, '{n}')", f'f."whole {n}" AND f."{n}" IS NOT NULL')
        for n in whole
    }
    for name, (theirs, our) in pairs.items():
        found = db.execute(
            f"""SELECT "event.id", CAST({theirs} AS VARCHAR), CAST({our} AS VARCHAR)
            FROM product_facts p FULL JOIN facts f USING ("event.source", "event.id")
            WHERE {theirs} IS DISTINCT FROM ({our}) ORDER BY ALL"""
        ).fetchall()
        if found:
            event, theirs_said, ours_said = found[0]
            yield (
                f"{name}: {len(found)} differ, event {event}: {theirs_said}, DuckDB says "
                f"{ours_said}"
            )


def different_alerts(db: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    columns = 'rule, "event.source", "event.id"'
    ask = "SELECT {columns} FROM {these} EXCEPT ALL SELECT {columns} FROM {those} ORDER BY ALL"
    return {
        "missing": db.execute(
            ask.format(columns=columns, these="alerts", those="product_alerts")
        ).fetchall(),
        "extra": db.execute(
            ask.format(columns=columns, these="product_alerts", those="alerts")
        ).fetchall(),
    }


@pytest.fixture
def short(small_world: World, rules: Path) -> Tried:
    return tried(small_world, rules, seed=1, number=300)


def test_several_processes_write_the_same_files(
    short: Tried, small_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerting.services.alerts.backtest.CHUNK", 1)
    exported(small_world, short.rules, "shared", processes=2)
    for name in EXPORTED:
        one, two = (
            duckdb.sql(f"FROM '{small_world.folder}/{part}/{name}.parquet'")
            for part in ("export", "shared")
        )
        assert one.shape == two.shape
        assert one.except_(two).fetchall() == []


def test_an_export_that_begins_later_holds_the_same_facts(short: Tried, small_world: World) -> None:
    exported(small_world, short.rules, "later", days=20)
    whole, later = (
        f"'{small_world.folder}/{part}/facts_b.parquet'" for part in ("export", "later")
    )
    begin = f"TIMESTAMPTZ '{BEGIN - timedelta(days=20)}'"
    expected, found = (
        duckdb.sql(f'FROM {whole} WHERE "event.time" >= {begin}'),
        duckdb.sql(f"FROM {later}"),
    )
    assert 0 < found.shape[0] == expected.shape[0] < len(short.sent)
    assert expected.except_(found).fetchall() == []


def test_the_command_writes_facts_and_alerts_that_can_be_joined(
    migrated: Run, installation: Path, own_world: World
) -> None:
    own_world.known_customers()
    time = (own_world.now() - timedelta(days=2)).isoformat()
    own_world.take(
        own_world.survey(score=3, id="it's", time=time, answers={"price": 3.0, "why": "late"})
    )
    done = migrated("rules", "backtest", "--facts", "figures")
    assert done.returncode == 0, done.stderr
    assert "Facts and alerts: figures" in done.stdout
    assert sorted(path.name for path in (installation / "figures").iterdir()) == [
        "alerts_a.parquet",
        "facts_a.parquet",
    ]
    (row,) = duckdb.sql(
        f"""SELECT rule, severity, mailed, "event.score", "customer.segment", "customer.revenue_with_us",
              "signal.calls_in_vain", "customer.tags", whole, "event.answers", epoch_ms("event.time")
        FROM '{installation}/figures/alerts_a.parquet'
        JOIN '{installation}/figures/facts_a.parquet' USING ("event.source", "event.id", "event.time")"""  # noqa: E501
    ).fetchall()
    assert row[:3] == (
        "key-account-unhappy",
        "critical",
        ["vp_sales", "office_berlin", "owner_north"],
    )
    assert row[3:8] == (3, "key", 1_240_000, 0, [])
    assert sorted(row[8]) == ["customer.revenue_with_us", "event.score"]
    assert json.loads(row[9]) == {"price": 3.0, "why": "late"} and '"price": 3.0' in row[9]
    assert row[10] == datetime.fromisoformat(time).timestamp() * 1000 // 1
    page = (ROOT / "docs" / "how-to" / "back-test-a-rule.md").read_text()
    (example,) = re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert duckdb.sql(example).fetchall() == [("key-account-unhappy", 1, 1)]
    none = migrated("rules", "backtest", "--facts", "figures", "--since", "1h", "--rules", "rules")
    assert none.returncode == 0, none.stderr
    for name in EXPORTED:
        assert duckdb.sql(f"FROM '{installation}/figures/{name}.parquet'").shape[0] == 0
    migrated("rules", "backtest", "--facts", "figures")
    assert not (installation / "figures" / "facts_b.parquet").exists(), "of an earlier back-test"


def test_without_duckdb_the_command_names_what_brings_it(
    migrated: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    done = migrated("rules", "backtest", "--facts", "figures")
    assert done.returncode == 1
    assert "pip install duckdb" in done.stderr
    assert migrated("rules", "backtest").returncode == 0
