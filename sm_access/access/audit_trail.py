"""The ledger as an auditor reads it: an entry for each event, in order of time, with who wrote it and how we know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from sm_access.access.caller import Caller, principal_key
from sm_access.access.events import Event, Submitted


class Authorship(str, Enum):
    """How it is known who wrote an event."""

    PROVEN = "proven"
    """IAM lets nobody else write where it lies."""
    RECORDED = "recorded"
    """The writer's process wrote down what STS said; whoever can write the ledger could have written it as well."""
    UNKNOWN = "unknown"
    """The event names nobody, and where it lies says nothing."""


@dataclass(frozen=True, slots=True)
class Head:
    """How long the ledger is and the hash of its last row.

    `pending`: rows that the chain does not bind yet, each with partition, sort key and hash; only a shared ledger has
    some (`stores.dynamodb_rows`).
    """

    rows: int
    hash: str
    pending: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `position` in the ledger's chain; None where the chain does not bind it yet.

    `author`: the role or user that wrote it, an ARN without the role's path; empty where that is not known. `user_id`:
    AWS's id of the session, such as `AROA...:SageMaker`.
    """

    request_id: str
    version: int
    kind: str
    event: Event
    author: str
    user_id: str
    authorship: Authorship
    position: int | None
    hash: str

    @property
    def at(self) -> datetime:
        return self.event.at


@dataclass(frozen=True, slots=True)
class Audit:
    """All of a ledger at one moment, checked.

    `entries`: everything that counts, in order of time. `uncounted`: rows that were written past this package and
    count for nothing, each with the reason.
    """

    entries: tuple[Entry, ...]
    head: Head
    uncounted: Mapping[str, str]


class AuditedLedger(Protocol):
    """A ledger that shows all that was written, and what was done to it since."""

    def audit(self, *noted: Head) -> Audit:
        """Check every row, and that heads noted earlier are found again. Raises LedgerTampered, naming what is not."""


def actor_in(event: Event) -> Caller | None:
    """Who the event says did it; None for what names nobody. An event has at most one."""
    for name in type(event).__dataclass_fields__:
        value = getattr(event, name)
        if isinstance(value, Caller):
            return value
    return None


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """By time, and where that is the same, as they were written."""
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.position or 1 << 62, entry.version)))


def matching(
    entries: Sequence[Entry],
    *,
    role: str | None = None,
    request_id: str | None = None,
    since: datetime | None = None,
) -> tuple[Entry, ...]:
    """Those of an access request, since a moment, and of a role - that wrote it or that the request is for.

    role: a name or an ARN.
    """
    roles: dict[str, str] = {
        entry.request_id: entry.event.role_arn for entry in entries if isinstance(entry.event, Submitted)
    }
    return tuple(
        entry
        for entry in entries
        if (request_id is None or entry.request_id == request_id)
        and (since is None or entry.at >= since)
        and (role is None or _is(role, entry.author) or _is(role, roles.get(entry.request_id, "")))
    )


def _is(role: str, arn: str) -> bool:
    if not arn:
        return False
    key = principal_key(arn)
    return principal_key(role) == key if role.startswith("arn:") else key.rsplit("/", 1)[-1] == role.lower()
