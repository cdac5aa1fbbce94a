"""Templates that fail, and mails in the reader's language."""

import re
from dataclasses import replace

import pytest

from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.services.mail.letters import Letter, RenderError
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files, starter_people
from tests.support.mail.channels import composer_of
from tests.support.mail.letters import composed, parsed
from tests.support.world import World


def with_template(letter: Letter, **templates: str) -> Letter:
    """The same letter under a rulebook with other templates: `en_call_txt="..."`."""
    files = dict(starter_files())
    for name, text in templates.items():
        locale, template, ending = name.split("_", 2)
        files[f"templates/mail/{locale}/{template}.{ending.replace('_', '.')}"] = text
    return replace(letter, rulebook=build_rulebook(files))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{{ v.customer.state.no_such_thing }}", "UndefinedError"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ v.case.number + 1 }}", "TypeError"),
        ("{{ v.currency | money('EUR') }}", "InvalidOperation"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError"),
    ],
)
def test_a_template_that_fails_still_leads_to_a_plain_mail(
    world: World, acme: dict[str, Letter], text: str, error: str
) -> None:
    broken = with_template(acme["call"], en_call_txt=text)
    with pytest.raises(RenderError, match=f"call.*{error}") as caught:
        composed(world, broken)
    plain = composer_of(world).compose_plain(broken, caught.value)
    assert plain.subject == f"{broken.view.case.number}: Acme Aerospace - A key account is unhappy"
    for words in (
        "Caller: Vera Sample",
        "Fixer: Berlin office",
        "contact by Sat 7 Mar 09:30",
        "+49 30 5550199",
        error,
    ):
        assert words in plain.text
    purposes = {
        world.app.links.read_action(t).purpose for t in re.findall(r"/a/([\w.-]+)", plain.text)
    }
    assert purposes == {"acknowledge", "contact"}
    assert plain.html is None
    assert parsed(plain).get_content_type() == "text/plain"
    assert (plain.message_id, plain.in_reply_to) == (
        acme["call"].message_id,
        composed(world, acme["call"]).in_reply_to,
    )


@pytest.mark.parametrize(
    ("template", "purposes"),
    [("call", {"acknowledge", "contact"}), ("fix", {"fixed"}), ("informed", set())],
)
def test_a_plain_mail_offers_each_reader_only_what_is_theirs_to_do(
    world: World, acme: dict[str, Letter], template: str, purposes: set[str]
) -> None:
    plain = composer_of(world).compose_plain(acme[template], RenderError("it failed"))
    found = {
        world.app.links.read_action(t).purpose for t in re.findall(r"/a/([\w.-]+)", plain.text)
    }
    assert found == purposes
    assert f"/cases/{acme[template].view.case.id}" in plain.text


@pytest.mark.parametrize(
    ("locale", "subject", "german_text"),
    [
        ("de", "Bitte anrufen", True),
        ("de-AT", "Bitte anrufen", True),
        ("fr", "Call Acme", False),
        ("en", "Call Acme", False),
    ],
)
def test_a_reader_without_templates_of_his_own_reads_english(
    world: World, acme: dict[str, Letter], locale: str, subject: str, german_text: bool
) -> None:
    german = with_template(
        acme["call"], de_call_subject_txt="Bitte anrufen", de_call_txt="Bitte heute noch."
    )
    letter = replace(german, recipient=german.recipient.model_copy(update={"locale": locale}))
    mail = composed(world, letter)
    assert mail.subject.startswith(subject)
    assert ("Bitte heute noch." in mail.text) is german_text
    assert "YOU are the caller" in (mail.html or "")  # what is missing in German comes in English


def test_a_reader_sees_conditions_rules_and_segments_in_the_own_language(
    small_world: World,
) -> None:
    words = """
conditions: {gave a negative answer: gab eine negative Antwort, is a key account: ist ein Schlüsselkunde}
rules: {key-account-unhappy: Ein Schlüsselkunde ist unzufrieden}
segments: {key: Schlüsselkunde}
"""  # noqa: E501
    files = {**starter_files(), "rules/words/de.yaml": words}
    people = {
        name: p.model_copy(update={"locale": "de-AT"})
        for name, p in starter_people().items()
        if name != "ceo"
    }
    activate_rulebook(
        small_world.app.ctx, files, {**starter_people(), **people}, author="test", reason="words"
    )
    small_world.known_customers()
    small_world.take(small_world.survey())
    by_reader = {mail.to.split("<")[-1].split("@")[0]: mail for mail in small_world.deliver()}
    assert "gab eine negative Antwort (" in by_reader["vp.sales"].text
    assert "Schlüsselkunde, NPS 2" in by_reader["vp.sales"].subject
    assert by_reader["owner.north"].subject.startswith(
        "For information: Acme Aerospace: Ein Schlüsselkunde ist unzuf"
    )
    assert "gave a negative answer" not in by_reader["vp.sales"].text
