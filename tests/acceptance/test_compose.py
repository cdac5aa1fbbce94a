"""docker-compose.yml and the Dockerfile, held to the schema, to our command line and to our
settings.

Nothing here needs Docker, so nothing here starts a container: what the small profile starts runs as
a process.
"""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from alerting.cli import main
from alerting.settings import KNOWN_VARIABLES, read_settings
from tests.support.compose import COMPOSE, OURS, ROOT, SERVICES, make_secrets

SIZES = ("large", "small")


def services_of(size: str) -> dict[str, dict[str, Any]]:
    """What `docker compose up` starts, and `docker compose --profile small up small`: a service
    with all it waits for.
    """
    if size == "large":
        return {name: service for name, service in SERVICES.items() if "profiles" not in service}
    names = ["small"]
    for name in names:
        names += SERVICES[name].get("depends_on", {})
    return {name: SERVICES[name] for name in names}


def test_it_follows_the_compose_specification() -> None:
    schema = json.loads((ROOT / "tests" / "support" / "data" / "compose-spec.json").read_text())
    errors = Draft202012Validator(schema).iter_errors(COMPOSE)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_a_plain_command_means_the_large_one() -> None:
    assert {
        name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service
    } == {"small": ["small"]}


def test_the_small_profile_is_postgresql_a_mail_server_and_one_process_with_all_roles() -> None:
    small = services_of("small")
    assert set(small) == {"small", "migrate", "postgres", "mailpit"}
    assert OURS["small"]["command"] == ["run", "all"]
    without_profiles = [
        {k: v for k, v in service.items() if k != "profiles"} for service in small.values()
    ]
    assert "kafka" not in json.dumps(without_profiles).casefold()


@pytest.mark.parametrize("size", SIZES)
def test_only_the_migration_runs_as_the_owner_of_the_tables(size: str) -> None:
    secrets = {
        name: service["secrets"] for name, service in services_of(size).items() if name in OURS
    }
    assert {name for name, handed in secrets.items() if "owner_url" in handed} == {"migrate"}
    assert all("database_url" in handed for name, handed in secrets.items() if name != "migrate")
    assert OURS["migrate"]["environment"]["ALERTING_DATABASE_ROLE"] == "alerting"
    assert "CREATE ROLE alerting LOGIN" in (ROOT / "scripts" / "postgres-role").read_text()


def test_the_small_profile_differs_from_the_large_one_in_kafka_alone() -> None:
    more = set(OURS["web"]["environment"].items()) - set(OURS["small"]["environment"].items())
    assert {name for name, _ in more} == {"ALERTING_KAFKA", "ALERTING_KAFKA_GROUP"}
    assert set(OURS["small"]["environment"].items()) <= set(OURS["web"]["environment"].items())
    for part in ("image", "build", "secrets", "ports", "healthcheck", "restart"):
        assert OURS["small"][part] == OURS["web"][part]


@pytest.mark.parametrize("size", SIZES)
def test_no_two_services_of_a_size_want_the_same_port(size: str) -> None:
    ports = [port for service in services_of(size).values() for port in service.get("ports", [])]
    assert sorted(ports) == ["127.0.0.1:8025:8025", "127.0.0.1:8080:8080"]


