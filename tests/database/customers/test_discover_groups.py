"""`alerting segments discover`: groups, and conditions by which the product finds the same groups
again.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerting.adapters.imports.attribute_files import read_attributes
from alerting.domain.customers.segments import UNVERIFIED, segment_of
from tests.support.builders import customer, rulebook, starter_files
from tests.support.installation import Done, Run

GROUPS = {"big": (400_000, 900, 20), "middling": (60_000, 120, 8), "small": (4_000, 12, 2)}
"""Revenue, employees and visits about which the customers lie."""


def table(*, of_each: int = 40, seed: int = 1, spread: float = 0.1) -> str:
    """A file as `alerting import` takes it; every twentieth customer lacks the revenue."""
    random = np.random.default_rng(seed)
    lines = ["customer_id,name,revenue_with_us,employees,attributes.visits"]
    for name, centre in GROUPS.items():
        for n in range(of_each):
            revenue, employees, visits = (
                max(0.0, about * (1 + spread * random.standard_normal())) for about in centre
            )
            told = "" if n % 20 == 19 else f"{revenue:.2f}"
            lines.append(f"{name}-{n},A customer,{told},{round(employees)},{round(visits)}")
    return "\n".join(lines) + "\n"


def discovered(
    run: Run, *arguments: str, attributes: str = "revenue_with_us,employees,visits"
) -> Done:
    return run(
        "segments",
        "discover",
        "--customers",
        "customers.csv",
        "--attributes",
        attributes,
        *arguments,
    )


def report(done: Done) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_three_groups_are_found_described_and_written_down(
    alerting: Run, installation: Path
) -> None:
    (installation / "customers.csv").write_text(table())
    found = report(discovered(alerting, "--log", "revenue_with_us,employees,visits", "--json"))
    assert [(group["id"], group["size"], group["rank"]) for group in found["groups"]] == [
        ("group_1", 38, 3),
        ("group_2", 38, 2),
        ("group_3", 38, 1),
    ]
    assert max(found["silhouettes"], key=found["silhouettes"].get) == "3"
    assert (found["customers"], found["grouped"]) == (120, 114)
    assert found["missing"] == {"revenue_with_us": 6, "employees": 0, "visits": 0}
    assert {
        name.partition("-")[0] for name, group in found["members"].items() if group == "group_2"
    } == {"middling"}
    top = found["groups"][0]
    assert top["attributes"]["employees"]["median"] == pytest.approx(900, rel=0.05)
    assert (
        top["attributes"]["employees"]["quartile_1"]
        < 900
        < top["attributes"]["employees"]["quartile_3"]
    )
    assert set(top["differs"].split(", ")) == {
        "high revenue_with_us",
        "high employees",
        "high visits",
    }


@pytest.mark.parametrize(
    "arguments", [[], ["--groups", "5"], ["--log", "employees"], ["--simple", "--groups", "4"]]
)
@pytest.mark.parametrize("spread", [0.1, 0.6])
def test_the_product_s_own_rulebook_finds_the_groups_again_and_calls_the_rest_unverified(
    alerting: Run, installation: Path, arguments: list[str], spread: float
) -> None:
    (installation / "customers.csv").write_text(table(spread=spread))
    found = report(discovered(alerting, "--json", *arguments))
    built = rulebook(files_with(found))
    read = read_attributes(
        str(installation / "customers.csv"),
        "customer_id",
        ["revenue_with_us", "employees", "visits"],
    )
    counts = dict.fromkeys([*(group["id"] for group in found["groups"]), UNVERIFIED], 0)
    for one in read.subjects.every:
        facts = {f"customer.{name}": value for name, value in one.facts.items()}
        segment = segment_of(customer(one.customer), facts, built.segments).segment
        counts[segment] += 1
        assert segment == found["members"].get(one.customer, UNVERIFIED)
    assert counts == {**{group["id"]: group["size"] for group in found["groups"]}, UNVERIFIED: 6}
    if "--log" not in arguments and "--simple" not in arguments:
        assert found["agreement"] == 1.0
    assert found["agreement"] > 0.95


def files_with(found: Mapping[str, Any]) -> dict[str, str]:
    """The starter files with the found segments, as they were printed, and without what names the
    starter's own.
    """
    files = {
        name: text
        for name, text in starter_files().items()
        if not name.startswith(("rules/tests/", "rules/escalations/"))
    }
    files["rules/segments.yaml"], files["rules/attributes.yaml"] = (
        found["segments_yaml"],
        found["attributes_yaml"],
    )
    files["rules/routing.yaml"] = re.sub(
        r"^segments:\n(  .*\n)+", "", files["rules/routing.yaml"], flags=re.MULTILINE
    )
    rule = {
        "id": "unhappy",
        "title": "Unhappy",
        "on": "survey.answered",
        "when": {"is unhappy": "score < 3"},
        "severity": "low",
        "caller": "account_owner",
        "policy": "call_in_3d",
    }
    return {**files, "rules/escalations/one.yaml": json.dumps({"rules": [rule]})}


def test_an_attribute_with_a_few_giants_is_pointed_out(alerting: Run, installation: Path) -> None:
    revenues = [*range(10, 30), 9_000, 10_000]
    rows = "".join(f"C{n},{revenue}\n" for n, revenue in enumerate(revenues))
    (installation / "customers.csv").write_text("customer_id,revenue_with_us\n" + rows)
    assert (
        "`--log revenue_with_us` may find better"
        in discovered(alerting, attributes="revenue_with_us").stderr
    )
    assert (
        discovered(alerting, "--log", "revenue_with_us", attributes="revenue_with_us").stderr == ""
    )


@pytest.mark.parametrize(
    ("content", "attributes", "more", "message"),
    [
        (
            "customer_id,a\nA,1\nB,1\nC,1\n",
            "a",
            [],
            "a is the same for all customers; leave it out",
        ),
        (
            "customer_id,a\nA,1\nB,2\n",
            "a",
            [],
            "2 customers, 2 of them different, are too few for 2 groups",
        ),
        ("customer_id,a\nA,1\nB,2\nC,2\n", "a", ["--groups", "3"], "too few for 3 groups"),
        (
            "customer_id,a\nA,-1\nB,2\nC,3\n",
            "a",
            ["--log", "a"],
            "a is negative for some customers",
        ),
        (
            "customer_id,a,b\nA,,1\nB,2,\n",
            "a,b",
            [],
            "no customer of whom all of the attributes are known",
        ),
        ("customer_id,a\nA,1\n", "b", [], "there is no column 'b'"),
        ("customer_id,visits\nA,1\n", "visit", [], "did you mean 'visits'?"),
        (
            "customer,a\nA,1\n",
            "a",
            [],
            "there is no column 'customer_id'; did you mean 'customer'?",
        ),
        (
            "customer_id,name\nA,1\n",
            "name",
            [],
            "name is a text of every customer; group by numbers",
        ),
        ("customer_id,a\nA,1\n", "2", [], "attributes are given by name"),
        (
            "customer_id,a b,A_B\nA,1,2\nB,2,3\n",
            "a b,A_B",
            [],
            "two attributes would be called the same",
        ),
    ],
)
def test_what_cannot_be_grouped_is_said(
    alerting: Run, installation: Path, content: str, attributes: str, more: list[str], message: str
) -> None:
    (installation / "customers.csv").write_text(content)
    done = discovered(alerting, *more, attributes=attributes)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr


def test_bad_cells_are_named_and_further_contacts_of_a_customer_are_not(
    alerting: Run, installation: Path
) -> None:
    content = (
        "customer_id;Umsatz "
        "(EUR);contact_name\nA;1.000,50;Ada\nA;;Bea\nB;12,5;\nC;viel;\nD;99.000,00;\nB;3,0;\n;1;\nE;3;\n"
    )
    (installation / "customers.csv").write_text(content)
    done = discovered(alerting, "--groups", "2", attributes="Umsatz (EUR)")
    for words in (
        "customers.csv:5: umsatz_eur: 'viel' is not a number",
        "customers.csv:7: B stands in an earlier line already",
        "customers.csv:8: the customer is empty",
        "left out: 3 bad rows",
        "Umsatz (EUR) is called umsatz_eur",
    ):
        assert words in done.stderr
    assert 'when: "umsatz_eur >= 50000"' in done.stdout
    assert done.stdout.endswith("attributes:\n  umsatz_eur: number\n")


def test_people_read_cards_silhouettes_and_how_far_simple_conditions_reach(
    alerting: Run, installation: Path
) -> None:
    (installation / "customers.csv").write_text(table(spread=0.7))
    done = discovered(alerting, "--simple", "--groups", "4")
    assert re.search(
        r"These conditions put (\d\d\.\d+% of the customers|every customer) where k-means does",
        done.stdout,
    )
    assert (
        "revenue_with_us is missing of 6 customers: they are in no group, and would be unverified."
        in done.stdout
    )
    assert "114 customers by revenue_with_us, employees, visits, standardised." in done.stdout
    assert re.search(r"^group_1: \d+ customers, \d+\.\d%\. ", done.stdout, re.MULTILINE)


def test_customers_of_the_database_are_grouped_by_their_fields_and_declared_attributes(
    alerting: Run, installation: Path
) -> None:
    (installation / "rules" / "attributes.yaml").write_text(
        "attributes: {visits: number, tier: text}\n"
    )
    (installation / "customers.csv").write_text(table(of_each=20))
    assert alerting("migrate").returncode == 0
    assert alerting("import", "customers.csv").returncode == 0
    found = report(
        alerting(
            "segments", "discover", "--attributes", "employees,visits", "--groups", "3", "--json"
        )
    )
    assert [group["size"] for group in found["groups"]] == [20, 20, 20]
    assert found["attributes_yaml"] is None
    missing = report(
        alerting(
            "segments", "discover", "--attributes", "revenue_with_us", "--groups", "3", "--json"
        )
    )
    assert missing["missing"] == {"revenue_with_us": 3}
    done = alerting("segments", "discover", "--attributes", "tier")
    assert done.returncode == 1
    assert "customers have no number 'tier'" in done.stderr
