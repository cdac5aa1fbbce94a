"""First and later starts: a demo's database, a broken rulebook."""

from collections.abc import Callable

import pytest

from tests.support.system.installer import Installer
from tests.support.system.rules import replace_in

pytestmark = pytest.mark.apache_kafka


def test_run_refuses_the_database_of_a_demo(install: Installer) -> None:
    place = install(kafka=False)
    place.sql("UPDATE instance SET kind = 'demo'")
    for roles in (["consume", "deliver", "follow-up"], ["all"]):
        refused = place.cli("run", *roles)
        assert refused.returncode == 2
        assert "this database was made by `alerting demo`" in refused.stderr


def test_a_broken_rulebook_stops_the_first_start_with_all_errors_and_no_event_is_lost(
    install: Installer, new_database: Callable[[], str]
) -> None:
    place = install()
    place.database = place.environment["ALERTING_DATABASE_URL"] = new_database()
    rules = place.folder / "rules"
    condition = replace_in(
        rules / "escalations/key_accounts.yaml", "sentiment = 'negative'", "sentimnt = 'negative'"
    )
    person = replace_in(
        rules / "routing.yaml", "vp_sales: {person: vp_sales}", "vp_sales: {person: vp_sale}"
    )
    duration = replace_in(rules / "sla.yaml", "within: 24h", "within: 24 hours")
    failed = place.cli("migrate")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert f"rules/escalations/key_accounts.yaml:{condition}:" in failed.stderr
    assert "did you mean 'sentiment'?" in failed.stderr
    assert f"rules/routing.yaml:{person}:" in failed.stderr
    assert "did you mean 'vp_sales'?" in failed.stderr
    assert f"rules/sla.yaml:{duration}:" in failed.stderr
    assert "write 30m, 24h or 7d" in failed.stderr
    assert "3 problems" in failed.stderr
    place.survey("waits-for-a-rulebook")
    place.flush()
    refused = place.cli("run", "consume")
    assert refused.returncode == 1
    assert "no rulebook is active; run `alerting rules activate` first" in refused.stderr
    replace_in(rules / "escalations/key_accounts.yaml", "sentimnt", "sentiment")
    replace_in(rules / "routing.yaml", "person: vp_sale}", "person: vp_sales}")
    replace_in(rules / "sla.yaml", "24 hours", "24h")
    mended = place.cli("rules", "activate")
    assert mended.returncode == 0, mended.stderr
    place.run("consume")
    place.wait_for_events(1)
    assert place.count("dead_letter") == 0


def test_a_broken_rules_folder_does_not_stop_a_later_start(install: Installer) -> None:
    place = install()
    replace_in(place.folder / "rules/sla.yaml", "within: 24h", "within: 24 hours")
    place.run("all")
    place.survey("as-before")
    place.flush()
    place.wait_for_sent(1)
