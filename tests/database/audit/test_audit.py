"""The sealed audit: what happened is sealed whole, exported, and verifies after forgetting."""

import json
import random
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError

from alerting.bootstrap import forget
from alerting.cli import main
from alerting.database.engine import Database
from alerting.database.grants import ONLY_ADDED_TO, grant_rights
from alerting.database.tables import event
from alerting.domain.audit.audit_file import check_file
from alerting.domain.audit.seals import Head
from alerting.domain.errors import DatabaseUnavailable, SettingsInvalid
from alerting.domain.intake.payloads import Respondent, address_key
from alerting.services.audit.seal import seal_all
from alerting.services.intake.match_respondents import assign_answer
from tests.support.audit import by_force, exported, verified
from tests.support.installation import Run
from tests.support.world import World


def test_what_happened_is_sealed_whole_and_what_came_since_is_counted(told: World) -> None:
    found = verified(told)
    assert (found.problems, found.unsealed, found.erased) == ([], 0, 0)
    assert found.sealed == found.head.seq > 5
    assert found.values > 0
    told.take(told.survey("ALPENWERK"))
    assert verified(told).unsealed > 0
    sealed = seal_all(told.app.ctx)
    assert (verified(told).sealed, verified(told).unsealed) == (found.sealed + sealed, 0)
    assert seal_all(told.app.ctx) == 0


def test_the_audit_still_verifies_after_forgetting(told: World) -> None:
    before = verified(told)
    forget(told.app, "ACME-AERO", "the data protection officer")
    seal_all(told.app.ctx)
    after = verified(told, before.head)
    assert after.problems == []
    assert after.erased > 0
    assert after.values < before.values


@pytest.mark.parametrize("table", ["audit_entry", "audit_seal"])
@pytest.mark.parametrize("act", ["DELETE FROM {}", "UPDATE {} SET {}"])
def test_the_database_refuses_to_change_the_audit(told: World, table: str, act: str) -> None:
    change = {"audit_entry": "actor = 'x'", "audit_seal": "hash = 'x'"}[table]
    with (
        pytest.raises(DBAPIError, match="the audit is never changed"),
        told.app.ctx.db.write() as tx,
    ):
        tx.execute(text(act.format(table, change)))
    assert verified(told).problems == []


def test_the_words_of_strangers_who_turned_out_to_be_customers_verify_after_forgetting(
    world: World,
) -> None:
    """One whose case went along, one whose alert was withdrawn for the customer's own, and one
    forgotten as a stranger.
    """
    world.known_customers()
    me = {"email": "zach@secret.example"}
    for customer, score in (("ALPENWERK", 2), ("KIOSK-7", 3)):
        world.take(world.survey(customer, score=score))
    for respondent in (me, {"email": "zoe@secret.example"}, {"email": "gone@secret.example"}):
        world.take(world.survey(None, score=2, respondent=respondent, comment="Nobody calls."))
    world.deliver()
    forget(world.app, address_key(Respondent(email="gone@secret.example")), "dpo")
    seqs = {
        row.customer_key: row.seq
        for row in world.rows(select(event))
        if row.customer_key.startswith("respondent")
    }
    for address, customer in (("zach", "ACME-AERO"), ("zoe", "ALPENWERK"), ("gone", "KIOSK-7")):
        key = address_key(Respondent(email=f"{address}@secret.example"))
        assign_answer(world.app.ctx, seqs[key], customer, "ann")
    seal_all(world.app.ctx)
    assert verified(world).problems == []
    for customer in ("ACME-AERO", "ALPENWERK"):
        forget(world.app, customer, "dpo")
        seal_all(world.app.ctx)
        assert verified(world).problems == []
    assert verified(world).erased > 3


