"""JSON logs: a constant sentence plus fields. Never customer text, addresses or secrets."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """kafka-python 3.0.12 may still be reading from a connection while its owner closes it, finds
    the socket gone and calls that an error. What goes wrong on a connection we closed ourselves
    concerns nobody. Other errors come before it is closed.
    """
    about = record.args[0] if isinstance(record.args, tuple) and record.args else None
    return not (
        record.name == "kafka.net.transport" and hasattr(about, "is_closing") and about.is_closing()
    )


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
    handler.addFilter(_is_worth_telling)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("kafka", "apscheduler", "alembic", "uvicorn.access", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
