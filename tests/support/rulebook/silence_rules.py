"""A rule on silence."""

from tests.support.builders import starter_files

RULE = """rules:
  - id: key-account-silent
    title: A key account has gone silent
    on: silence
    of: survey.answered
    for: 30d
    when:
      is a key account: "customer.segment = 'key'"
    severity: normal
    caller: account_owner
    policy: call_in_3d
"""


FILE = "rules/escalations/silence.yaml"


def files(text: str = RULE) -> dict[str, str]:
    return {**starter_files(), FILE: text}
