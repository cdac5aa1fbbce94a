"""A past made up by a seed: customers who change, survey answers and calls, with every kind of gap,
tie and edge.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

KEYS = (
    "ACME-AERO",
    "NORDWIND",
    "LUMEN-MED",
    "KIOSK-7",
    "ÄRZTE-1",
    "zulu",
    "Zulu",
    "O'Neill",
    "10",
    "9",
    "é",
    "🚲",
)
STRANGERS = ("NEVER-HEARD-OF", "nobody")
SLOT = timedelta(hours=6)
SLOTS = 200
"""Fifty days: windows begin exactly where events lie, and events coincide."""

INSTANT = timedelta(microseconds=1)
DRIFTS = (0 * INSTANT, 0 * INSTANT, 0 * INSTANT, INSTANT, -INSTANT)

WORDS = (
    *(
        "we will cancel",
        "CANCEL!",
        "cancellation",
        "Switch  to them",
        "switch\nto",
        "wir KÜNDIGEN.",
        "kündigend",
    ),
    *(
        "50% off",
        "50 percent",
        "a_b",
        "aXb",
        "ÄRGER",
        "ärger",
        "",
        "the seal leaks",
        "O'Neill called",
        "\\ slash",
    ),
)
ANYTHING = (None, 0, 1, 7, 7.0, 2.5, -3, "7", "gold", "", True, False, ["gold"], {"a": 1})


class Past:
    """Makes events; the same seed, the same past."""

    def __init__(self, seed: int, now: datetime) -> None:
        self.rnd = random.Random(seed)
        self.now = now
        self.count = 0

    def events(self, number: int) -> list[dict[str, Any]]:
        """Envelopes in the order of their times, but for some that come late."""
        made = [*self._changes(), *(self._happening() for _ in range(number))]
        late = {envelope["id"] for envelope in made if self.rnd.random() < 0.05}
        return sorted(made, key=lambda envelope: (envelope["id"] in late, envelope["time"]))

    def _moment(self) -> datetime:
        slot = (
            self.rnd.randrange(SLOTS)
            if self.rnd.random() < 0.8
            else self.rnd.randrange(SLOTS // 10)
        )
        return self.now - SLOT * (slot + 1) + self.rnd.choice(DRIFTS)

    def _envelope(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Ids whose order is neither that of their numbers nor that of their arrival."""
        self.count += 1
        return {
            "specversion": "1.0",
            "type": kind,
            "source": self.rnd.choice(["/a", "/b", "/B", "/ä"]),
            "id": f"{self.rnd.choice(['', 'é', 'Z', 'a', '-'])}{self.count}",
            "time": self._moment().isoformat(),
            "data": data,
        }

    def _some(self, **choices: Any) -> dict[str, Any]:
        """Of each field one of its values, nothing, or null."""
        found = {}
        for name, values in choices.items():
            chance = self.rnd.random()
            if chance < 0.75:
                found[name] = self.rnd.choice(values)
            elif chance < 0.85:
                found[name] = None
        return found

    def _changes(self) -> Iterator[dict[str, Any]]:
        for key in KEYS:
            for _ in range(self.rnd.randrange(1, 6)):
                yield self._envelope("customer.updated", {"customer_id": key, **self._customer()})

    def _customer(self) -> dict[str, Any]:
        days = self.rnd.randrange(-60, 150)
        attributes = self._some(
            fleet=[0, 3, 7, 120, "many", 2.5],
            discount=[0, 10, 10.0, 7, 7.5, "0.5"],
            premium=[True, False, 1],
            signed=["2025-11-30", "2026-01-31", "2026-02-28", "soon"],
            seen=["2026-02-01T08:30:00Z", "2026-02-01T09:30:00+01:00", "2026-02-20T00:00:00Z", 7],
            labels=[[], ["gold"], ["gold", None], [None], ["silver", "vip"], ["silver", 7]],
            tier=["A", "a", "Ä", "b", 5],
        )
        return self._some(
            name=["Acme", "acme", "Ärzte"],
            revenue_with_us=[0, 1_900, 60_000, 249_999.99, 250_000, 250_000.01, 1_240_000],
            industry=["healthcare", "aviation"],
            country=["DE", "US", "FR"],
            region=["Bavaria", "bavaria"],
            employees=[0, 0, 7, 40, 2_000],
            lifecycle=["onboarding", "active"],
            renewal_date=[(self.now.date() + timedelta(days=days)).isoformat()],
            owner=["owner_north", "owner_west"],
            language=["de", "en"],
            attributes=[attributes, attributes, attributes, None],
        )

    def _happening(self) -> dict[str, Any]:
        key = self.rnd.choice(KEYS) if self.rnd.random() < 0.95 else self.rnd.choice(STRANGERS)
        if self.rnd.random() < 0.5:
            return self._envelope(
                "interaction.recorded", {"customer_id": key, **self._interaction()}
            )
        who: dict[str, Any] = {"customer_id": key}
        if self.rnd.random() < 0.05:
            who = {
                "respondent": {
                    "email": self.rnd.choice(["a@b.example", "A@B.example", "c@d.example"])
                }
            }
        return self._envelope("survey.answered", {**self._answer(), **who})

    def _interaction(self) -> dict[str, Any]:
        said = self._some(
            direction=["inbound", "inbound", "outbound"],
            outcome=[
                "resolved",
                "unresolved",
                "unresolved",
                "escalated",
                "voicemail",
                "abandoned",
                "none",
            ],
            office=["office_berlin", "Office_Berlin"],
            agent=["ann", "ben", "Ann"],
            topic=["billing", "Billing", "delivery", "50%"],
            duration_seconds=[0, 1, 30, 59, 60, 60.5, 600, 0.25],
            text=list(WORDS),
        )
        return {"channel": self.rnd.choice(["phone", "phone", "phone", "email", "chat"]), **said}

    def _answer(self) -> dict[str, Any]:
        metric, scale, scores = self.rnd.choice(
            [
                ("nps", None, [0, 2, 6, 7, 7.0, 8, 9, 10]),
                ("nps", None, [0, 2, 6, 7, 7.0, 8, 9, 10]),
                ("csat", None, [1, 2, 3, 4, 5]),
                ("ces", None, [1, 3, 4, 5, 7]),
                ("rating", 5, [1, 2.6, 2.5, 3.5, 4, 4.0, 5]),
                ("rating", 2, [1, 1.4, 1.5, 1.75, 2]),
            ]
        )
        said = self._some(
            score=scores,
            comment=list(WORDS),
            language=["de", "en", "DE"],
            contact_me=[True, False],
            respondent=[{"name": "Ada", "phone": "+49 30 5550199"}, {"email": "x@y.example"}],
        )
        answers = self._some(price=ANYTHING, reason=ANYTHING, promised=ANYTHING)
        scaled = {"scale": scale} if scale else {}
        extra = {"answers": answers} if self.rnd.random() < 0.6 else {}
        return {
            "survey_id": self.rnd.choice(["relationship", "install"]),
            "metric": metric,
            **scaled,
            **extra,
            **said,
        }
