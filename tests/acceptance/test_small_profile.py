"""The small profile of the compose file, run by hand on PostgreSQL alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.support.compose import OURS, make_secrets
from tests.support.services.process import free_port
from tests.support.services.smtp import SmtpServer
from tests.support.system.events import envelope, survey
from tests.support.system.installation import ADMIN_TOKEN, INGEST_KEY, Installation
from tests.support.system.mails import told
from tests.support.system.rules import copy_rules


def test_the_small_profile_runs_on_postgresql_alone_and_mails_go_out_at_once_and_when_nobody_acts(
    tmp_path: Path, new_database: Callable[[], str], start_smtp: Callable[..., SmtpServer]
) -> None:
    """Its command in its environment; only addresses, and a go_live before whatever date this
    machine shows, are ours.
    """
    owner, smtp, port = new_database(), start_smtp("none"), free_port()
    database = lesser_role(owner)
    secrets = secrets_in(tmp_path, owner, database)
    rules = copy_rules(tmp_path)
    ours = {
        "ALERTING_DATA": str(tmp_path / "data"),
        "ALERTING_RULES": str(rules),
        "ALERTING_TEMPLATES": str(rules.with_name("templates")),
        "ALERTING_SMTP_HOST": smtp.host,
        "ALERTING_SMTP_PORT": str(smtp.port),
        "ALERTING_LISTEN": f"127.0.0.1:{port}",
        "ALERTING_BASE_URL": f"http://127.0.0.1:{port}",
    }
    place = Installation(
        folder=tmp_path,
        broker=None,
        smtp=smtp,
        environment=environment_of("small", secrets) | ours,
        database=database,
    )
    role = {"ALERTING_DATABASE_ROLE": make_url(database).username or ""}
    first = environment_of("migrate", secrets) | ours | role
    try:
        done = place.cli(*OURS["migrate"]["command"], **first)
        assert done.returncode == 0, done.stderr
        assert "nothing to the audit but add to it" in done.stdout
        place.wait_for_web(place.run(*OURS["small"]["command"][1:]))
        check_mails_at_once_and_when_nobody_acts(place)
        assert place.http("/readyz")[0] == 200
    finally:
        place.stop()
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
        for act in (
            "UPDATE audit_entry SET actor = 'x'",
            "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
            "DELETE FROM audit_seal",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(act)


def secrets_in(folder: Path, owner: str, database: str) -> Path:
    """The secrets a machine has before and after scripts/make-secrets."""
    secrets = folder / "secrets"
    secrets.mkdir()
    given = {
        "owner_url": owner,
        "database_url": database,
        "admin_token": ADMIN_TOKEN,
        "ingest_keys": INGEST_KEY,
    }
    for name, text in given.items():
        (secrets / name).write_text(text)
    make_secrets(secrets)
    return secrets


def environment_of(service: str, secrets: Path) -> dict[str, str]:
    given = OURS[service]["environment"]
    return {name: value.replace("/run/secrets", str(secrets)) for name, value in given.items()}


def check_mails_at_once_and_when_nobody_acts(place: Installation) -> None:
    almost_four_hours_ago = (datetime.now(UTC) - timedelta(hours=4, seconds=-5)).isoformat()
    acme = envelope(
        "customer.updated", {"customer_id": "ACME-AERO", "name": "Acme Aerospace", "country": "DE"}
    )
    answer = survey("ACME-AERO", time=almost_four_hours_ago)
    assert place.http("/v1/events", [acme, answer])[0] == 202
    place.wait_for_sent(4)
    mails = told(place.smtp.wait_for(4))
    assert all("Acme Aerospace" in words for _, words in mails), mails
    assert [words.split()[:2] for who, words in mails if who == "vp.sales"] == [
        ["Call", "Acme"],
        ["Will", "you"],
    ]


def lesser_role(owner: str) -> str:
    """The URL of a role that may do nothing yet, as scripts/postgres-role makes it."""
    role = f"role_{make_url(owner).database}"
    with psycopg.connect(owner.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP ROLE IF EXISTS {role}")
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{role}'")
    return make_url(owner).set(username=role, password=role).render_as_string(hide_password=False)
