"""Timelines of the key account's case."""

from tests.support.world import World, recipients


def sent(world: World) -> list[tuple[str, str]]:
    """Fire what is due and deliver; (recipient, subject) of the mails that came."""
    world.tick()
    return [(recipients([mail])[0], mail.subject) for mail in world.deliver()]
