"""`alerting import`, as somebody who keeps customers uses it."""

from pathlib import Path

import pytest

from tests.support.installation import Run
from tests.support.world import World

CUSTOMERS = """customer_id,name,revenue_with_us,country,owner,contact_name,contact_phone,attribute.tier
ACME-AERO,Acme Aerospace,"1,240,000",DE,owner_north,Ada Example,+49 30 5550199,gold
ACME-AERO,,,,,Bob Example,,
KIOSK-7,Kiosk Seven,1900,DE,lead_central,,,
BROKEN-1,Broken,many,DE,,,,
,Nobody,1,DE,,,,
"""  # noqa: E501


def test_importing_reports_bad_rows_by_line_and_the_same_file_again_changes_nothing(
    migrated: Run, installation: Path, own_world: World
) -> None:
    (installation / "customers.csv").write_text(CUSTOMERS)
    first = migrated("import", "customers.csv")
    assert first.returncode == 1
    assert "2 new, 0 changed, 0 unchanged, 2 bad rows." in first.stdout
    assert "customers.csv:5: revenue_with_us: 'many' is not a number" in first.stderr
    assert "customers.csv:6: customer_id: is empty" in first.stderr
    assert (
        "0 new, 0 changed, 2 unchanged, 2 bad rows; nothing was changed."
        in migrated("import", "customers.csv").stdout
    )
    from alerting.database.customers import customers

    with own_world.app.ctx.db.read() as tx:
        acme = customers.customer_now(tx, "ACME-AERO")
    assert [contact["name"] for contact in acme.contacts] == ["Ada Example", "Bob Example"]
    assert (acme.state["revenue_with_us"], acme.state["attributes"]) == (
        1_240_000,
        {"tier": "gold"},
    )
    (installation / "customers.csv").write_text(CUSTOMERS.replace("1900", "300000"))
    assert "0 new, 1 changed, 1 unchanged" in migrated("import", "customers.csv").stdout


def test_an_owner_nobody_knows_is_a_warning_and_no_failure(
    migrated: Run, installation: Path
) -> None:
    (installation / "customers.csv").write_text("customer_id,owner\nKIOSK-7,lead_centrl\n")
    done = migrated("import", "customers.csv")
    assert (done.returncode, done.stdout) == (0, "1 new, 0 changed, 0 unchanged, 0 bad rows.\n")
    assert (
        "customers.csv:2: warning: owner: 'lead_centrl' is nobody in people.yaml; did you mean "
        "'lead_central'?" in done.stderr
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("name\nAcme\n", "no column customer_id"),
        ("customer_id,nmae\nA,B\n", "unknown columns nmae (did you mean name?)"),
    ],
)
def test_a_file_that_is_no_table_of_customers_is_refused(
    migrated: Run, installation: Path, text: str, message: str
) -> None:
    (installation / "x.csv").write_text(text)
    done = migrated("import", "x.csv")
    assert done.returncode == 1
    assert message in done.stderr
