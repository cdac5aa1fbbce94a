"""The databases: migrations from empty and without drift, transactions, time."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, select, text

from alerting.database import instance
from alerting.database.customers import customers
from alerting.database.engine import Database
from alerting.database.migrate import is_current, migrate
from alerting.database.tables import customer, metadata
from alerting.database.types import Instant


def test_migrations_build_from_empty_exactly_the_tables_of_the_code(database_url: str) -> None:
    db = Database(database_url)
    assert not is_current(db)
    migrate(db)
    migrate(db)
    assert is_current(db)
    with db.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx.connection), metadata) == []
        assert set(metadata.tables) <= set(inspect(tx.connection).get_table_names())
    db.close()


def test_two_processes_may_migrate_at_once(database_url: str) -> None:
    failures: list[Exception] = []

    def work() -> None:
        db = Database(database_url)
        try:
            db.retrying(lambda: migrate(db))
        except Exception as error:
            failures.append(error)
        finally:
            db.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.fixture
def db(database_url: str) -> Database:
    made = Database(database_url)
    migrate(made)
    return made


def test_instants_come_back_to_the_microsecond_in_utc_and_need_a_zone(db: Database) -> None:
    moment = datetime(2026, 3, 29, 3, 0, 0, 123456, tzinfo=UTC) + timedelta(hours=1)
    with db.write() as tx:
        customers.lock_customers(tx, ["x"], moment)
        assert tx.execute(select(customer.c.first_seen_at)).scalar_one() == moment
    with pytest.raises(ValueError, match="time zone"):
        Instant().process_bind_param(datetime(2026, 1, 1), tx.connection.dialect)  # noqa: DTZ001
    db.close()


def test_only_a_demos_clock_can_be_moved(db: Database) -> None:
    with db.write() as tx:
        instance.begin_instance(tx, "production", tx.now())
    with db.write() as tx, pytest.raises(RuntimeError, match="demo"):
        instance.move_demo_clock(tx, timedelta(days=1))
    with db.read() as tx:
        assert abs(tx.now() - datetime.now(UTC)) < timedelta(minutes=1)
    db.close()


def test_whoever_holds_a_customer_keeps_others_out_until_the_commit(db: Database) -> None:
    """Two use cases read, decide and write; neither may miss what the other wrote."""
    order: list[str] = []
    first_has_it, both_done = threading.Event(), []

    def second() -> None:
        first_has_it.wait()
        with db.write() as tx:
            customers.lock_customers(tx, ["a", "b"])
            order.append("second")
        both_done.append(True)

    thread = threading.Thread(target=second)
    thread.start()
    with db.write() as tx:
        customers.lock_customers(tx, ["b", "a"])
        first_has_it.set()
        thread.join(timeout=0.3)
        assert not both_done
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    db.close()


def test_nothing_of_a_failed_transaction_stays(db: Database) -> None:

    def fails() -> None:
        with db.write() as tx:
            customers.lock_customers(tx, ["gone"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with db.read() as tx:
        assert tx.execute(select(customer)).all() == []
    db.close()


def test_what_a_statement_was_given_never_stands_in_its_error(db: Database) -> None:
    with pytest.raises(Exception, match="no_such_table") as caught, db.read() as tx:
        tx.execute(text("SELECT :words FROM no_such_table"), {"words": "a customer's words"})
    shown = f"{caught.value} {caught.value.__cause__}"
    assert "no_such_table" in shown
    assert "a customer's words" not in shown
    db.close()
