"""How long a notification belongs to one sender, and how long it rests between attempts."""

from datetime import timedelta

LEASE = timedelta(seconds=120)
"""How long a claimed notification belongs to one sender; another may take it over afterwards."""

SEND_DEADLINE = timedelta(seconds=60)
"""The whole of one sending attempt; shorter than the lease, so that two senders never overlap."""


def retry_after(attempts: int, jitter: float) -> timedelta:
    """Wait before the next attempt: 2 s doubling to 5 min, spread by `jitter` in [0, 1) so that
    retries do not march.
    """
    base = min(2.0 * 2 ** min(attempts - 1, 8), 300.0)
    return timedelta(seconds=base * (0.5 + jitter / 2))
