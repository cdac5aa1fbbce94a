"""The sealed audit: what happened cannot be changed unnoticed, in the database or in an export."""

import hashlib
import json
import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError

from alerting.adapters.pages import Pages
from alerting.bootstrap import forget
from alerting.cli import main
from alerting.database.engine import Database
from alerting.database.grants import ONLY_ADDED_TO, grant_rights
from alerting.database.tables import audit_checkpoint, audit_entry, audit_seal, event, party_fact
from alerting.domain.audit.audit_file import check_file, lines_of
from alerting.domain.audit.seals import GENESIS, Head, Seal, canonical, read_head, seal_after
from alerting.domain.errors import ActionRefused, ChainBroken, DatabaseUnavailable, SettingsInvalid
from alerting.domain.intake.payloads import Respondent, address_key
from alerting.services.audit.sample import draw_sample
from alerting.services.audit.seal import Verified, export, hand_out_checkpoint, seal_all, verify
from alerting.services.intake.match_respondents import assign_answer
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import ROOT, changed, unhurried
from tests.support.installation import Run
from tests.support.world import World, recipients


@pytest.fixture
def told(world: World) -> World:
    """A story with cases, calls and personal words, sealed."""
    world.known_customers()
    world.take(world.survey("ACME-AERO"), world.survey("KIOSK-7", score=3))
    world.deliver()
    world.reached("ACME-AERO", "vp_sales")
    assert seal_all(world.app.ctx) > 5
    return world


def verified(world: World, *known: Head) -> Verified:
    return verify(world.app.ctx, known)


def by_force(world: World, *statements: str) -> None:
    """As somebody who owns the database may."""
    with world.app.ctx.db.write() as tx:
        for table in ("audit_entry", "audit_seal", "audit_checkpoint"):
            if tx.is_postgresql:
                tx.execute(text(f"DROP TRIGGER IF EXISTS {table}_stays ON {table}"))
            else:
                for act in ("update", "delete"):
                    tx.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{act}"))
        for statement in statements:
            tx.execute(text(statement))


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


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE audit_entry SET actor = 'somebody' WHERE id = 3",
            "entry 3 (seal 3): the column actor does not say",
        ),
        (
            "UPDATE audit_entry SET subject_id = '99' WHERE id = 3",
            "the column subject does not say",
        ),
        ("UPDATE audit_entry SET recorded_at = happened_at WHERE id = 3 AND 1 = 0", None),
        ("UPDATE audit_seal SET hash = prev WHERE seq = 4", "entry 4 (seal 4) was altered"),
        ("UPDATE audit_seal SET entry_id = 9999 WHERE seq = 2", None),
        ("DELETE FROM audit_seal WHERE seq = 3", "seal 3 is missing: 4 follows 2"),
        ("UPDATE personal_value SET value = 'He was happy.'", "is not what was committed to"),
        ("DELETE FROM personal_key", "is gone, and its value is not"),
        ("UPDATE personal_value SET name = 'invented'", "invented was added later"),
    ],
)
def test_whatever_is_altered_by_force_is_found(
    told: World, statement: str, said: str | None
) -> None:
    try:
        by_force(told, statement)
    except DBAPIError:
        assert said is None  # a foreign key is in the way
        return
    problems = verified(told).problems
    assert any(said in problem for problem in problems) if said else problems == [], problems


def test_altered_bytes_and_entries_that_are_gone_are_found(told: World) -> None:
    body = bytes(told.rows(text("SELECT body FROM audit_entry WHERE id = 2"))[0].body)  # type: ignore[arg-type]
    assert b'"version":1' in body
    forged = body.replace(b'"version":1', b'"version":2').hex()
    value = (
        f"'\\x{forged}'::bytea" if told.app.ctx.db.url.startswith("postgresql") else f"X'{forged}'"
    )
    by_force(told, f"UPDATE audit_entry SET body = {value} WHERE id = 2")
    assert verified(told).problems == ["entry 2 (seal 2) was altered"]


