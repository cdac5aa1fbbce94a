"""A list of customers changed in the browser: uploaded, looked at, asked for, approved or not, in
force everywhere.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerting.bootstrap import web_parts
from alerting.database.customers import memberships
from alerting.database.rulebook import rulebooks
from alerting.entrypoints.web.app import create_app
from alerting.services.alerts.review_due import review_due
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files
from tests.support.world import World

ADMIN = {"authorization": "Bearer test-admin-token-0123"}


LIST = "key_accounts.csv"


LISTED = ("ACME-AERO", "NORDWIND", "LUMEN-MED")


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    world.known_customers()
    with TestClient(
        create_app(web_parts(world.app)), follow_redirects=False, headers=ADMIN
    ) as opened:
        yield opened


def upload(client: TestClient, content: str | bytes, name: str = "list.csv") -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return client.post("/segments/lists", data={"listed_in": LIST}, files={"file": (name, raw)})


def drafted(client: TestClient, *ids: str) -> str:
    done = upload(client, "customer_id\n" + "".join(f"{one}\n" for one in ids))
    assert done.status_code == 303, done.text
    return str(done.headers["location"])


def asked(client: TestClient, change: str, **more: str) -> Any:
    given = {
        "act": "ask",
        "author": "owner_north",
        "approver": "vp_sales",
        "reason": "The yearly review",
        **more,
    }
    return client.post(change, data=given)


def newest_mail(world: World, address: str) -> Any:
    return next(
        mail for mail in world.deliver() if address in mail.to and "approve" in mail.subject.lower()
    )


def link_in(mail: Any) -> str:
    found = re.search(r"http://\S+(/p/\S+)", mail.text)
    assert found is not None, mail.text
    return found[1]


def segment(world: World, customer: str) -> str:
    review_due(world.app.ctx)
    with world.app.ctx.db.read() as tx:
        return {row.customer_key: row.segment for row in memberships.members(tx, None, None)}[
            customer
        ]


def active(world: World) -> str | None:
    with world.app.ctx.db.read() as tx:
        return rulebooks.active_hash(tx)


def test_a_list_is_looked_at_approved_by_mail_and_in_force(
    client: TestClient, world: World
) -> None:
    world.take(world.survey("ALPENWERK"))
    before, first = active(world), segment(world, "ALPENWERK")
    change = drafted(client, *LISTED, "ALPENWERK", "NOBODY-1")
    page = client.get(change).text
    assert "1 customer would move" in page
    assert "customer of high potential</td><td>key account" in page
    assert "NOBODY-1" in page and "misspelt, or not imported yet" in page
    assert "more mails a month for Vera Sample" in page, (
        "the key account's complaint would have gone to her"
    )
    assert (active(world), segment(world, "ALPENWERK")) == (before, first)
    assert asked(client, change).status_code == 303
    assert "Vera Sample was asked to approve" in client.get(change).text
    mail = newest_mail(world, "vp.sales@example.com")
    assert mail.subject == "Please approve: key account, 2 added, 0 taken off"
    assert "- ALPENWERK" in mail.text and "Why: The yearly review" in mail.text
    assert "Alpenwerk" not in mail.text, "a name would outlive `alerting forget`"
    assert "- from customer of high potential to key account: 1" in mail.text
    link = link_in(mail)
    shown = client.get(link, headers={"authorization": ""})
    assert shown.status_code == 200 and "you are Vera Sample" in shown.text
    assert active(world) == before, "looking decides nothing"
    done = client.post(link, data={"act": "approve"}, headers={"authorization": ""})
    assert (done.status_code, "It is in force" in done.text) == (200, True)
    assert change.endswith(str(active(world)))
    assert segment(world, "ALPENWERK") == "key"
    with world.app.ctx.db.read() as tx:
        row = rulebooks.activations(tx)[0]
    assert (row.author, row.approver, row.reason) == (
        "owner_north",
        "vp_sales",
        "The yearly review",
    )
    assert "This list is in force" in client.get(change).text
    assert client.get(f"/segments/lists/{LIST}").text == "".join(
        f"{one}\n" for one in ("customer_id", *LISTED, "ALPENWERK", "NOBODY-1")
    )
    assert "nothing left to do" in client.get(link).text
    assert client.post(link, data={"act": "decline", "objection": "too late"}).status_code == 400


def test_who_is_asked_may_say_no_and_the_asker_hears_why(client: TestClient, world: World) -> None:
    before, change = active(world), drafted(client, *LISTED, "ALPENWERK")
    asked(client, change)
    link = link_in(newest_mail(world, "vp.sales@example.com"))
    assert "Say why" in client.post(link, data={"act": "decline"}).text
    assert (
        client.post(link, data={"act": "decline", "objection": "Not before May"}).status_code == 200
    )
    assert "Vera Sample: Not before May" in newest_mail(world, "owner.north@example.com").text
    assert "Vera Sample did not approve: &ldquo;Not before May&rdquo;" in client.get(change).text
    assert client.post(link, data={"act": "approve"}).status_code == 400
    assert active(world) == before
    assert asked(client, change, reason="In May").status_code == 303
    assert client.post(link, data={"act": "approve"}).status_code == 400, (
        "the old question stays answered"
    )
    assert (
        client.post(
            link_in(newest_mail(world, "vp.sales@example.com")), data={"act": "approve"}
        ).status_code
        == 200
    )


def test_a_second_person_is_asked_for_where_the_rules_say_so(
    client: TestClient, world: World
) -> None:
    files = dict(starter_files())
    files["rules/settings.yaml"] += "second_person: true\n"
    activate_rulebook(world.app.ctx, files, {}, author="ops", reason="two pairs of eyes")
    change = drafted(client, "ALPENWERK")
    alone = {"act": "activate", "author": "owner_north", "reason": "because"}
    assert "ask somebody to approve" in client.post(change, data=alone).text
    assert "nobody approves their own change" in asked(client, change, approver="owner_north").text
    assert not change.endswith(str(active(world)))
    asked(client, change)
    client.post(link_in(newest_mail(world, "vp.sales@example.com")), data={"act": "approve"})
    assert change.endswith(str(active(world)))


def test_without_that_rule_one_person_is_enough_who_says_why(
    client: TestClient, world: World
) -> None:
    change = drafted(client, "ALPENWERK")
    assert "Say why" in client.post(change, data={"act": "activate", "author": "owner_north"}).text
    kept = client.post(change, data={"act": "activate", "reason": "The yearly review"}).text
    assert "Choose who you are" in kept and "The yearly review</textarea>" in kept
    done = client.post(
        change, data={"act": "activate", "author": "owner_north", "reason": "The yearly review"}
    )
    assert done.status_code == 303
    assert segment(world, "ACME-AERO") == "high_potential"
    assert "Since " in client.get(change).text


def test_a_list_that_other_rules_have_overtaken_is_not_put_in_force(
    client: TestClient, world: World
) -> None:
    change = drafted(client, "ALPENWERK")
    asked(client, change)
    link = link_in(newest_mail(world, "vp.sales@example.com"))
    files = {
        **starter_files(),
        "rules/surveys.yaml": starter_files()["rules/surveys.yaml"] + "# other words\n",
    }
    activate_rulebook(world.app.ctx, files, {}, author="ops", reason="other words")
    assert "decided already" in client.post(link, data={"act": "approve"}).text
    stale = client.get(change)
    assert (stale.status_code, "upload it again" in stale.text) == (409, True)
    assert (
        active(world)
        == activate_rulebook(world.app.ctx, files, {}, author="ops", reason="the same").hash
    )


def test_a_plant_moves_with_its_group(client: TestClient, world: World) -> None:
    world.take(
        world.customer(
            "ALPENWERK-SUED", name="Alpenwerk Sued", parent="ALPENWERK", revenue_with_us=10
        )
    )
    page = client.get(drafted(client, *LISTED, "ALPENWERK")).text
    assert "2 customers would move" in page and "ALPENWERK-SUED" in page


def test_a_row_without_an_id_is_named(client: TestClient) -> None:
    done = upload(client, "customer_id,name\nACME-AERO,x\n,y\n")
    assert "no customer id in line 3" in client.get(done.headers["location"]).text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name\nAcme\n", "list.csv has no column of customer ids; head it customer_id."),
        ("foo,bar\na,b\n", "list.csv has no column of customer ids; head it customer_id."),
        ("", "This file is not taken: list.csv is empty"),
        ("customer_id\n", "the list is empty; to do without this segment"),
        ("customer_id\nNORDWIND\nLUMEN-MED\nACME-AERO\n", "same 3 customers as the one in force"),
        (b"\xff\xfec\x00", "UTF-16"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_the_remedy(
    client: TestClient, content: str | bytes, said: str
) -> None:
    done = upload(client, content)
    assert done.status_code == 422
    assert said in done.text


def test_pages_are_for_insiders_and_what_is_not_there_is_said(client: TestClient) -> None:
    for path in ("/segments/lists", "/segments/changes/abc", f"/segments/lists/{LIST}"):
        assert client.get(path, headers={"authorization": ""}).status_code == 401
    assert client.get("/segments/changes/abc").status_code == 404
    assert client.get("/segments/lists/people.yaml").status_code == 404
    assert client.get("/p/not-a-token").status_code == 400
    assert "download key_accounts.csv" in client.get("/segments/lists").text
