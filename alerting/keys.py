"""The secrets of an installation: given by its settings, or made once and kept beside its data."""

import contextlib
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alerting.domain.errors import SettingsInvalid
from alerting.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Keys that sign links, the admin token, and the keys of those who send events."""

    link_keys: Sequence[str]
    admin_token: str
    ingest_keys: Sequence[str]


def read_secrets(settings: Settings) -> Secrets:
    """Given secrets first; an embedded installation makes its own and keeps them in the data
    folder. Raises SettingsInvalid where processes would sign with different keys.
    """
    if not settings.database_url.startswith("sqlite"):
        if not settings.link_keys:
            raise SettingsInvalid(
                [
                    "ALERTING_LINK_KEYS must be set: all processes sign and read links with the "
                    "same keys"
                ]
            )
        return Secrets(
            link_keys=settings.link_keys,
            admin_token=settings.admin_token or secrets.token_urlsafe(24),
            ingest_keys=settings.ingest_keys,
        )
    kept = _kept_secrets(settings.data / "secrets.json")
    return Secrets(
        link_keys=settings.link_keys or (kept["link_key"],),
        admin_token=settings.admin_token or kept["admin_token"],
        ingest_keys=settings.ingest_keys or (kept["ingest_key"],),
    )


def _kept_secrets(path: Path) -> dict[str, str]:
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(
                {
                    name: secrets.token_urlsafe(24)
                    for name in ("link_key", "admin_token", "ingest_key")
                },
                file,
            )
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # whole or not at all, also when two processes start at once
        draft.unlink()
    kept: dict[str, str] = json.loads(path.read_text())
    return kept
