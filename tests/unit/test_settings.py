"""Settings: everything from ALERTING_*, checked at once, with what to do about it."""

import re
from pathlib import Path

import pytest

from alerting.domain.errors import SettingsInvalid
from alerting.settings import KNOWN_VARIABLES, Settings, read_settings

KEY = "k" * 16


def given(**variables: str) -> Settings:
    return read_settings({f"ALERTING_{name}": value for name, value in variables.items()})


def problems(**variables: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as caught:
        given(**variables)
    assert str(caught.value).splitlines() == caught.value.problems
    return caught.value.problems


def test_without_any_variable_everything_is_embedded() -> None:
    found = read_settings({"PATH": "/bin"})
    assert found.database_url == "sqlite:///var/alerting.db"
    assert found.local_log_url == "sqlite:///var/event_log.db"
    assert found.mailbox == Path("var/mailbox")
    assert found.kafka == ()
    assert found.embedded
    assert (found.host, found.port) == ("127.0.0.1", 8080)
    assert found.mail_domain == "localhost"


def test_a_production_installation() -> None:
    url = "postgresql+psycopg://alerting:secret@db/alerting"
    found = given(
        DATABASE_URL=url,
        KAFKA="kafka-1:9092, kafka-2:9092,",
        KAFKA_SECURITY="SASL_SSL",
        KAFKA_SASL_MECHANISM="SCRAM-SHA-512",
        KAFKA_USER="alerting",
        KAFKA_PASSWORD="secret",
        SMTP_HOST="relay",
        SMTP_PORT="465",
        SMTP_SECURITY="tls",
        MAIL_FROM="Alerts <alerts@crm.example.com>",
        BASE_URL="https://alerts.example.com/",
        LISTEN="0.0.0.0:80",
        LINK_KEYS=f"new{KEY},old{KEY}",
        INGEST_KEYS=f"one{KEY},two{KEY}",
    )
    assert found.local_log_url == url
    assert found.kafka == ("kafka-1:9092", "kafka-2:9092")
    assert found.kafka_options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "alerting",
        "sasl_plain_password": "secret",
    }
    assert not found.embedded
    assert (found.smtp_port, found.smtp_security) == (465, "tls")
    assert found.mail_domain == "crm.example.com"
    assert found.base_url == "https://alerts.example.com"
    assert (found.host, found.port) == ("0.0.0.0", 80)
    assert found.link_keys == (f"new{KEY}", f"old{KEY}")
    assert found.ingest_keys == (f"one{KEY}", f"two{KEY}")


