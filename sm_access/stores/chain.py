"""The hash chain through a whole ledger: each row binds its place, its content and the row before it.

It shows that a row was changed, dropped, swapped or put in between. That rows are missing at the end, or
that everything was written anew, shows only against a head that was noted elsewhere: keep `Head` where the
ledger's writers cannot write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace

from sm_access.access.audit_trail import Audit, Authorship, Entry, Head, actor_in, in_order
from sm_access.access.canonical import canonical_json, sha256
from sm_access.access.event_codec import decode_event, encode_event, kind_of
from sm_access.access.events import Event
from sm_access.access.instant import format_instant
from sm_access.errors import LedgerTampered

START = "0" * 64
"""What the first row has for the hash of the row before it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event as it is stored. `position` counts through the ledger from 1, `version` through the stream
    from 1."""

    position: int
    request_id: str
    version: int
    kind: str
    at: str
    body: str
    prev_hash: str
    hash: str

    def expected_hash(self) -> str:
        """The hash that this content has after that row."""
        return sha256(astuple(self)[:-1])


def row_after(head: Head, request_id: str, version: int, event: Event) -> Row:
    """The row that adds an event to a ledger with this head."""
    bare = Row(
        position=head.rows + 1,
        request_id=request_id,
        version=version,
        kind=kind_of(event),
        at=format_instant(event.at),
        body=canonical_json(encode_event(event)),
        prev_hash=head.hash,
        hash="",
    )
    return replace(bare, hash=bare.expected_hash())


def event_in(row: Row) -> Event:
    """The event of a row whose content is what its hash says. Raises LedgerTampered."""
    if row.hash != row.expected_hash():
        raise broken(f"row {row.position} was changed after it was written")
    try:
        body = json.loads(row.body)
    except ValueError as fault:
        raise broken(f"row {row.position} is not JSON") from fault
    event = decode_event(row.kind, body)
    if format_instant(event.at) != row.at:
        raise broken(f"row {row.position} has two dates")
    return event


def read_rows(rows: Iterable[Row], noted: Head | None = None) -> tuple[Head, list[tuple[str, Event]]]:
    """A whole ledger, in order -> its head, and each event with the id of its access request.

    `noted`: a head from before, to be found again. Raises LedgerTampered, naming the first row that is wrong.
    """
    head = Head(0, START)
    read: list[tuple[str, Event]] = []
    versions: dict[str, int] = {}
    found = noted is None or noted == head
    for row in rows:
        version = versions.get(row.request_id, 0) + 1
        if row.position != head.rows + 1 or row.prev_hash != head.hash or row.version != version:
            raise broken(f"row {head.rows + 1} does not follow on the row before it")
        read.append((row.request_id, event_in(row)))
        versions[row.request_id] = version
        head = Head(row.position, row.hash)
        found = found or noted == head
    if noted is not None and not found:
        raise broken(f"row {noted.rows} of a head noted earlier is missing or another one")
    return head, read


def streams_of(rows: Iterable[Row]) -> dict[str, tuple[Event, ...]]:
    """A whole ledger, in order -> its streams, in order of submission. Raises LedgerTampered."""
    streams: dict[str, list[Event]] = {}
    for request_id, event in read_rows(rows)[1]:
        streams.setdefault(request_id, []).append(event)
    return {request_id: tuple(events) for request_id, events in streams.items()}


def audit_of(rows: Iterable[Row], noted: Iterable[Head]) -> Audit:
    """A whole ledger, in order, as an auditor reads it. Raises LedgerTampered."""
    listed = list(rows)
    for earlier in noted:
        read_rows(listed, earlier)
    head, read = read_rows(listed)
    entries = (_entry(row, event) for row, (_, event) in zip(listed, read, strict=True))
    return Audit(in_order(entries), head, {})


def _entry(row: Row, event: Event) -> Entry:
    actor = actor_in(event)
    return Entry(
        request_id=row.request_id,
        version=row.version,
        kind=row.kind,
        event=event,
        author=actor.principal if actor is not None else "",
        user_id=actor.user_id if actor is not None else "",
        authorship=Authorship.UNKNOWN if actor is None else Authorship.RECORDED,
        position=row.position,
        hash=row.hash,
    )


def broken(what: str) -> LedgerTampered:
    """The error for a ledger that was tampered with or damaged."""
    return LedgerTampered(
        f"The ledger is not as it was written: {what}.",
        remedy="Nothing is decided or applied from it. Compare it with a backup before going on.",
    )
