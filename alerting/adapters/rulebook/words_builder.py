"""rules/words/<locale>.yaml: what the business has named, in the languages of those who read it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from alerting.adapters.files.findings import Findings
from alerting.adapters.files.yaml_files import LOCALE, YamlFile
from alerting.adapters.rulebook.forms.rule_forms import WordsForm
from alerting.adapters.rulebook.rule_sources import Sources
from alerting.domain.rulebook.rulebook import Rule, Words

FOLDER = "rules/words/"


@dataclass(frozen=True, kw_only=True)
class Translatable:
    """What has a name that can be translated; None where nobody can tell which there are."""

    conditions: Collection[str]
    rules: Collection[str] | None
    segments: Collection[str] | None

    @classmethod
    def of(
        cls,
        rules: Mapping[str, Rule],
        rule_ids: Collection[str] | None,
        segments: Collection[str] | None,
    ) -> "Translatable":
        """The conditions of `rules`, and the ids of all rules and segments."""
        conditions = {named.name for rule in rules.values() for named in rule.when}
        return cls(conditions=conditions, rules=rule_ids, segments=segments)


def read_words(sources: Sources, known: Translatable) -> dict[str, Words]:
    """The words of each locale. What is not translated is a warning."""
    found = {}
    for file in sources.open_folder(FOLDER):
        locale = file.name.removeprefix(FOLDER).rsplit(".", 1)[0]
        if not re.fullmatch(LOCALE, locale):
            hint = "name the file de.yaml, or pt-BR.yaml"
            sources.findings.add(file, (), f"{locale!r} is no locale", hint)
        form = file.read(WordsForm, sources.findings)
        _check_names(file, known, sources.findings)
        if form is not None:
            found[locale] = Words(**form.model_dump())
            missing = sorted({*known.conditions} - form.conditions.keys())
            if missing:
                said = ", ".join(repr(word) for word in missing)
                hint = "mails show them as they stand in the rules"
                sources.findings.warn(file.name, f"not translated: {said}", hint)
    return found


def _check_names(file: YamlFile, known: Translatable, findings: Findings) -> None:
    """Whether what is translated is there. A condition that is refused has a name, too: so those
    are only checked where nothing is wrong.
    """
    for part in ("conditions", "rules", "segments"):
        for word in file.names(part) or ():
            names: Collection[str] | None = getattr(known, part)
            if part == "conditions" and findings.problems:
                names = None
            findings.check_name(file, (part, word), part[:-1], word, names)
