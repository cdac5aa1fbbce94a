"""JSON logs: a constant sentence plus fields. Never customer text, addresses or secrets."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter


def configure_logs(level: str) -> None:
    """One handler to standard error; chatty libraries speak up only when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            datefmt="%Y-%m-%dT%H:%M:%S%z",
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("kafka", "apscheduler", "alembic", "uvicorn.access", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