def test_a_chain_that_was_cut_or_made_anew_does_not_fit_what_was_handed_out(told: World) -> None:
    head = verified(told).head
    cut = f"DELETE FROM audit_seal WHERE seq = {head.seq}"
    by_force(told, cut)
    assert verified(told).problems == [
        f"the chain ends at seal {head.seq - 1}, the stored head knows seal {head.seq}",
        "1 entry has no seal and does not wait for one: added, or its seal removed",
    ]
    by_force(
        told,
        "DELETE FROM audit_seal",
        "INSERT INTO audit_unsealed SELECT id FROM audit_entry",
        "DELETE FROM audit_head",
    )
    by_force(
        told,
        "DELETE FROM audit_unsealed WHERE entry_id = 1",
        "DELETE FROM personal_value WHERE entry_id = 1",
        "DELETE FROM audit_entry WHERE id = 1",
    )
    seal_all(told.app.ctx)
    assert verified(told).problems == []  # nobody can tell from the database alone
    assert verified(told, head).problems == [
        f"the chain ends at seal {head.seq - 1}, the checkpoint knows seal {head.seq}"
    ]
    other = Head(seq=3, hash=GENESIS)
    assert verified(told, other).problems == ["seal 3 is not the one the checkpoint knows"]


SET_BACK = "UPDATE audit_head SET seq = 2, hash = (SELECT hash FROM audit_seal WHERE seq = 2)"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (SET_BACK, "the noted end of the chain is seal 2, and there are seals beyond it, up to"),
        ("DELETE FROM audit_head", "the noted end of the chain is gone, and there are seals up to"),
        (
            "UPDATE audit_head SET hash = '0'",
            "is not the one that is noted as the end of the chain",
        ),
        ("UPDATE audit_head SET seq = 9999", "the stored head knows seal 9999"),
    ],
)
def test_the_end_of_the_chain_is_its_newest_seal_whatever_is_noted(
    told: World, tmp_path: Path, statement: str, said: str
) -> None:
    before = verified(told)
    by_force(told, statement)
    found = verified(told)
    assert [problem for problem in found.problems if said in problem] == found.problems != []
    assert (found.sealed, found.unsealed, found.head) == (before.sealed, 0, before.head)
    with pytest.raises(ChainBroken, match=said):
        exported(told)
    told.take(told.survey("ALPENWERK"))  # the product goes on, and seals nothing on top of it
    with pytest.raises(ChainBroken, match=said):
        seal_all(told.app.ctx)
    drawn = draw_sample(
        told.app.ctx, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), 2, "dice"
    )
    assert drawn.verified.problems == found.problems
    by_force(  # as docs/how-to/troubleshoot.md says
        told,
        "DELETE FROM audit_head",
        "INSERT INTO audit_head SELECT 1, seq, hash FROM audit_seal ORDER BY seq DESC LIMIT 1",
    )
    assert seal_all(told.app.ctx) > 0
    assert verified(told).problems == []


def test_what_was_altered_beyond_a_head_that_was_set_back_is_found(told: World) -> None:
    by_force(told, SET_BACK, "UPDATE audit_entry SET actor = 'somebody' WHERE id = 5")
    assert (
        "entry 5 (seal 5): the column actor does not say what the sealed entry says"
        in verified(told).problems
    )


def test_an_entry_that_was_put_before_the_chain_is_found(told: World) -> None:
    by_force(
        told,
        "INSERT INTO audit_entry SELECT -5, happened_at, recorded_at, actor, action, subject_kind, "
        "subject_id, body "
        "FROM audit_entry WHERE id = 3",
        "INSERT INTO audit_seal SELECT -5, -5, prev, hash, sealed_at FROM audit_seal WHERE seq = 3",
    )
    assert "seal 1 is missing: -5 follows 0" in verified(told).problems


def test_an_entry_that_was_added_by_hand_is_found(told: World) -> None:
    by_force(
        told,
        "INSERT INTO audit_entry SELECT 9999, happened_at, recorded_at, actor, action, "
        "subject_kind, subject_id, body "
        "FROM audit_entry WHERE id = 3",
    )
    assert (verified(told).problems, verified(told).unsealed) == (
        ["1 entry has no seal and does not wait for one: added, or its seal removed"],
        1,
    )


def test_a_personal_value_is_only_gone_where_the_customer_was_forgotten(told: World) -> None:
    by_force(told, "DELETE FROM personal_value WHERE customer_key = 'KIOSK-7'")
    problems = verified(told).problems
    assert problems and all(
        "is gone, and its customer was not forgotten" in problem for problem in problems
    )
    by_force(
        told,
        "DELETE FROM personal_key WHERE customer_key = 'KIOSK-7'",
        "INSERT INTO forgotten SELECT 'KIOSK-7', time, recorded_at FROM event WHERE seq = 1",
    )
    assert verified(told).problems == problems  # a wish that is not in the audit is none
    forget(told.app, "KIOSK-7", "the data protection officer")
    assert (verified(told).problems, verified(told).erased) == ([], len(problems))


