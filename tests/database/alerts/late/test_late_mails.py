"""Who is told when facts arrive late: everybody once, what holds by then."""

from datetime import timedelta

from alerting.database.people import staff_facts
from tests.support.intake.late_facts import lumen
from tests.support.world import BEGIN, World


def test_whoever_gets_the_call_back_is_told_again(world: World) -> None:
    """First nobody's, then its owner's, then, by a corrected fact, nobody's again."""

    def told() -> list[tuple[str, str]]:
        return [(mail.to.split(" <")[0], mail.subject.split(" ")[0]) for mail in world.deliver()]

    early = (world.now() - timedelta(hours=30)).isoformat()
    world.take(world.survey("LATE-1", score=1, time=(world.now() - timedelta(hours=5)).isoformat()))
    assert told() == [("Dora Sample", "Call")]
    world.take(
        world.customer(
            "LATE-1", name="Late Works", owner="owner_west", time=world.now().isoformat()
        )
    )
    assert sorted(told()) == [("Dora Sample", "For"), ("Otto Sample", "Call")]
    world.take(world.customer("LATE-1", owner=None, time=early))
    assert sorted(told()) == [("Dora Sample", "Call"), ("Otto Sample", "For")]
    assert world.case("LATE-1").caller == "service_desk_lead"
    world.take(world.customer("LATE-1", industry="energy", time=early.replace("+00:00", "Z")))
    assert told() == []


def test_a_mail_about_changed_facts_says_so_on_a_line_of_its_own(world: World) -> None:
    world.take(world.survey("LATE-1", score=1))
    world.deliver()
    world.take(world.customer("LATE-1", name="Late Works", revenue_with_us=400_000))
    texts = [mail.text.replace("\r", "") for mail in world.deliver()]
    said = [text for text in texts if "(Since our first mail" in text]
    assert said
    assert all("\n(Since our first mail" in text for text in said)


def test_what_each_was_told_last_is_what_holds_and_nobody_is_told_it_twice(world: World) -> None:
    world.take(world.survey("LUMEN"))
    last: dict[str, str] = {}
    for day, revenue in enumerate([2_000_000, 900, 900, 2_000_000, 410_000, 2_000_000]):
        world.take(lumen(world, revenue, time=(BEGIN - timedelta(days=20 - day)).isoformat()))
        for mail in world.deliver():
            assert last.get(mail.to) != mail.subject[:4], f"{mail.to} was told so already"
            last[mail.to] = mail.subject[:4]
        caller = world.case("LUMEN").caller
        assert [to for to, told in last.items() if told == "Call"] == [
            to for to in last if to == address(world, caller)
        ]


def address(world: World, person: str) -> str:
    with world.app.ctx.db.read() as tx:
        party = staff_facts.party_at(tx, person, tx.now())
    assert party is not None
    return f"{party.name} <{party.email}>"