def test_with_kafka_every_role_runs_and_two_consume() -> None:
    commands = {
        name: service["command"] for name, service in OURS.items() if name in services_of("large")
    }
    roles = {role: ["run", role] for role in ("web", "consume", "deliver", "follow-up")}
    assert commands == {"migrate": ["migrate"], **roles}
    assert OURS["consume"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("service", OURS)
def test_the_command_line_knows_the_command(service: str) -> None:
    parse(main, OURS[service]["command"])


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Read the words as the program would, without running it. Raises click.UsageError, as the
    program would.
    """
    if isinstance(command, click.Group):
        context = click.Context(command, parent=parent, info_name=command.name)
        subcommand = command.get_command(context, words[0])
        assert subcommand, f"{context.command_path} has no command {words[0]}"
        parse(subcommand, words[1:], context)
    else:
        command.make_context(command.name, list(words), parent=parent).close()


def test_the_commands_operators_are_told_to_run_in_a_container_exist() -> None:
    pages = ("activate-rules", "install-for-production")
    text = "".join((ROOT / "docs" / "how-to" / f"{page}.md").read_text() for page in pages)
    told_to_run = [shlex.split(line) for line in re.findall(r"docker compose run ([^`\n]+)", text)]
    assert len(told_to_run) == 4
    for words in told_to_run:
        service = next(place for place, word in enumerate(words) if word in {"migrate", "small"})
        parse(main, words[service + 1 :])
        for mount in (word for word in words[:service] if word.startswith("$PWD/")):
            folder, inside, _ = mount.removeprefix("$PWD/").split(":")
            assert (ROOT / folder).is_dir()
            assert f"={inside}" in (ROOT / "Dockerfile").read_text()


def test_a_command_that_does_not_exist_would_be_noticed() -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        parse(main, ["run", "no-such-role"])


@pytest.mark.parametrize("service", OURS)
def test_every_variable_is_known_to_the_settings(service: str) -> None:
    assert set(OURS[service]["environment"]) <= KNOWN_VARIABLES


@pytest.mark.parametrize("service", OURS)
def test_the_settings_accept_the_environment_with_secrets_as_made(
    service: str, made_secrets: Path
) -> None:
    environment = {
        name: value.replace("/run/secrets", str(made_secrets))
        for name, value in OURS[service]["environment"].items()
    }
    settings = read_settings(environment)
    assert settings.database_url.endswith("@postgres:5432/alerting")
    assert settings.kafka == (() if service in {"small", "migrate"} else ("kafka:9092",))


@pytest.fixture(scope="module")
def made_secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    make_secrets(folder)
    return folder


def test_every_secret_file_is_made_and_every_one_made_is_used(made_secrets: Path) -> None:
    files = {secret["file"].removeprefix("./secrets/") for secret in COMPOSE["secrets"].values()}
    assert files == {path.name for path in made_secrets.iterdir()}


def test_secrets_once_made_stay_as_they_are(made_secrets: Path) -> None:
    before = {path.name: path.read_text() for path in made_secrets.iterdir()}
    make_secrets(made_secrets)
    assert {path.name: path.read_text() for path in made_secrets.iterdir()} == before


@pytest.mark.parametrize("service", SERVICES)
def test_every_secret_a_service_reads_is_declared_and_handed_to_it(service: str) -> None:
    handed = set(SERVICES[service].get("secrets", []))
    values = SERVICES[service].get("environment", {}).values()
    read = {
        value.removeprefix("/run/secrets/") for value in values if value.startswith("/run/secrets/")
    }
    assert read <= handed and (
        read == handed or service == "postgres"
    )  # whose script reads the other password
    assert handed <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_waits_for_starts_with_it_and_can_come_true(service: str) -> None:
    for name, wanted in SERVICES[service].get("depends_on", {}).items():
        assert "profiles" not in SERVICES[name]
        if wanted["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[name]
        else:
            assert wanted["condition"] == "service_completed_successfully"
            assert SERVICES[name]["restart"] == "on-failure"


def test_no_role_starts_before_the_database_is_migrated() -> None:
    waiting = {name for name, service in OURS.items() if "migrate" in service["depends_on"]}
    assert waiting == set(OURS) - {"migrate"}


def test_data_outlives_the_containers() -> None:
    mounts = {
        name: service["volumes"]
        for name, service in SERVICES.items()
        if name not in OURS and "volumes" in service
    }
    assert {tuple(service["volumes"]) for service in OURS.values()} == {("data:/var/lib/alerting",)}
    assert "ALERTING_DATA=/var/lib/alerting" in (ROOT / "Dockerfile").read_text()
    assert mounts == {
        "kafka": ["kafka:/var/lib/kafka/data"],
        "postgres": [
            "postgres:/var/lib/postgresql",
            "./scripts/postgres-role:/docker-entrypoint-initdb.d/role.sh:ro",
        ],
        "mailpit": ["mailpit:/data"],
    }
    assert set(COMPOSE["volumes"]) == {"data", *mounts}


def test_the_tests_and_the_containers_run_the_same_kafka() -> None:
    version = re.search(
        r'^VERSION = "(.+?)"', (ROOT / "scripts" / "kafka").read_text(), re.MULTILINE
    )
    assert version
    assert {SERVICES[name]["image"] for name in ("kafka", "topics")} == {
        f"apache/kafka:{version[1]}"
    }


def test_what_the_image_copies_is_in_the_tree_and_nothing_else_is_sent_to_its_build() -> None:
    copies = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    copied = {source for line in copies for source in line.split()}
    sent = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert copied == sent
    assert {source for source in copied if not (ROOT / source).exists()} == set()
