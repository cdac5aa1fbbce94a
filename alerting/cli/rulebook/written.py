"""The rulebook as its files stand now."""

from pathlib import Path

from alerting.adapters.rulebook import rule_files
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.bootstrap import App
from alerting.database.people import staff_facts
from alerting.domain.people.people import Known
from alerting.domain.rulebook.rulebook import Rulebook


def written_rulebook(app: App, rules: Path, templates: Path) -> tuple[Rulebook, dict[str, Known]]:
    """The files as they stand, with the people of people.yaml; rules may name whoever is known
    otherwise, too.
    """
    with app.ctx.db.read() as tx:
        elsewhere = staff_facts.from_elsewhere(tx, tx.now())
    files, people = rule_files.read_all(rules, templates, elsewhere=elsewhere)
    return build_rulebook(files, {**elsewhere, **people}), people