WRONG = {
    "DATABASE_URL": ("mysql://db", "begins with sqlite:/// or postgresql+psycopg://"),
    "SMTP_PORT": ("25.7", "must be a port from 1 to 65535, not '25.7'"),
    "SMTP_SECURITY": ("ssl", "must be one of starttls, tls, none, not 'ssl'"),
    "SMTP_CA_FILE": ("/no/such/file", "must be a file that exists, not '/no/such/file'"),
    "MAIL_FROM": ("alerts", "must be an address such as Alerts <alerts@example.com>, not 'alerts'"),
    "BASE_URL": (
        "alerts.example.com",
        "must be an address such as https://alerts.example.com, not",
    ),
    "LISTEN": ("localhost", "must be host:port, not 'localhost'"),
    "TICK": ("0", "must be a number from 0.1 to 60, not '0'"),
    "SEND_DEADLINE": ("nan", "must be a number from 1 to"),
    "KAFKA_SECURITY": ("TLS", "must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, not 'TLS'"),
    "KAFKA_SASL_MECHANISM": (
        "GSSAPI",
        "must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, not 'GSSAPI'",
    ),
    "LOG_LEVEL": ("debug", "must be one of DEBUG, INFO, WARNING, ERROR, not 'debug'"),
    "LINK_KEYS": ("short", "each key has at least 16 characters"),
    "ADMIN_TOKEN": ("short", "has at least 16 characters"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_with_what_is_wanted(name: str) -> None:
    value, words = WRONG[name]
    (problem,) = problems(**{name: value})
    assert re.match(rf"ALERTING_{name}\b", problem)
    assert words in problem


def test_all_that_is_wrong_is_said_at_once_and_each_once() -> None:
    found = problems(**{name: value for name, (value, _) in WRONG.items()}, SMPT_HOST="relay")
    for name in [*WRONG, "SMPT_HOST"]:
        assert sum(bool(re.match(rf"ALERTING_{name}\b", line)) for line in found) == 1, name
    assert len(found) == len(WRONG) + 1


@pytest.mark.parametrize(
    "address",
    [
        "@",
        "alerts@",
        "Alerts <alerts@example.com",
        "a@b@c",
        "A <a@b.c>, B <b@b.c>",
        "Alerts alerts@b.c",
        "A, B <a@b.c>",
        "Team: <a@b.c>",
        'A "B <a@b.c>',
    ],
)
def test_the_senders_address_is_one_address(address: str) -> None:
    with pytest.raises(SettingsInvalid, match="ALERTING_MAIL_FROM must be an address"):
        read_settings({"ALERTING_MAIL_FROM": address})


@pytest.mark.parametrize(
    "address", ['"A, B" <a@b.c>', "Dr. A <a@b.c>", "Übung <a@b.c>", "<a@b.c>", "a@b.c"]
)
def test_a_senders_name_may_be_quoted_or_missing(address: str) -> None:
    assert given(MAIL_FROM=address).mail_from == address


DATABASES = {
    "foo": "begins with sqlite:/// or postgresql+psycopg://",
    "postgresql+psycopg://u:hidden@db:abc/x": "cannot be read",
    "postgresql+psycopg://u:hidden@db:²/x": "cannot be read",
    "postgresql+psycopg://u:hidden@db:99999999/x": "names a port that does not exist",
    "sqlite:///": "names no file",
    "sqlite:///:memory:": "names no file",
}


@pytest.mark.parametrize("name", ["DATABASE_URL", "LOCAL_LOG_URL"])
@pytest.mark.parametrize("url", DATABASES)
def test_a_databases_address_is_whole_and_never_repeated(name: str, url: str) -> None:
    (problem,) = problems(**{name: url})
    assert problem.startswith(f"ALERTING_{name} {DATABASES[url]}")
    assert "hidden" not in problem


@pytest.mark.parametrize(
    "servers", ["h:²", "h:99999999", "h:0", "h", ":9092", "h:9092,h:" + "9" * 5000]
)
def test_kafka_servers_have_ports_that_exist(servers: str) -> None:
    assert problems(KAFKA=servers)[0].startswith("ALERTING_KAFKA must be host:port")


@pytest.mark.parametrize("security", ["SASL_SSL", "SASL_PLAINTEXT"])
def test_logging_in_to_kafka_needs_a_mechanism(security: str) -> None:
    (problem,) = problems(KAFKA_SECURITY=security)
    assert problem == (
        f"ALERTING_KAFKA_SASL_MECHANISM must be set for {security}, to one of PLAIN, "
        "SCRAM-SHA-256, SCRAM-SHA-512"
    )


@pytest.mark.parametrize(
    "url",
    ["http://", "https://:8080", "http://h:abc", "http://h:99999", "http://a b", "http://h?x"],
)
def test_the_address_in_every_mail_leads_somewhere(url: str) -> None:
    assert problems(BASE_URL=url)[0].startswith("ALERTING_BASE_URL must be an address such as")


def test_the_data_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below", Path("/dev/null")):
        assert problems(DATA=str(path)) == [f"ALERTING_DATA must be a folder, not {str(path)!r}"]
    assert given(DATA=str(tmp_path / "new" / "below")).data == tmp_path / "new" / "below"


def test_an_ipv6_address_to_listen_on_loses_its_brackets() -> None:
    assert (given(LISTEN="[::1]:8080").host, given(LISTEN=":8080").host) == ("::1", "127.0.0.1")


def test_keys_of_senders_are_not_guessed_in_an_afternoon() -> None:
    with pytest.raises(
        SettingsInvalid, match="ALERTING_INGEST_KEYS: each key has at least 16 characters"
    ):
        read_settings({"ALERTING_INGEST_KEYS": "short,a-key-that-is-long-enough"})


@pytest.mark.parametrize("port", ["", "-1", "65536", "8080.5", "²", "٣", "http", "9" * 5000])
def test_a_port_is_a_number_that_ports_have(port: str) -> None:
    assert "must be host:port" in problems(LISTEN=f"127.0.0.1:{port}")[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ALERTING_SMPT_HOST", "ALERTING_SMTP_HOST"),
        ("ALERTING_DATABASE_URI", "ALERTING_DATABASE_URL"),
        ("ALERTING_LINK_KEY", "ALERTING_LINK_KEYS"),
        ("ALERTING_ADMIN_TOKEN_FIEL", "ALERTING_ADMIN_TOKEN_FILE"),
    ],
)
def test_a_misspelled_variable_is_refused_with_the_one_that_was_meant(
    written: str, meant: str
) -> None:
    with pytest.raises(SettingsInvalid, match=rf"{written} is not known; did you mean {meant}\?"):
        read_settings({written: "x"})


def test_variables_of_others_and_of_the_tests_are_left_alone() -> None:
    read_settings({"ALERT_SMTP": "x", "alerting_smtp": "x", "ALERTING_TEST_KAFKA": "x"})


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"{KEY}\n")
    assert given(LINK_KEYS_FILE=str(path)).link_keys == (KEY,)
    path.write_text("postgresql+psycopg://db/alerting\n")
    assert given(DATABASE_URL_FILE=str(path)).database_url == "postgresql+psycopg://db/alerting"


