"""The product's own processes."""

import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.support.services.process import ServerProcess

ROOT = Path(__file__).parents[3]


PROGRAM = Path(sys.executable).with_name("alerting")


def wait_until(
    condition: Callable[[], Any], timeout: float = 20, what: Callable[[], Any] = lambda: ""
) -> Any:
    """What `condition` comes to, as soon as that is true; fails after `timeout` seconds, and says
    `what` it was then.
    """
    give_up = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < give_up, f"not within {timeout:g} s: {what()}"
        time.sleep(0.03)
    return found


class Role(ServerProcess):
    """One `alerting run ...`."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        super().__init__(command, log)
        self.running = True

    def end(self, how: int = signal.SIGTERM, patience: float = 20) -> None:
        super().end(how, patience)
        self.running = False

    def kill(self) -> None:
        """As a power cut would."""
        self.end(signal.SIGKILL)

    def pause(self) -> None:
        """Stand still, as a machine does that swaps or is moved."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def exit_code(self) -> int | None:
        return self._process.poll()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log lines. What is no JSON (a traceback of the interpreter itself) is given as a
        message.
        """
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"message": line, "level": "PLAIN"})
        return found

    def said(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("message") == message]