def test_several_may_seal_at_once(world: World) -> None:
    world.known_customers()
    world.take(*(world.survey("ACME-AERO") for _ in range(20)))
    threads = [threading.Thread(target=seal_all, args=(world.app.ctx,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verified(world)
    assert (found.problems, found.unsealed) == ([], 0)


def test_an_export_is_checked_without_the_database(told: World) -> None:
    lines = exported(told)
    head, problems = check_file(lines)
    assert (head, problems) == (verified(told).head, [])
    assert check_file(lines, [head, Head(seq=2, hash=json.loads(lines[2])["hash"])])[1] == []
    assert "Ada Example" not in b"".join(lines).decode()
    assert check_file([])[1] == [
        "the file ends at line 0 without its closing line: something is cut off"
    ]


def test_the_commands_say_what_they_found(told: World, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    with file.open("wb") as out:
        out.writelines(exported(told))
    fine = CliRunner().invoke(main, ["audit", "verify", str(file)])
    assert fine.exit_code == 0
    assert (
        "audit.jsonl:" in fine.output and "Nothing was altered, nothing is missing." in fine.output
    )
    head = verified(told).head
    assert (
        CliRunner()
        .invoke(main, ["audit", "verify", str(file), "--checkpoint", str(head)])
        .exit_code
        == 0
    )
    raw = file.read_bytes()
    file.write_bytes(raw.replace(b"vp_sales", b"vp_soles", 1))
    wrong = CliRunner().invoke(main, ["audit", "verify", str(file)])
    assert wrong.exit_code == 1
    assert "was altered" in wrong.output and "NOT as it was sealed." in wrong.output
    found = json.loads(CliRunner().invoke(main, ["audit", "verify", str(file), "--json"]).output)
    assert found["problems"] and found["head"].startswith(f"{head.seq}:")


@pytest.mark.parametrize("world", ["postgresql"], indirect=True)
def test_on_postgresql_the_role_of_the_processes_needs_no_right_to_change_the_audit(
    told: World,
) -> None:
    name = f"processes_{random.getrandbits(32):08x}"
    by_force(told, f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")  # and without the triggers
    with told.app.ctx.db.write() as tx:
        grant_rights(tx, name)
        for unfit, why in (
            ("nobody_such", "does not exist"),
            (told.app.ctx.db.engine.url.username, "owns the tables"),
        ):
            with pytest.raises(SettingsInvalid, match=why):
                grant_rights(tx, unfit)
    url = make_url(told.app.ctx.db.url).set(username=name, password=name)
    lesser = Database(url.render_as_string(hide_password=False))
    as_role = replace(told, app=replace(told.app, ctx=replace(told.app.ctx, db=lesser)))
    as_role.take(as_role.survey("ALPENWERK"))
    as_role.deliver()
    assert seal_all(as_role.app.ctx) > 0
    assert (verified(as_role).problems, verified(as_role).unsealed) == ([], 0)
    for table in ONLY_ADDED_TO:
        for act in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with (
                pytest.raises(DatabaseUnavailable, match="permission denied"),
                lesser.write() as tx,
            ):
                tx.execute(text(act))
    lesser.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("sample", "--period", "2026-03", "--out", "x.pdf"),
            "write .html; a browser prints it, also into a PDF",
        ),
        (
            ("sample", "--period", "2026-03", "--out", "none/x.html"),
            "none/x.html cannot be written: No such file",
        ),
        (
            ("sample", "--period", "2026-03", "--seed", "\udc80"),
            "Invalid value for '--seed': is no text in UTF-8",
        ),
        (
            ("export", "none/audit.jsonl"),
            "none/audit.jsonl cannot be written: No such file or directory; name a file",
        ),
    ],
)
def test_what_cannot_be_written_is_said(
    migrated: Run, arguments: tuple[str, ...], said: str
) -> None:
    done = migrated("audit", *arguments)
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert not list(Path().glob("*.part"))


def test_an_export_of_an_altered_audit_says_so(migrated: Run, own_world: World) -> None:
    assert migrated("audit", "export", "audit.jsonl").returncode == 0
    by_force(own_world, "UPDATE audit_seal SET hash = prev WHERE seq = 1")
    done = migrated("audit", "export", "audit.jsonl")
    assert (done.returncode, "entry 1 (seal 1) was altered" in done.stderr) == (1, True)
    by_force(own_world, "DELETE FROM audit_head")
    done = migrated("audit", "export", "audit.jsonl")
    assert (done.returncode, "error: the noted end of the chain is gone" in done.stderr) == (
        1,
        True,
    )
