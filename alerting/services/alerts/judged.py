"""An event that was judged, and which of its judgements this is."""

from dataclasses import dataclass

from alerting.domain.alerts.judge import Judgement
from alerting.domain.rulebook.rulebook import Rulebook


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A stored event with what `rulebook` made of it; `excluded` is what its age says."""

    seq: int
    judgement: Judgement
    rulebook: Rulebook
    excluded: str | None

    @property
    def segment(self) -> str:
        return self.judgement.membership.segment


@dataclass(frozen=True, kw_only=True)
class Revision:
    """Which version of an alert: `raised` first, `upgraded` or `withdrawn` by facts that came
    later.
    """

    number: int = 1
    state: str = "raised"


FIRST = Revision()
