"""docker-compose.yml, read."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]


COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")


SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


OURS = {name: service for name, service in SERVICES.items() if service["image"] == "alerting"}


def make_secrets(folder: Path) -> None:
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "make-secrets", folder], check=True, capture_output=True
    )
