"""The main job with every role a process of its own, on Kafka, PostgreSQL and SMTP with STARTTLS
and login.

`scripts/production-story` plays the same story by hand, with PostgreSQL's fsync on and a thousand
events after it.
"""

import signal
import time
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from typing import Any

from tests.support.system.installer import Installer
from tests.support.system.mails import sent_twice, told
from tests.support.system.roles import ROOT


def load_story() -> Any:
    loader = SourceFileLoader("production_story", str(ROOT / "scripts" / "production-story"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_story_on_real_parts_and_an_orderly_end(install: Installer) -> None:
    place = install()
    consumers = [place.run("consume"), place.run("consume")]
    for name in ("web", "deliver", "follow-up"):
        place.run(name)
    place.begun(*consumers)
    load_story().tell(place)
    mails = place.smtp.messages
    assert len(mails) == 9
    assert not sent_twice(mails)
    assert ("vp.sales", "Kiosk Seven") not in [(who, words[:11]) for who, words in told(mails)]
    assert [who for who, words in told(mails) if "Acme Aerospace" in words] == [
        "office.berlin",
        "owner.north",
        "vp.sales",
    ]
    assert place.http("/readyz")[0] == 200
    for role in place.roles:
        began = time.monotonic()
        role.end(signal.SIGTERM)
        print(f"\n{role.log.stem} ended in {time.monotonic() - began:.1f} s", end="")
        assert role.exit_code() == 0, "killed, because it did not end when it was asked to"
        assert time.monotonic() - began < 10, "a container is killed after ten seconds"
        assert [line for line in role.lines if line["level"] in {"ERROR", "CRITICAL"}] == []