def test_what_was_said_since_a_forgetting_may_only_go_by_another(told: World) -> None:
    forget(told.app, "ACME-AERO", "dpo")
    told.pass_time(minutes=5)
    told.take(told.survey("ACME-AERO", comment="Here I am again."))
    seal_all(told.app.ctx)
    erased = verified(told).erased
    by_force(told, "DELETE FROM personal_value WHERE customer_key = 'ACME-AERO'")
    assert any(
        "is gone, and its customer was not forgotten" in problem
        for problem in verified(told).problems
    )
    told.pass_time(minutes=5)  # what comes late of the time before erases all of it, once more
    told.take(told.survey("ACME-AERO", time=(told.now() - timedelta(hours=2)).isoformat()))
    seal_all(told.app.ctx)
    assert verified(told).problems == []
    assert verified(told).erased > erased


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


def test_entries_that_were_sealed_anew_and_say_nothing_are_named(told: World) -> None:
    entries = told.rows(
        select(audit_seal.c.entry_id, audit_entry.c.body)
        .join(audit_entry)
        .order_by(audit_seal.c.seq)
    )
    statements, head = [], Head()
    for row in entries:
        body = {3: b"{}", 4: b"nonsense", 5: b'{"personal": []}'}.get(row.entry_id, bytes(row.body))
        seal = seal_after(head, row.entry_id, body)
        value = (
            f"'\\x{body.hex()}'::bytea"
            if told.app.ctx.db.url.startswith("postgresql")
            else f"X'{body.hex()}'"
        )
        statements.append(
            f"UPDATE audit_seal SET prev = '{seal.prev}', hash = '{seal.hash}' WHERE seq = "
            f"{seal.seq}"
        )
        statements.append(f"UPDATE audit_entry SET body = {value} WHERE id = {row.entry_id}")
        head = Head(seq=seal.seq, hash=seal.hash)
    by_force(told, *statements, f"UPDATE audit_head SET hash = '{head.hash}'")
    assert verified(told).problems == [
        f"entry {n} (seal {n}) is none that we wrote: it was altered and sealed again"
        for n in (3, 4, 5)
    ]


@pytest.mark.parametrize("body", ["X'7b7d'", "X'ff'", "CAST(body AS TEXT)"])
@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
def test_evidence_can_be_drawn_whatever_was_made_of_an_entry(told: World, body: str) -> None:
    by_force(
        told, f"UPDATE audit_entry SET body = {body} WHERE subject_kind = 'case' AND id % 2 = 0"
    )
    drawn = draw_sample(
        told.app.ctx, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), 2, "dice"
    )
    assert bool(drawn.verified.problems) == body.startswith(
        "X"
    )  # a text of the same bytes says the same
    assert all(evidence.moments for evidence in drawn.cases)


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
def test_a_text_in_place_of_the_bytes_is_an_altered_entry(told: World) -> None:
    by_force(
        told,
        "UPDATE audit_entry SET body = replace(CAST(body AS TEXT), '2026', '2025') WHERE id = 3",
    )
    assert verified(told).problems == ["entry 3 (seal 3) was altered"]
    assert "line 4: entry 3 (seal 3) was altered" in check_file(exported(told))[1]
    by_force(told, "UPDATE audit_entry SET body = X'ff' WHERE id = 3")
    assert verified(told).problems == ["entry 3 (seal 3) was altered"]
    assert "line 4: entry 3 (seal 3) was altered" in check_file(exported(told))[1]


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


# Exports


def exported(world: World) -> list[bytes]:
    return list(export(world.app.ctx))


def test_an_export_is_checked_without_the_database(told: World) -> None:
    lines = exported(told)
    head, problems = check_file(lines)
    assert (head, problems) == (verified(told).head, [])
    assert check_file(lines, [head, Head(seq=2, hash=json.loads(lines[2])["hash"])])[1] == []
    assert "Ada Example" not in b"".join(lines).decode()
    assert check_file([])[1] == [
        "the file ends at line 0 without its closing line: something is cut off"
    ]


def chain(bodies: list[bytes]) -> list[tuple[Seal, bytes]]:
    found, head = [], Head()
    for number, body in enumerate(bodies, 1):
        seal = seal_after(head, number, body)
        found.append((seal, body))
        head = Head(seq=seal.seq, hash=seal.hash)
    return found


BODIES = [
    canonical({"version": 1, "action": f"case.{n}", "facts": {"words": "Grüße 🚲\n", "n": n}})
    for n in range(12)
]
WHOLE = list(lines_of(chain(BODIES), {"exported_at": "2026-03-06T08:30:00+00:00", "entries": 12}))


