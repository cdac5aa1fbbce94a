"""Serving the web doors with uvicorn."""

import threading
from typing import Any

import uvicorn

from alerting.entrypoints.running import Stop
from alerting.entrypoints.web.app import create_app
from alerting.entrypoints.web.parts import WebParts


class _Server(uvicorn.Server):
    """A server that leaves signals to the process it runs in."""

    def install_signal_handlers(self) -> None: ...

    def capture_signals(self) -> Any:
        import contextlib

        return contextlib.nullcontext()


def run_web(parts: WebParts, host: str, port: int, stop: Stop) -> None:
    """Serve until asked to stop."""
    config = uvicorn.Config(
        create_app(parts), host=host, port=port, log_config=None, access_log=False, server_header=False
    )
    server = _Server(config)

    def end() -> None:
        while not stop.asked:
            stop.wait(0.5)
        server.should_exit = True

    threading.Thread(target=end, name="web-stop", daemon=True).start()
    server.run()
    stop.ask()
