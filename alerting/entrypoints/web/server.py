"""Serving the web doors with uvicorn."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn

from alerting.domain.errors import SettingsInvalid
from alerting.entrypoints.loops import Stop
from alerting.entrypoints.web.app import create_app
from alerting.entrypoints.web.parts import WebParts


class _Server(uvicorn.Server):
    """A server that leaves signals to the process it runs in."""

    def install_signal_handlers(self) -> None: ...

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def check_listen(host: str, port: int) -> None:
    """Whether we could listen there, before anything else begins. Raises SettingsInvalid."""
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SettingsInvalid(
            [f"ALERTING_LISTEN: nobody can listen on {host}:{port}: {why}"]
        ) from error


def run_web(parts: WebParts, host: str, port: int, stop: Stop) -> None:
    """Serve until asked to stop."""
    config = uvicorn.Config(
        create_app(parts),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
    )
    server = _Server(config)

    def end() -> None:
        while not stop.asked:
            stop.wait(0.5)
        server.should_exit = True

    threading.Thread(target=end, name="web-stop", daemon=True).start()
    server.run()
    stop.ask()
