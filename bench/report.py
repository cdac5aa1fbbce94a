"""The report over a million closed cases on PostgreSQL: under five seconds.

Run by `make bench`; filling the database, by SQL alone, takes some minutes and does not count.
"""

import os
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from alerting.bootstrap import App
from alerting.database.engine import Transaction
from alerting.services.reports.report import as_json, report
from bench.backtest import installation
from bench.measuring import verdict, where_and_what
from tests.support.services import postgres

CASES = int(os.environ.get("BENCH_CASES", "1000000"))
SECONDS = 5.0
ROUNDS = 3
BUFFERS = "2GB"
"""What docs/how-to/read-the-report.md advises for so many cases: a quarter of 8 GB of memory."""

FILL = (
    """INSERT INTO customer (key, first_seen_at)
       SELECT 'C' || n, now() - interval '400 days' FROM generate_series(1, :cases / 10) AS n""",
    """INSERT INTO customer_version (customer_key, valid_from, recorded_at, source, event_id, changes, state)
       SELECT 'C' || n, now() - interval '400 days', now(), '/crm', 'c' || n, '{}', jsonb_build_object('name', 'Invented ' || n,
         'country', (ARRAY['DE', 'AT', 'FR', 'US', 'PL', 'IT'])[1 + n % 6]) FROM generate_series(1, :cases / 10) AS n""",  # noqa: E501
    """INSERT INTO event (source, id, type, time, received_at, recorded_at, customer_key, digest, payload, sentiment, raw, place,
         clamped, rulebook)
       SELECT '/forms/' || n % 3, 'a' || n, 'survey.answered', t, t + interval '1 second', t + interval '2 seconds',
         'C' || 1 + n % (:cases / 10), md5(n::text), jsonb_build_object('metric', 'nps', 'score', n % 7, 'survey_id', 'relationship',
         'comment', 'It still leaks, ' || md5(n::text)), 'negative', convert_to(repeat(md5(n::text), 10), 'UTF8'),
         'surveys-0@' || n, false, ''
       FROM (SELECT n, now() - interval '365 days' + n * interval '360 days' / :cases AS t
             FROM generate_series(1, :cases) AS n) AS made""",  # noqa: E501
    """INSERT INTO case_file (customer_key, cycle, status, severity, segment, territory, rule, policy, caller, fixer, informed,
         assignment, customer_sent_at, received_at, opened_at, acknowledged_at, contacted_at, answered_until,
         cause_removed_at, resolved_at, root_cause, waits, revision)
       SELECT customer_key, 1, 'resolved', 'high', (ARRAY['key', 'high_potential', 'low_potential', 'unverified'])[1 + seq % 4],
         (ARRAY['DE', 'AT', 'FR', 'US', 'PL', 'IT'])[1 + seq % 6], 'rule-' || seq % 12, 'call_in_24h',
         'person_' || seq % 40, 'office_' || seq % 7, '[]', 1, time, received_at, recorded_at,
         time + interval '20 minutes', time + interval '30 minutes' + random() * interval '26 hours', time,
         time + interval '2 days', time + interval '2 days', 'part',
         '[]', 1
       FROM event ORDER BY seq""",  # noqa: E501
    """INSERT INTO alert (event_seq, rule, revision, state, customer_key, segment, territory, severity, rulebook, because, people,
         signals, case_id, raised_at)
       SELECT e.seq, c.rule, 1, 'raised', c.customer_key, c.segment, c.territory, c.severity, '',
         '[{"name": "gave a negative answer", "sql": "sentiment = ''negative''", "reads": {"sentiment": "negative"}}]',
         '[{"duty": "caller", "role": "vp_sales", "party": "vp_sales", "why": []}]', '{}', c.id, c.opened_at
       FROM event e JOIN case_file c ON c.id = e.seq""",  # noqa: E501
    """INSERT INTO clock (case_id, cycle, kind, plan, "by", policy, party, started_at, due_at, stopped_at, missed_at, rulebook,
         calendar, "within", pauses, felt, worked)
       SELECT id, 1, kind, 1, who, policy, CASE who WHEN 'caller' THEN caller ELSE fixer END, customer_sent_at,
         customer_sent_at + hours * interval '1 hour', customer_sent_at + felt, NULL, '', 'always', hours || 'h', '[]',
         (extract(epoch FROM felt) * 1000000)::bigint, (extract(epoch FROM felt) * 1000000)::bigint
       FROM (SELECT *, hours * (0.1 + random()) * interval '1 hour' AS felt FROM case_file CROSS JOIN (VALUES
         ('acknowledge', 'caller', 4), ('contact', 'caller', 24), ('resolve', 'fixer', 168)) AS k(kind, who, hours)
         ) AS made
       ORDER BY id""",  # noqa: E501
    """INSERT INTO contact_attempt (case_id, cycle, "by", channel, outcome, reached, happened_at, recorded_at, note, grade)
       SELECT id, 1, caller, 'phone', 'reached', true, contacted_at, contacted_at + random() * interval '3 hours', '',
         CASE id % 2 WHEN 0 THEN 'phone log' END
       FROM case_file ORDER BY id""",  # noqa: E501
    """INSERT INTO event (source, id, type, time, received_at, recorded_at, customer_key, digest, payload, raw, place, clamped,
         rulebook)
       SELECT '/pbx', 'p' || id, 'interaction.recorded', contacted_at + interval '1 minute', contacted_at, contacted_at, customer_key,
         md5(id::text), '{"channel": "phone", "direction": "outbound", "outcome": "resolved", "duration_seconds": 300}',
         convert_to(repeat(md5(id::text), 8), 'UTF8'), 'interactions-0@' || id, false, ''
       FROM case_file WHERE id % 2 = 0""",  # noqa: E501
)
"""A year of cases: three clocks in each, as the starter rules give key accounts; one contact each,
half of them in the phone system's log.
"""


def fill(tx: Transaction) -> None:
    for statement in FILL:
        tx.execute(sa.text(statement), {"cases": CASES})


def measure(app: App) -> float:
    """The median of some rounds, in seconds."""
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        as_json(report(app.ctx))
        took.append(time.perf_counter() - begun)
    return sorted(took)[ROUNDS // 2]


def main() -> None:
    print(where_and_what())
    postgres.SETTINGS["shared_buffers"] = BUFFERS
    server = postgres.PostgresServer()
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            app = installation(Path(folder), server.new_database())
            with app.ctx.db.write() as tx:
                fill(tx)
            with app.ctx.db.engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            ) as connection:
                connection.execute(sa.text("VACUUM ANALYZE"))
            found = measure(app)
            app.close()
    finally:
        server.discard()
    about = f"{CASES:,} closed cases, shared_buffers {BUFFERS}"
    print(
        f"{about}: {found:.1f} s; asked for {SECONDS:.0f} s of a million: "
        f"{verdict(found <= SECONDS)}"
    )


if __name__ == "__main__":
    main()
