"""Evidence: some cases, drawn so that nobody chose them, with their whole story and the seals over
it.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from alerting.database.audit import seals
from alerting.database.cases import cases
from alerting.database.rows.audit import SealOfEntry
from alerting.domain.errors import ActionRefused, ChainBroken
from alerting.services.audit.seal import Verified, seal_all, verify
from alerting.services.cases.case_view import CaseView, case_view
from alerting.services.cases.timeline import StoryLine, timeline
from alerting.services.context import Context


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One case: how it stands, what happened, and each audit entry about it with its seal."""

    view: CaseView
    moments: Sequence[StoryLine]
    entries: Sequence[SealOfEntry]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Cases opened in [begin, end), drawn with `seed` out of `population`, and the audit's
    verification of that moment.
    """

    begin: datetime
    end: datetime
    seed: str
    drawn_at: datetime
    population: int
    cases: Sequence[Evidence]
    verified: Verified


def rank(seed: str, case_id: int) -> str:
    """Cases are drawn in the order of the SHA-256 over the seed, a colon and the case's number:
    anybody can draw them again.
    """
    return hashlib.sha256(f"{seed}:{case_id}".encode()).hexdigest()


def draw_sample(ctx: Context, begin: datetime, end: datetime, count: int, seed: str) -> Sample:
    """Draw and gather. Raises ActionRefused where no case was opened in the period."""
    with suppress(ChainBroken):  # the verification says so, at the head of the page
        seal_all(ctx)
    verified = verify(ctx)
    with ctx.db.read() as tx:
        opened = cases.opened_between(tx, begin, end)
        if not opened:
            raise ActionRefused(
                f"no case was opened from {begin:%Y-%m-%d} on and before {end:%Y-%m-%d}"
            )
        drawn = sorted(opened, key=lambda case_id: rank(seed, case_id))[:count]
        rulebook, found = ctx.shelf.active(tx), []
        for case_id in sorted(drawn):
            view = case_view(tx, rulebook, case_id)
            entries = seals.seals_of(tx, "case", str(case_id))
            found.append(Evidence(view=view, moments=timeline(tx, view), entries=entries))
        return Sample(
            begin=begin,
            end=end,
            seed=seed,
            drawn_at=tx.now(),
            population=len(opened),
            cases=found,
            verified=verified,
        )
