"""How an attempt to tell somebody ended."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one attempt ended: `sent` only after 250 to the final dot, `refused` is final, `deferred`
    is tried again.

    `unknown`: the connection was lost where the server may have taken the mail. It is tried again
    and may come twice.
    """

    kind: Literal["sent", "refused", "deferred", "unknown"]
    detail: str
    code: int | None = None
    address_refused: bool = False
    """The server knows no such address, whatever the mail says."""