def test_a_thousand_mutations_of_an_export_are_all_found() -> None:
    assert check_file(WHOLE)[1] == []
    rnd, raw = random.Random(1), b"".join(WHOLE)
    missed = 0
    for n in range(1_000):
        data = bytearray(raw)
        at = rnd.randrange(len(data))
        match n % 5:
            case 0:
                data[at] ^= 1 << rnd.randrange(8)
            case 1:
                del data[at : at + rnd.randrange(1, 400)]
            case 2:
                data[at:at] = rnd.choice(
                    [b" ", b"\n", b"0", b"{}", b"\x00", WHOLE[rnd.randrange(len(WHOLE))]]
                )
            case 3:
                lines = list(WHOLE)
                a, b = rnd.sample(range(len(lines)), 2)
                lines[a], lines[b] = lines[b], lines[a]
                data = bytearray(b"".join(lines))
            case 4:
                lines = list(WHOLE)
                lines.insert(rnd.randrange(len(lines) + 1), rnd.choice(WHOLE))
                data = bytearray(b"".join(lines))
        missed += check_file(bytes(data).splitlines(keepends=True))[1] == [] or bytes(data) == raw
    print(f"1,000 mutations of an exported audit: {1_000 - missed} found")
    assert missed == 0


def test_a_file_written_anew_is_found_by_a_checkpoint_alone() -> None:
    head = check_file(WHOLE)[0]
    forged = list(lines_of(chain(BODIES[:5] + BODIES[6:]), {"entries": 11}))
    assert check_file(forged)[1] == []
    assert check_file(forged, [head])[1] == [
        "the chain ends at seal 11, the checkpoint knows seal 12"
    ]
    altered = list(lines_of(chain([b"{}", *BODIES[1:]]), {"entries": 12}))
    assert check_file(altered, [head])[1] == ["seal 12 is not the one the checkpoint knows"]


@unhurried
@given(st.lists(st.binary(max_size=20) | st.sampled_from(WHOLE), max_size=6))
def test_no_file_makes_the_check_break(lines: list[bytes]) -> None:
    assert check_file(lines)[1] != [] or lines == WHOLE


def test_a_file_holds_as_many_entries_as_it_says() -> None:
    cut = list(
        lines_of(chain(BODIES[:5]), {"exported_at": "2026-03-06T08:30:00+00:00", "entries": 12})
    )
    assert check_file(cut)[1] == ["line 1: says that 12 entries follow, and 5 do"]


def test_half_of_a_surrogate_pair_is_no_text_of_an_entry() -> None:
    line = json.dumps({**json.loads(WHOLE[3]), "body": "\ud800"}).encode() + b"\n"
    assert "line 4: is not as it was written" in check_file([*WHOLE[:3], line, *WHOLE[4:]])[1]


def test_checkpoints_are_written_and_read_again() -> None:
    head = check_file(WHOLE)[0]
    assert read_head(str(head)) == head
    for wrong in ("12", "x:" + GENESIS, f"12:{GENESIS[:-1]}", f"12:{GENESIS.upper()}"):
        with pytest.raises(ValueError, match="is no checkpoint"):
            read_head(wrong)


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


# Checkpoints


def test_the_end_of_the_chain_goes_outside_once_a_week(world: World) -> None:
    world.known_customers()
    world.take(world.survey("ACME-AERO"))
    world.deliver()
    assert hand_out_checkpoint(world.app.ctx) is None  # nobody is declared
    files = changed(settings=("currency: EUR", "audit_holder: ceo\ncurrency: EUR"))
    activate_rulebook(world.app.ctx, files, {}, author="ops", reason="who keeps it")
    head = hand_out_checkpoint(world.app.ctx)
    assert head is not None and head.seq > 3
    (mail,) = world.deliver()
    assert (recipients([mail]), mail.subject) == (
        ["ceo"],
        f"Audit checkpoint {head.seq} of 2026-W10",
    )
    assert str(head) in mail.text
    assert hand_out_checkpoint(world.app.ctx) is None
    world.pass_time(days=3)  # Monday, half past eight
    again = hand_out_checkpoint(world.app.ctx)
    assert again is not None and again.seq > head.seq
    found = verified(world, head)
    assert (found.problems, found.checkpoints) == ([], 3)


