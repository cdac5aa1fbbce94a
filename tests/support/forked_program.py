"""`alerting`, started by a fork of a process that has imported it already: a tenth of the time, for
tests that run a hundred commands.

`python forked_program.py serve SOCKET` waits; `python -ISE forked_program.py SOCKET ARGUMENT...`
is the program: its streams, folder, environment and exit code are the command's own.
"""

import contextlib
import io
import json
import os
import signal
import socket
import sys
from typing import Any

_STREAMS = (0, 1, 2)


def serve(path: str) -> None:
    """Fork for every caller, until killed."""
    import alerting.entrypoints.web.server  # noqa: F401  imported only where it is needed
    from alerting.cli import main

    with contextlib.redirect_stdout(io.StringIO()):
        main(["check"], standalone_mode=False)  # what reading rules imports, and keeps
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen(64)
        while True:
            caller, _ = door.accept()
            if os.fork() == 0:
                door.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _answer(caller, main)
            caller.close()


def _answer(caller: socket.socket, main: Any) -> None:
    """Be the command, tell the caller how it ended, and end."""
    text, streams, _, _ = socket.recv_fds(caller, 1 << 20, len(_STREAMS))
    call = json.loads(text)
    for stream, fd in zip(_STREAMS, streams, strict=True):
        os.dup2(fd, stream)
        os.close(fd)
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environment"])
    sys.argv = ["alerting", *call["arguments"]]
    caller.sendall(f"{os.getpid()}\n".encode())
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    caller.sendall(f"{code}\n".encode())
    os._exit(code)


def call(path: str, arguments: list[str]) -> int:
    """Run the command and wait for its end; what stops us stops it, too."""
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(path)
        facts = {"folder": os.getcwd(), "environment": dict(os.environ), "arguments": arguments}
        socket.send_fds(door, [json.dumps(facts).encode()], _STREAMS)
        answer = door.makefile()
        process = int(answer.readline())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda got, _: os.kill(process, got))
        return int(answer.readline() or 70)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(call(sys.argv[1], sys.argv[2:]))
