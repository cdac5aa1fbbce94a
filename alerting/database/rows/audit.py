"""Rows of the audit."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class EntryRow:
    """An entry; `body` is what is sealed."""

    id: int
    happened_at: datetime
    recorded_at: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class CheckpointRow:
    """An end of the chain that was handed out."""

    id: int
    week: str
    seq: int
    hash: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class SealedRow:
    """A seal with its entry's columns; all of them are None where the entry is gone."""

    seq: int
    entry_id: int
    prev: str
    hash: str
    id: int | None
    happened_at: datetime
    recorded_at: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: str
    body: bytes

    @property
    def entry(self) -> EntryRow | None:
        if self.id is None:
            return None
        return EntryRow(
            id=self.id,
            happened_at=self.happened_at,
            recorded_at=self.recorded_at,
            actor=self.actor,
            action=self.action,
            subject_kind=self.subject_kind,
            subject_id=self.subject_id,
            body=self.body,
        )


@dataclass(frozen=True, kw_only=True)
class SealOfEntry:
    """An entry with its seal, which is None while it waits for one."""

    id: int
    recorded_at: datetime
    actor: str
    action: str
    seq: int | None
    hash: str | None


@dataclass(frozen=True, kw_only=True)
class PersonalRow:
    """A personal value; `key` is None where it is gone."""

    entry_id: int
    name: str
    value: str
    key: bytes | None