def holder_away(world: World, **said: Any) -> None:
    """The holder of the checkpoints is declared, and then this is said of that person."""
    files = changed(settings=("currency: EUR", "audit_holder: vp_sales\ncurrency: EUR"))
    activate_rulebook(world.app.ctx, files, {}, author="ops", reason="who keeps it")
    world.take(world.envelope("person.updated", {"person_id": "vp_sales", **said}))


@pytest.mark.parametrize(
    ("said", "keeper", "why"),
    [
        (
            {"absences": [{"from": "2026-03-01", "to": "2026-03-31"}]},
            "head.of.service",
            "Vera Sample is absent from",
        ),
        ({"active": False}, "service.desk", "Vera Sample has left"),
    ],
)
def test_a_checkpoint_goes_to_whoever_stands_in_for_its_holder(
    world: World, caplog: pytest.LogCaptureFixture, said: dict[str, Any], keeper: str, why: str
) -> None:
    world.known_customers()
    holder_away(world, **said)
    head = hand_out_checkpoint(world.app.ctx)
    assert head is not None
    (mail,) = world.deliver()
    assert recipients([mail]) == [keeper]
    assert str(head) in mail.text
    assert f"in place of the `audit_holder` of settings.yaml: {why}" in mail.text
    (record,) = [one for one in caplog.records if "audit_holder" in one.message]
    assert (record.levelname, record.__dict__["holder"]) == ("ERROR", "vp_sales")
    assert hand_out_checkpoint(world.app.ctx) is None


def test_no_checkpoint_is_noted_that_nobody_can_be_told(world: World) -> None:
    holder_away(world, active=False)
    everybody = [row.party for row in world.rows(select(party_fact.c.party).distinct())]
    world.take(
        *(
            world.envelope("person.updated", {"person_id": one, "active": False})
            for one in everybody
        )
    )
    with pytest.raises(LookupError, match="'default' names nobody"):
        hand_out_checkpoint(world.app.ctx)
    assert world.rows(select(audit_checkpoint)) == []


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


# Samples


def test_a_sample_is_drawn_by_its_seed_and_shows_whole_cases(told: World, tmp_path: Path) -> None:
    told.take(told.survey("ALPENWERK", comment="Three <calls>, no answer."))
    month = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    drawn = draw_sample(told.app.ctx, *month, 2, "dice")
    again = draw_sample(told.app.ctx, *month, 2, "dice")
    numbers = [evidence.view.case.id for evidence in drawn.cases]
    assert (drawn.population, len(numbers)) == (3, 2)
    assert numbers == [evidence.view.case.id for evidence in again.cases]
    by_hand = sorted((1, 2, 3), key=lambda n: hashlib.sha256(f"dice:{n}".encode()).hexdigest())[:2]
    assert numbers == sorted(by_hand)
    assert drawn.verified.problems == [] and drawn.verified.unsealed == 0
    pages = Pages(ROOT / "templates" / "pages", has_mailbox=False)
    whole = draw_sample(told.app.ctx, *month, 10, "dice")
    page = pages.render("evidence.html", {"s": whole, "last_day": "2026-03-31"})
    (tmp_path / "evidence.html").write_text(page)
    assert "3 of 3 cases opened from 2026-03-01 to 2026-03-31" in page
    assert "Three &lt;calls&gt;, no answer." in page and "Vera Sample reached the customer" in page
    sealed = [entry for evidence in whole.cases for entry in evidence.entries]
    assert len(sealed) > 5 and all(entry.hash and entry.hash in page for entry in sealed)
    assert str(whole.verified.head) in page
    with pytest.raises(ActionRefused, match="no case was opened from 2026-04-01"):
        draw_sample(told.app.ctx, month[1], datetime(2026, 5, 1, tzinfo=UTC), 2, "dice")


def test_who_opens_evidence_of_an_altered_audit_reads_it_first(told: World) -> None:
    by_force(told, "UPDATE audit_entry SET actor = 'somebody' WHERE id = 3")
    drawn = draw_sample(
        told.app.ctx, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), 2, "dice"
    )
    page = Pages(ROOT / "templates" / "pages", has_mailbox=False).render(
        "evidence.html", {"s": drawn, "last_day": "x"}
    )
    assert "NOT as it was sealed" in page and "the column actor does not say" in page


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


@pytest.mark.parametrize("period", ["2026-13", "march", "2026-3", "0000"])
def test_a_period_is_a_month_or_a_year(period: str) -> None:
    result = CliRunner().invoke(main, ["audit", "sample", "--period", period])
    assert result.exit_code == 2
    assert "write 2026-10 or 2026" in result.output
