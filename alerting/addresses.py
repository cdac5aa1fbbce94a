"""Addresses as settings write them: ports, databases, web addresses, the name before a mail
address.
"""

from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


def port_number(text: str, low: int = 1) -> int | None:
    """A port in plain digits; `int` would also take those of other scripts, and more of them than a
    port has.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):
        return None
    return int(text) if low <= int(text) <= 65535 else None


def database_url_problem(text: str) -> str | None:
    """What is wrong with a database's address, without repeating it."""
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        return "begins with sqlite:/// or postgresql+psycopg://"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return (
            "cannot be read; write postgresql+psycopg://user:password@host:5432/name, the port "
            "in digits"
        )
    if url.port is not None and port_number(str(url.port)) is None:
        return "names a port that does not exist; ports go from 1 to 65535"
    if text.startswith("sqlite") and url.database in {None, "", ":memory:"}:
        return "names no file; write sqlite:///folder/name.db"
    return None


def is_one_name(name: str) -> bool:
    """Whether a sender's name stays one: a comma and its like outside quotes would make two
    addresses of one.
    """
    quoted = len(name) >= 2 and name[0] == name[-1] == '"'
    return '"' not in name[1:-1] if quoted else not any(ch in name for ch in ',;:"\\')


def is_web_address(text: str) -> bool:
    """`https://alerts.example.com`, with or without port and path."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    bare = not (parts.query or parts.fragment or any(ch.isspace() for ch in text))
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and bare
