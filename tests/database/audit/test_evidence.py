"""Evidence: a sample of whole cases, drawn by its seed."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerting.adapters.pages import Pages
from alerting.domain.errors import ActionRefused
from alerting.services.audit.sample import draw_sample
from tests.support.audit import by_force
from tests.support.builders import ROOT
from tests.support.world import World


@pytest.mark.parametrize("body", ["X'7b7d'", "X'ff'", "CAST(body AS TEXT)"])
@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
def test_evidence_can_be_drawn_whatever_was_made_of_an_entry(told: World, body: str) -> None:
    by_force(
        told, f"UPDATE audit_entry SET body = {body} WHERE subject_kind = 'case' AND id % 2 = 0"
    )
    drawn = draw_sample(
        told.app.ctx, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), 2, "dice"
    )
    assert bool(drawn.verified.problems) == body.startswith(
        "X"
    )  # a text of the same bytes says the same
    assert all(evidence.moments for evidence in drawn.cases)


def test_a_sample_is_drawn_by_its_seed_and_shows_whole_cases(told: World, tmp_path: Path) -> None:
    told.take(told.survey("ALPENWERK", comment="Three <calls>, no answer."))
    month = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    drawn = draw_sample(told.app.ctx, *month, 2, "dice")
    again = draw_sample(told.app.ctx, *month, 2, "dice")
    numbers = [evidence.view.case.id for evidence in drawn.cases]
    assert (drawn.population, len(numbers)) == (3, 2)
    assert numbers == [evidence.view.case.id for evidence in again.cases]
    by_hand = sorted((1, 2, 3), key=lambda n: hashlib.sha256(f"dice:{n}".encode()).hexdigest())[:2]
    assert numbers == sorted(by_hand)
    assert drawn.verified.problems == [] and drawn.verified.unsealed == 0
    pages = Pages(ROOT / "templates" / "pages", has_mailbox=False)
    whole = draw_sample(told.app.ctx, *month, 10, "dice")
    page = pages.render("evidence.html", {"s": whole, "last_day": "2026-03-31"})
    (tmp_path / "evidence.html").write_text(page)
    assert "3 of 3 cases opened from 2026-03-01 to 2026-03-31" in page
    assert "Three &lt;calls&gt;, no answer." in page and "Vera Sample reached the customer" in page
    sealed = [entry for evidence in whole.cases for entry in evidence.entries]
    assert len(sealed) > 5 and all(entry.hash and entry.hash in page for entry in sealed)
    assert str(whole.verified.head) in page
    with pytest.raises(ActionRefused, match="no case was opened from 2026-04-01"):
        draw_sample(told.app.ctx, month[1], datetime(2026, 5, 1, tzinfo=UTC), 2, "dice")


def test_who_opens_evidence_of_an_altered_audit_reads_it_first(told: World) -> None:
    by_force(told, "UPDATE audit_entry SET actor = 'somebody' WHERE id = 3")
    drawn = draw_sample(
        told.app.ctx, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), 2, "dice"
    )
    page = Pages(ROOT / "templates" / "pages", has_mailbox=False).render(
        "evidence.html", {"s": drawn, "last_day": "x"}
    )
    assert "NOT as it was sealed" in page and "the column actor does not say" in page
