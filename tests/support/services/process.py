"""A server process that cannot outlive the test run."""

import atexit
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")


class ServerFailed(RuntimeError):
    """A server the tests need did not start, or died."""


class ServerProcess:
    """Runs `command` in a process group of its own, its output in `log`, until `end`, atexit, or
    our own death.

    Linux sends `death_signal` when the *thread* that made the process ends: make it in the main
    thread.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        death_signal: int = signal.SIGKILL,
        user: str = "",
    ) -> None:
        leash = [
            sys.executable,
            "-I",
            "-S",
            str(LEASH),
            str(int(death_signal)),
            str(os.getpid()),
            user,
        ]
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*leash, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C at the terminal is for pytest, which then ends us in order
                start_new_session=True,
            )
        atexit.register(self.end, death_signal)

    def end(self, how: int, patience: float = 20) -> None:
        """Send the signal, wait, and kill the whole group if it takes longer than `patience`
        seconds.
        """
        atexit.unregister(self.end)
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def wait_until(self, ready: Callable[[], bool], patience: float) -> None:
        """Poll `ready`; raises ServerFailed with the end of the log when the process dies or
        patience runs out.
        """
        give_up = time.monotonic() + patience
        while not ready():
            if self._process.poll() is not None:
                raise ServerFailed(
                    f"it ended with status {self._process.returncode}:\n{tail(self.log)}"
                )
            if time.monotonic() > give_up:
                self.end(signal.SIGKILL)
                raise ServerFailed(f"it was not ready within {patience:g} s:\n{tail(self.log)}")
            time.sleep(0.02)


def tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def free_port() -> int:
    """A port that stays ours while its server is down.

    Not one the kernel hands out (32768 and above): between stop and start an outgoing connection
    could be given it, and a client that keeps trying to reach a closed port of that range can
    connect to itself.
    """
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
