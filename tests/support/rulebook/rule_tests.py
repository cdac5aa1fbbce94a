"""Files of rule tests of one's own."""

from collections.abc import Callable
from pathlib import Path

from tests.support.installation import Done

Play = Callable[..., Done]


OWN = "rules/tests/own.yaml"


SURVEY = (
    "{type: survey.answered, customer_id: ACME-AERO, survey_id: relationship, metric: nps, "
    "score: 2}"
)


ACME = "{customer_id: ACME-AERO, name: Acme Aerospace, country: DE, owner: owner_north}"


def own_test(
    expect: str, *, begin: str = "", customers: str = ACME, timeline: str = "", more: str = ""
) -> str:
    """A file with one test: a key account is unhappy, then `timeline`; `expect` stands in line 9
    and below.
    """
    lines = [
        "tests:",
        "  - name: mine",
        f"    begin: {begin}" if begin else "    # no begin of its own",
        "    customers:",
        f"      - {customers}",
        "    timeline:",
        f"      - {{at: 0m, event: {SURVEY}}}",
        "    expect:",
        *(f"      - {{{line}}}" for line in expect.split("\n")),
        *(f"    {line}" for line in more.split("\n") if line),
    ]
    lines[7:7] = [f"      - {{{line}}}" for line in timeline.split("\n") if line]
    return "\n".join(lines) + "\n"


def edited(installation: Path, name: str, old: str, new: str) -> None:
    file = installation / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