def test_a_file_that_cannot_be_read_or_that_contradicts_a_variable_is_refused_once(
    tmp_path: Path,
) -> None:
    (problem,) = problems(LISTEN_FILE=str(tmp_path / "gone"))
    assert problem.startswith(f"ALERTING_LISTEN_FILE: {tmp_path / 'gone'} cannot be read")
    path = tmp_path / "port"
    path.write_bytes(b"\xff")
    assert "cannot be read" in problems(SMTP_PORT_FILE=str(path))[0]
    path.write_text("x")
    assert problems(SMTP_PORT_FILE=str(path), SMTP_PORT="25") == [
        "ALERTING_SMTP_PORT and ALERTING_SMTP_PORT_FILE are both set; keep one",
        "ALERTING_SMTP_PORT must be a port from 1 to 65535, not 'x'",
    ]


def test_no_secret_is_repeated_in_a_problem(tmp_path: Path) -> None:
    secrets = {
        "DATABASE_URL": "mysql://u:hidden1@db",
        "LINK_KEYS": "hidden2",
        "ADMIN_TOKEN": "hidden3",
        "SMTP_PASSWORD": "hidden4",
        "KAFKA_PASSWORD": "hidden5",
    }
    assert "hidden" not in "\n".join(problems(**secrets, SMTP_USER="u", SMTP_SECURITY="none"))


def test_a_password_is_never_sent_in_the_clear() -> None:
    (problem,) = problems(SMTP_HOST="relay", SMTP_USER="u", SMTP_PASSWORD="p", SMTP_SECURITY="none")
    assert "in the clear" in problem
    assert given(SMTP_HOST="relay", SMTP_SECURITY="none").smtp_user is None


def test_a_variable_that_is_set_to_nothing_is_not_set() -> None:
    """Compose files pass `${ALERTING_RULES:-}`; an empty folder name would mean the one we happen
    to stand in.
    """
    every = {name: "" for name in KNOWN_VARIABLES if not re.search(r"(?<!_CA)_FILE$", name)}
    assert read_settings(every) == read_settings({})
