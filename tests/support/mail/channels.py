"""The mail channel of an installation, with other parts in it."""

from dataclasses import replace
from typing import Any

from alerting.adapters.mail.email.channel import EmailChannel, Mailer
from alerting.adapters.mail.email.notices import AnyComposer
from alerting.domain.mail.notifications import EMAIL
from alerting.services.mail.channel import Post
from tests.support.world import World


def email_of(world: World) -> EmailChannel:
    channel = world.app.post.channels[EMAIL]
    assert isinstance(channel, EmailChannel)
    return channel


def composer_of(world: World) -> AnyComposer:
    return email_of(world).composer


def post_with(world: World, **parts: Any) -> Post:
    """The same post with another `mailer` or `composer`."""
    return replace(world.app.post, channels={EMAIL: replace(email_of(world), **parts)})


def send_by(world: World, mailer: Mailer) -> None:
    """From now on mails go by this mailer."""
    object.__setattr__(world.app, "post", post_with(world, mailer=mailer))
