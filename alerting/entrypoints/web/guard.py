"""Who may come in: pages want the admin token, ingest wants an API key; and what every answer
carries.
"""

import hashlib
import hmac
from collections.abc import Sequence

from fastapi import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "alerting_admin"
_HEADERS = {
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
_CSP = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action "
    "'self'; base-uri 'none'"
)
MAILBOX_FRAME = "frame-src 'self'"


class NeedsLogin(Exception):
    """A page for insiders, asked for without the admin token."""


class LargeBodies:
    """Says in problem+json what Starlette's limit says in plain text: how much is taken."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = False

        async def reworded(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 413:
                refused = True
                answer = problem(413, "Content Too Large", f"At most {self.limit} bytes are taken.")
                await answer(scope, receive, send)
            elif not refused:
                await send(message)

        await self.app(scope, receive, reworded if scope["type"] == "http" else send)


class SecurityHeaders:
    """Pages carry links that act; nothing may frame, sniff, cache or leak them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                path = scope.get("path", "")
                policy = _CSP if not path.startswith("/docs") else None
                extra = dict(_HEADERS) | ({"content-security-policy": policy} if policy else {})
                if path.startswith("/mailbox"):
                    extra["x-frame-options"] = "SAMEORIGIN"
                    extra["content-security-policy"] = f"{_CSP}; {MAILBOX_FRAME}"
                message["headers"] += [
                    (name.encode(), value.encode())
                    for name, value in extra.items()
                    if name.encode() not in present
                ]
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


def problem(status: int, title: str, detail: str, **extra: object) -> JSONResponse:
    """application/problem+json (RFC 9457)."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **extra}
    headers = {"retry-after": "5"} if status == 503 else {}
    return JSONResponse(
        body, status_code=status, headers=headers, media_type="application/problem+json"
    )


def cookie_value(admin_token: str) -> str:
    """What the browser keeps: derived from the token, so that the token itself is not stored
    there.
    """
    return hmac.new(admin_token.encode(), b"alerting admin cookie", hashlib.sha256).hexdigest()


def is_admin(request: Request, admin_token: str) -> bool:
    """Whether the request carries the admin token, in its header or by its cookie."""
    given = _bearer(request)
    if given is not None:
        return hmac.compare_digest(given.encode(), admin_token.encode())
    return hmac.compare_digest(
        request.cookies.get(COOKIE, "").encode(), cookie_value(admin_token).encode()
    )


def refuse_ingest(request: Request, keys: Sequence[str]) -> JSONResponse | None:
    """The answer to a sender without a key, or with one we do not know; None for one who may
    send.
    """
    given = (request.headers.get("x-api-key") or _bearer(request) or "").encode()
    if not given:
        return problem(
            401,
            "API key needed",
            "Send the key as `Authorization: Bearer KEY` or `X-API-Key: KEY`.",
        )
    if not any(hmac.compare_digest(given, key.encode()) for key in keys):
        return problem(
            401, "API key not known", "This key is not among ALERTING_INGEST_KEYS of the web role."
        )
    return None


def _bearer(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None
