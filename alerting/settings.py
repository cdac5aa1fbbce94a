"""Settings from the environment: ALERTING_X, or the file that ALERTING_X_FILE names."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from alerting.addresses import database_url_problem, is_one_name, is_web_address, port_number
from alerting.domain.errors import SettingsInvalid
from alerting.domain.people.people import mail_address

Choice = TypeVar("Choice", bound=str)
Fallback = TypeVar("Fallback")
SmtpSecurity = Literal["starttls", "tls", "none"]
_SMTP_SECURITY: tuple[SmtpSecurity, ...] = ("starttls", "tls", "none")

_DEFAULTS: dict[str, str] = {
    "DATABASE_URL": "",
    "DATABASE_ROLE": "",
    "DATA": "var",
    "RULES": "rules",
    "TEMPLATES": "templates",
    "KAFKA": "",
    "KAFKA_GROUP": "alerting",
    "KAFKA_SECURITY": "PLAINTEXT",
    "KAFKA_SASL_MECHANISM": "",
    "KAFKA_USER": "",
    "KAFKA_PASSWORD": "",
    "KAFKA_CA_FILE": "",
    "KAFKA_SESSION_TIMEOUT": "45",
    "LOCAL_LOG_URL": "",
    "SMTP_HOST": "",
    "SMTP_PORT": "587",
    "SMTP_SECURITY": "starttls",
    "SMTP_USER": "",
    "SMTP_PASSWORD": "",
    "SMTP_CA_FILE": "",
    "SEND_DEADLINE": "60",
    "MAIL_FROM": "Customer alerts <alerts@localhost>",
    "MAILBOX": "",
    "BASE_URL": "http://127.0.0.1:8080",
    "LISTEN": "127.0.0.1:8080",
    "LINK_KEYS": "",
    "ADMIN_TOKEN": "",
    "INGEST_KEYS": "",
    "TICK": "5",
    "LOG_LEVEL": "INFO",
}

KNOWN_VARIABLES = frozenset(
    f"ALERTING_{name}{suffix}" for name in _DEFAULTS for suffix in ("", "_FILE")
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a process is told from outside. Durations in seconds."""

    database_url: str
    database_role: str | None
    data: Path
    rules: Path
    templates: Path
    kafka: tuple[str, ...]
    kafka_group: str
    kafka_options: Mapping[str, object]
    kafka_session_timeout: float
    local_log_url: str
    smtp_host: str
    smtp_port: int
    smtp_security: SmtpSecurity
    smtp_user: str | None
    smtp_password: str | None
    smtp_ca_file: str | None
    send_deadline: float
    mail_from: str
    mailbox: Path
    base_url: str
    host: str
    port: int
    link_keys: tuple[str, ...]
    admin_token: str | None
    ingest_keys: tuple[str, ...]
    tick: float
    log_level: str

    @property
    def mail_domain(self) -> str:
        """The domain of our Message-IDs."""
        return self.mail_from.rsplit("@", 1)[-1].strip("<> ") or "localhost"

    @property
    def embedded(self) -> bool:
        """Mails stay in a folder instead of being sent."""
        return not self.smtp_host


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check. Raises SettingsInvalid that lists every wrong variable."""
    return _Reader(os.environ if environment is None else environment).read()


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems: list[str] = []

    def read(self) -> Settings:
        self._unknown()
        data = self.folder("DATA")
        database_url = self.url("DATABASE_URL", f"sqlite:///{data / 'alerting.db'}")
        is_postgresql = database_url.startswith("postgresql")
        local_log = database_url if is_postgresql else f"sqlite:///{data / 'event_log.db'}"
        host, port = self.listen()
        settings = Settings(
            database_url=database_url,
            database_role=self.text("DATABASE_ROLE") or None,
            data=data,
            rules=Path(self.text("RULES")),
            templates=Path(self.text("TEMPLATES")),
            kafka=self.servers("KAFKA"),
            kafka_group=self.text("KAFKA_GROUP"),
            kafka_options=self.kafka_options(),
            kafka_session_timeout=self.number("KAFKA_SESSION_TIMEOUT", 1, 1800),
            local_log_url=self.url("LOCAL_LOG_URL", local_log),
            smtp_host=self.text("SMTP_HOST"),
            smtp_port=self.port("SMTP_PORT"),
            smtp_security=self.choice("SMTP_SECURITY", _SMTP_SECURITY),
            smtp_user=self.text("SMTP_USER") or None,
            smtp_password=self.text("SMTP_PASSWORD") or None,
            smtp_ca_file=self.file("SMTP_CA_FILE"),
            send_deadline=self.number("SEND_DEADLINE", 1, 120),
            mail_from=self.mail_from(),
            mailbox=Path(self.text("MAILBOX") or data / "mailbox"),
            base_url=self.base_url(),
            host=host,
            port=port,
            link_keys=self.listed("LINK_KEYS"),
            admin_token=self.text("ADMIN_TOKEN") or None,
            ingest_keys=self.listed("INGEST_KEYS"),
            tick=self.number("TICK", 0.1, 60),
            log_level=self.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR")),
        )
        self._secrets(settings)
        if self.problems:
            raise SettingsInvalid(list(dict.fromkeys(self.problems)))
        return settings

    def text(self, name: str) -> str:
        variable = f"ALERTING_{name}"
        path = self.environment.get(f"{variable}_FILE")
        if path is None:
            return self.environment.get(variable, "").strip() or _DEFAULTS[name]
        if variable in self.environment:
            self.problems.append(f"{variable} and {variable}_FILE are both set; keep one")
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{variable}_FILE: {path} cannot be read: {error}")
            return _DEFAULTS[name]

    def listed(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())

    def servers(self, name: str) -> tuple[str, ...]:
        found = self.listed(name)
        ends = [server.rpartition(":") for server in found]
        if all(host and port_number(port) for host, _, port in ends):
            return found
        return self.wrong(name, "host:port, or several separated by commas", ())

    def listen(self) -> tuple[str, int]:
        host, _, text = self.text("LISTEN").rpartition(":")
        port = port_number(text, low=0)
        if port is None:
            port = self.wrong("LISTEN", "host:port", 8080)
        return host.strip("[]") or "127.0.0.1", port  # [::1]:8080

    def port(self, name: str) -> int:
        found = port_number(self.text(name))
        return (
            int(self.wrong(name, "a port from 1 to 65535", _DEFAULTS[name]))
            if found is None
            else found
        )

    def folder(self, name: str) -> Path:
        """A folder that is there, or that can be made: a file in its place would only show when we
        write.
        """
        path = Path(self.text(name))
        nearest = next(p for p in (path.absolute(), *path.absolute().parents) if os.path.exists(p))
        if not nearest.is_dir():
            self.wrong(name, "a folder", None)
        return path

    def url(self, name: str, default: str) -> str:
        """A database's address. It may hold a password, so a problem never repeats it."""
        text = self.text(name)
        if not text:
            return default
        problem = database_url_problem(text)
        if problem is not None:
            self.problems.append(f"ALERTING_{name} {problem}")
        return text

    def number(self, name: str, low: float, high: float) -> float:
        try:
            value = float(self.text(name))
        except ValueError:
            value = float("nan")
        if low <= value <= high:
            return value
        return float(self.wrong(name, f"a number from {low:g} to {high:g}", _DEFAULTS[name]))

    def choice(self, name: str, allowed: tuple[Choice, ...]) -> Choice:
        value = self.text(name)
        chosen = next((one for one in allowed if one == value), None)
        return chosen or self.wrong(name, f"one of {', '.join(allowed)}", allowed[0])

    def file(self, name: str) -> str | None:
        path = self.text(name)
        if path and not Path(path).is_file():
            return self.wrong(name, "a file that exists", None)
        return path or None

    def wrong(self, name: str, wanted: str, fallback: Fallback) -> Fallback:
        """Notes the problem; reading goes on with the fallback, to find the others."""
        self.problems.append(f"ALERTING_{name} must be {wanted}, not {self.text(name)!r}")
        return fallback

    def mail_from(self) -> str:
        text = self.text("MAIL_FROM")
        try:
            name, opened, rest = text.rpartition("<")
            mail_address(rest.removesuffix(">") if opened and rest.endswith(">") else text)
            if any(ch in name for ch in "\r\n<>@") or not is_one_name(name.strip()):
                raise ValueError(name)
        except ValueError:
            wanted = "an address such as Alerts <alerts@example.com>"
            return self.wrong("MAIL_FROM", wanted, _DEFAULTS["MAIL_FROM"])
        return text

    def base_url(self) -> str:
        text = self.text("BASE_URL")
        if not is_web_address(text):
            return self.wrong("BASE_URL", "an address such as https://alerts.example.com", text)
        return text.rstrip("/")

    def kafka_options(self) -> dict[str, object]:
        security = self.choice("KAFKA_SECURITY", ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"))
        options: dict[str, object] = {"security_protocol": security}
        mechanisms = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
        if self.text("KAFKA_SASL_MECHANISM"):
            options["sasl_mechanism"] = self.choice("KAFKA_SASL_MECHANISM", mechanisms)
            options["sasl_plain_username"] = self.text("KAFKA_USER")
            options["sasl_plain_password"] = self.text("KAFKA_PASSWORD")
        elif security.startswith("SASL"):
            wanted = ", ".join(mechanisms)
            self.problems.append(
                f"ALERTING_KAFKA_SASL_MECHANISM must be set for {security}, to one of {wanted}"
            )
        if self.text("KAFKA_CA_FILE"):
            options["ssl_cafile"] = self.file("KAFKA_CA_FILE")
        return options

    def _unknown(self) -> None:
        """A misspelled variable would be silently ignored otherwise."""
        from difflib import get_close_matches

        ours = (name for name in self.environment if name.startswith("ALERTING_"))
        for name in sorted(ours):
            if (
                name in KNOWN_VARIABLES
                or name.startswith("ALERTING_TEST_")
                or name == "ALERTING_CACHE"
            ):
                continue
            near = get_close_matches(name, sorted(KNOWN_VARIABLES), n=1)
            self.problems.append(
                f"{name} is not known" + (f"; did you mean {near[0]}?" if near else "")
            )

    def _secrets(self, settings: Settings) -> None:
        for name, keys in (
            ("LINK_KEYS", settings.link_keys),
            ("INGEST_KEYS", settings.ingest_keys),
        ):
            if any(len(key) < 16 for key in keys):
                self.problems.append(f"ALERTING_{name}: each key has at least 16 characters")
        if settings.admin_token is not None and len(settings.admin_token) < 16:
            self.problems.append("ALERTING_ADMIN_TOKEN has at least 16 characters")
        if settings.smtp_user and settings.smtp_security == "none":
            self.problems.append(
                "ALERTING_SMTP_SECURITY=none would send the SMTP password in the clear; use "
                "starttls or tls"
            )
