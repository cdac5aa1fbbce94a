"""Each mistake in a file is found at its line."""

import pytest

from tests.support.builders import starter_files
from tests.support.rulebook.files import (
    KEY_ACCOUNTS,
    ROUTING,
    SEGMENTS,
    SIGNALS,
    SLA,
    SURVEYS,
    found,
    with_file,
)


@pytest.mark.parametrize(
    ("name", "right", "wrong", "problem"),
    [
        (
            KEY_ACCOUNTS,
            "caller: vp_sales",
            "caller: vp_sale",
            ":9:5: no role is called 'vp_sale' (did you mean 'vp_sales'?)",
        ),
        (
            KEY_ACCOUNTS,
            "fixer: local_office",
            "fixer: local_offic",
            ":10:5: no role is called 'local_offic'",
        ),
        (
            KEY_ACCOUNTS,
            "    fixer: local_office\n",
            "",
            ":11:5: call_in_24h gives the fixer a clock, but the rule names no",
        ),
        (
            KEY_ACCOUNTS,
            "on: survey.answered",
            "on: survey.answred",
            ":4:5: no event type is called 'survey.answred' (did",
        ),
        (
            KEY_ACCOUNTS,
            "on: survey.answered",
            "on: customer.updated",
            ":4:5: no event type is called 'customer.updated'",
        ),
        (
            KEY_ACCOUNTS,
            "key-account-unhappy",
            "calls-in-vain",
            ":2:5: the rule 'calls-in-vain' exists twice",
        ),
        (
            KEY_ACCOUNTS,
            "    title: A key account is unhappy\n",
            "",
            ":2:5: 'title' is missing (add `title:`)",
        ),
        (
            KEY_ACCOUNTS,
            "is a key account: ",
            "5: ",
            ":7:7: a text is needed here (put it in quotes)",
        ),
        (
            ROUTING,
            "[customer.owner,",
            "[customer.ownr,",
            ":5:30: no role is called 'customer.ownr' (did you mean 'customer.ow",
        ),
        (
            ROUTING,
            "  key: vp_sales",
            "  kee: vp_sales",
            ":17:3: no segment is called 'kee' (did you mean 'key'?)",
        ),
        (
            ROUTING,
            "{territory: office}",
            "{territory: office, person: ceo}",
            ":6:3: a role has exactly one of person",
        ),
        (
            ROUTING,
            "{person: service_desk_lead}",
            "{first_of: [vp_sales]}",
            ":3:3: the role 'default' must name a person",
        ),
        (
            ROUTING,
            "{industry: lead}",
            "{first_of: [account_owner]}",
            ":5:19: 'account_owner' leads back to itself",
        ),
        (
            SLA,
            "before: 12h,",
            "before: 24h,",
            ":14:12: never reached: it lies before the clock even starts",
        ),
        (
            SLA,
            "before: 12h,",
            "before: 12h, after: 1h,",
            ":14:11: a step has exactly one of before, after and at",
        ),
        (SLA, "at: 80%", "at: 0.8", ":21:12: '0.8' is not a share of the target; write 80%"),
        (
            SLA,
            "starts: customer_sent",
            "starts: customer_send",
            ":4:5: must be 'customer_sent', 'received' or",
        ),
        (
            SEGMENTS,
            "members: key_accounts.csv",
            "members: key_accounts.csv, otherwise: true",
            ":4:5: a segment has exactly",
        ),
        (SEGMENTS, "id: unverified", "id: key", ":5:6: the segment 'key' stands here twice"),
        (
            SEGMENTS,
            'when: "revenue_with_us IS NULL"',
            "otherwise: true",
            ":5:50: what stands after 'otherwise' is never",
        ),
        (
            SEGMENTS,
            "revenue_with_us IS NULL",
            "customer.segment = 'x'",
            ":5:57: unknown field 'customer.segment'",
        ),
        (
            SIGNALS,
            "count: interaction.recorded",
            "count: interaction",
            ":4:5: no event type is called 'interaction' (did you",
        ),
        (
            SURVEYS,
            "metric: nps",
            "metric: rating",
            ":3:3: a rating needs its scale, and only a rating has one",
        ),
        (SURVEYS, "question:", "qestion:", ":3:3: 'question' is missing"),
    ],
)
def test_each_mistake_is_found_at_its_line(name: str, right: str, wrong: str, problem: str) -> None:
    assert right in starter_files()[name]
    lines = found(with_file(name, starter_files()[name].replace(right, wrong, 1)))
    assert any(line.startswith(name + problem) for line in lines), lines
