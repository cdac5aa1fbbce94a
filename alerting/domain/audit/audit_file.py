"""The audit as a file that is checked without a database: a line for each sealed entry, and one
that closes it.

The closing line holds the SHA-256 of all bytes before it: no byte can be changed, added or left out
unnoticed. Whoever writes the whole file anew, hashes included, is found by a checkpoint that was
handed out before.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator

from alerting.domain.audit.seals import FORM, Head, Seal, Walk, canonical
from alerting.domain.fields import Fields


def lines_of(sealed: Iterable[tuple[Seal, bytes]], about: dict[str, object]) -> Iterator[bytes]:
    """The file, line by line; `about` says when and from where."""
    digest, head = hashlib.sha256(), Head()

    def counted(value: dict[str, object]) -> bytes:
        line = _line(value)
        digest.update(line)
        return line

    yield counted({"form": FORM, **about})
    for seal, body in sealed:
        head = Head(seq=seal.seq, hash=seal.hash)
        yield counted(
            {
                "seq": seal.seq,
                "entry": seal.entry,
                "prev": seal.prev,
                "hash": seal.hash,
                "body": body.decode(errors="replace"),
            }
        )
    yield _line({"closes": FORM, "seq": head.seq, "head": head.hash, "sha256": digest.hexdigest()})


def _line(value: dict[str, object]) -> bytes:
    return canonical(value) + b"\n"


def check_file(lines: Iterable[bytes], known: Iterable[Head] = ()) -> tuple[Head, list[str]]:
    """Where the chain of a file ends, and everything that is wrong with it, by line."""
    walk, digest, problems = Walk(), hashlib.sha256(), list[str]()
    checkpoints = list(known)
    walk.watch(head.seq for head in checkpoints)
    number, closed, announced = 0, False, None
    for number, line in enumerate(lines, 1):
        if closed:
            problems.append(f"line {number}: stands behind the closing line")
            break
        value = _read(line)
        if value is None:
            problems.append(f"line {number}: is not as it was written")
        elif "closes" in value:
            closed = True
            expected = {
                "closes": FORM,
                "seq": walk.head.seq,
                "head": walk.head.hash,
                "sha256": digest.hexdigest(),
            }
            if value != expected:
                problems.append(f"line {number}: the lines before it are not those it closes")
            if announced != number - 2:
                problems.append(
                    f"line 1: says that {announced} entries follow, and {number - 2} do"
                )
        elif number == 1:
            if value.get("form") != FORM:
                problems.append(f"line 1: is no export of the form {FORM!r}")
            announced = value.get("entries")
        else:
            problems += [f"line {number}: {problem}" for problem in _step(walk, value)]
        digest.update(line)
    if not closed:
        problems.append(
            f"the file ends at line {number} without its closing line: something is cut off"
        )
    problems += walk.compare(checkpoints, "the checkpoint")
    return walk.head, problems


def _read(line: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(line)
        return value if isinstance(value, dict) and _line(value) == line else None
    except (ValueError, RecursionError):  # also half of a surrogate pair, which no text holds
        return None


def _step(walk: Walk, value: dict[str, object]) -> Iterator[str]:
    kinds = {"seq": int, "entry": int, "prev": str, "hash": str, "body": str}
    if value.keys() != kinds.keys() or any(
        type(value[name]) is not kind for name, kind in kinds.items()
    ):
        yield "is no sealed entry"
        return
    said = Fields(value)
    seal = Seal(
        seq=said.number("seq"),
        entry=said.number("entry"),
        prev=said.text("prev"),
        hash=said.text("hash"),
    )
    yield from walk.step(seal, said.text("body").encode("utf-8", "surrogatepass"))
