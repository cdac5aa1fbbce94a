"""The chain that seals the audit: each seal holds the hash of the one before, and anybody can
reckon it again.

A seal's hash is SHA-256 over `alerting audit 1`, the hash before, the seal's number, the entry's
number, and the SHA-256 of the entry's bytes, each on a line of its own. Nothing else is needed to
check an export, not even this product.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

FORM = "alerting audit 1"

GENESIS = hashlib.sha256(FORM.encode()).hexdigest()
"""What the first seal holds as the hash before it."""


@dataclass(frozen=True, kw_only=True)
class Seal:
    seq: int
    entry: int
    prev: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Head:
    """Where the chain ends."""

    seq: int = 0
    hash: str = GENESIS

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


def canonical(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def seal_after(head: Head, entry: int, body: bytes) -> Seal:
    seq = head.seq + 1
    parts = (FORM, head.hash, str(seq), str(entry), hashlib.sha256(body).hexdigest())
    return Seal(
        seq=seq,
        entry=entry,
        prev=head.hash,
        hash=hashlib.sha256("\n".join(parts).encode()).hexdigest(),
    )


def amiss(noted: Head | None, newest: Head) -> str | None:
    """What is wrong where the end of the chain, which is noted apart, is not its newest seal."""
    if newest != Head() and (noted is None or noted == Head()):
        return f"the noted end of the chain is gone, and there are seals up to {newest.seq}"
    if noted is None or noted == newest:
        return None
    if noted.seq < newest.seq:
        return (
            f"the noted end of the chain is seal {noted.seq}, and there are seals beyond it, "
            f"up to {newest.seq}"
        )
    if noted.seq > newest.seq:
        return f"the chain ends at seal {newest.seq}, the stored head knows seal {noted.seq}"
    return f"seal {newest.seq} is not the one that is noted as the end of the chain"


class Walk:
    """Follows a chain from its beginning; every finding names the seal and the entry."""

    def __init__(self) -> None:
        self.head = Head()
        self.heads: dict[int, str] = {}
        """Of the seals asked for by `watch`."""
        self._watched: set[int] = set()

    def watch(self, seqs: Iterable[int]) -> None:
        self._watched |= set(seqs)

    def step(self, seal: Seal, body: bytes) -> Iterator[str]:
        expected = seal_after(self.head, seal.entry, body)
        if seal.seq != expected.seq:
            yield f"seal {expected.seq} is missing: {seal.seq} follows {self.head.seq}"
            expected = seal_after(Head(seq=seal.seq - 1, hash=seal.prev), seal.entry, body)
        elif seal.prev != expected.prev:
            yield f"seal {seal.seq} does not follow the one before it"
            expected = seal_after(Head(seq=seal.seq - 1, hash=seal.prev), seal.entry, body)
        if seal.hash != expected.hash:
            yield f"entry {seal.entry} (seal {seal.seq}) was altered"
        self.head = Head(seq=seal.seq, hash=seal.hash)
        if seal.seq in self._watched:
            self.heads[seal.seq] = seal.hash

    def compare(self, known: Iterable[Head], where: str) -> Iterator[str]:
        """Checkpoints that were handed out, against the chain as it is."""
        for head in known:
            found = self.heads.get(head.seq)
            if found is None and head != Head():
                yield f"the chain ends at seal {self.head.seq}, {where} knows seal {head.seq}"
            elif found is not None and found != head.hash:
                yield f"seal {head.seq} is not the one {where} knows"


def read_head(text: str) -> Head:
    """`12:9f3c...` as a checkpoint is written. Raises ValueError."""
    seq, colon, hash_ = text.strip().partition(":")
    if not colon or not seq.isdecimal() or len(hash_) != 64 or set(hash_) - set("0123456789abcdef"):
        raise ValueError(f"{text!r} is no checkpoint; write its number, a colon and its 64 signs")
    return Head(seq=int(seq), hash=hash_)
