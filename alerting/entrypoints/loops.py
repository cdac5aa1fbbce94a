"""What every loop shares: it stops when asked, waits longer after each failure, and is watched from
outside.
"""

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from alerting.domain.errors import Temporary

log = logging.getLogger(__name__)

STALLED_AFTER = 180.0
"""Seconds without a sign of life after which the process ends itself, so that its supervisor starts
it anew.
"""

EXIT_STALLED = 70


@dataclass(kw_only=True)
class Stop:
    """A request to end, and the loops' signs of life."""

    _event: threading.Event = field(default_factory=threading.Event)
    _beats: dict[str, float] = field(default_factory=dict)

    def ask(self) -> None:
        self._event.set()

    @property
    def asked(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Up to so many seconds, less if asked to stop."""
        self._event.wait(seconds)

    def beat(self, loop: str) -> None:
        self._beats[loop] = time.monotonic()

    def done(self, loop: str) -> None:
        self._beats.pop(loop, None)

    def stalled(self) -> list[str]:
        """The loops that have not been heard of for too long."""
        now = time.monotonic()
        return [loop for loop, last in list(self._beats.items()) if now - last > STALLED_AFTER]


def repeat(name: str, stop: Stop, work: Callable[[], float]) -> None:
    """Run `work` until asked to stop; it returns the seconds to wait. A failure is logged and tried
    again, more slowly.

    Whatever `work` had begun was rolled back, so trying again is safe; an error that will not go
    away stays visible.
    """
    failures = 0
    while not stop.asked:
        stop.beat(name)
        try:
            pause, failures = work(), 0
        except Temporary as error:
            failures += 1
            pause = min(0.2 * 2 ** min(failures, 6), 5.0) * random.uniform(0.5, 1.0)
            log.warning(
                "waiting for a service",
                extra={"loop": name, "error": f"{type(error).__name__}: {error}"},
            )
        except Exception:
            failures += 1
            pause = min(1.0 * failures, 10.0)
            log.exception("loop failed", extra={"loop": name})
        stop.wait(pause)
    stop.done(name)


def watch(stop: Stop) -> threading.Thread:
    """End the process when a loop shows no sign of life: kafka-python has been seen to spin inside
    a poll.
    """

    def look() -> None:
        while not stop.asked:
            stalled = stop.stalled()
            if stalled:
                log.critical("loop stalled, ending the process", extra={"loops": stalled})
                os._exit(EXIT_STALLED)
            stop.wait(5.0)

    thread = threading.Thread(target=look, name="watch", daemon=True)
    thread.start()
    return thread
