"""The demo's story: what happens, through which door, and what must be found in mailbox and
database afterwards.
"""

from alerting.cli.demo_events import (
    before_go_live,
    calls_in_vain,
    customers,
    happy,
    key_account,
    low_value,
    unknown,
    unreadable,
)
from alerting.cli.demo_follow_up import breach, called, told_report, voicemail
from alerting.cli.demo_stage import Story, http


def tell(story: Story) -> None:
    """The whole story, in order."""
    story.say("All roles are starting: consume, deliver, follow-up, web.")
    story.check(
        "they are ready", lambda: http(f"{story.app.settings.base_url}/readyz").status == 200
    )
    customers(story)
    first = key_account(story)
    valuable = calls_in_vain(story)
    low_value(story)
    happy(story)
    voicemail(story, first)
    unknown(story)
    unreadable(story)
    before_go_live(story)
    called(story, first)
    breach(story, valuable)
    told_report(story)
