"""Whatever is altered in the sealed audit by force is found."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from alerting.bootstrap import forget
from alerting.database.tables import audit_entry, audit_seal
from alerting.domain.audit.audit_file import check_file
from alerting.domain.audit.seals import GENESIS, Head, seal_after
from alerting.domain.errors import ChainBroken
from alerting.services.audit.sample import draw_sample
from alerting.services.audit.seal import seal_all
from tests.support.audit import by_force, exported, verified
from tests.support.world import World


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
