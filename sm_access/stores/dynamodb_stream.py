"""The stream of one access request as the rows of a DynamoDB ledger leave it, and what to insert to extend it. Pure.

A requester can put nonsense into partitions of their own, and so take places in the order of their own requests. That
must not keep anybody from revoking: what is not a sound event of its author, or does not follow on the row before it,
counts for nothing; it is passed over and named. And where a reviewer's or reconciler's row follows on an earlier row
than the last, the requester's rows in between were put in afterwards, and count for nothing either. Neither does what
the desk would never have written: one access request that cannot be folded or shown would hide everybody else's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sm_access.access.audit_trail import Head, actor_in
from sm_access.access.caller import PARTITIONS
from sm_access.access.canonical import canonical_json
from sm_access.access.event_codec import decode_event, encode_event, kind_of
from sm_access.access.events import Event
from sm_access.access.instant import format_instant
from sm_access.access.model import AccessRequest, advance, fold
from sm_access.access.terms import terms_of
from sm_access.errors import LedgerTampered, LedgerUnavailable, Refused, SmAccessError
from sm_access.stores.chain import START, broken
from sm_access.stores.dynamodb_rows import (
    APPLY,
    ASK,
    DECIDE,
    FIRST,
    ORDER,
    ClaimRow,
    EventRow,
    Item,
    Key,
    LogRow,
    OrderRow,
    Row,
    author_in,
    author_of,
    authorship_fault,
    claim_key,
    key_of,
    log_key,
    partition_kind,
    read_row,
    shelf_for,
    sort_key,
)

MOST_ASKED = 40
"""How many events of the requester may follow on one another: the next decision writes all of them into the log."""

LONGEST_BODY, LONGEST_TEXT, DEEPEST = 64_000, 2_048, 16
"""Characters of an event and of a text in it, and how deeply it is nested, that count from a requester's partition."""

_ROLE = re.compile(rf"arn:(?:{PARTITIONS}):iam::\d{{12}}:role/(?:[!-~]+/)?[\w+=,.@-]{{1,64}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Stream:
    """The stream of one access request as its rows leave it.

    `rows` and `events` go together. `next_slot`: the first free place. `refused`: rows that count for nothing, and why;
    `judged`: the events among them that were found in their place, unchanged.
    """

    request_id: str
    owner: str
    rows: tuple[EventRow, ...] = ()
    events: tuple[Event, ...] = ()
    next_slot: int = FIRST
    written: int = 0
    refused: tuple[tuple[Key, str], ...] = ()
    judged: frozenset[Key] = frozenset()

    @property
    def version(self) -> int:
        return len(self.rows)

    def unlogged(self) -> tuple[EventRow, ...]:
        """The rows that only their requester has written so far: the log gets them with the next one."""
        trailing: list[EventRow] = []
        for row in reversed(self.rows):
            if not row.asked:
                break
            trailing.append(row)
        return tuple(reversed(trailing))


@dataclass(frozen=True, slots=True)
class Addition:
    """Events that are to follow on a stream, as rows."""

    owner: str
    rows: tuple[EventRow, ...]
    unlogged: tuple[EventRow, ...]

    @property
    def logged(self) -> bool:
        """Whether it goes into the log: all but what a requester does."""
        return not all(row.asked for row in self.rows)

    def inserts(self, written: int, head: Head | None) -> tuple[Row, ...]:
        """What to insert, all at once. written: nanoseconds of the clock. head: of the log, where `logged`."""
        made: list[Row] = []
        for row in self.rows:
            made.append(row)
            if row.slot == FIRST:
                made.append(
                    ClaimRow(*claim_key(row.request_id), owner=self.owner, hash=row.hash, written=written)
                )
            else:
                made.append(OrderRow(pk=f"{ORDER}#{self.owner}", sk=row.sk, by=row.pk, hash=row.hash))
        if head is not None:
            made += _log_rows(head, (*self.unlogged, *self.rows))
        return tuple(made)


def addition_to(
    stream: Stream | None, request_id: str, events: Sequence[Event], writer: str | None
) -> Addition:
    """stream: as it was read; None for a new one. writer: the author of events that name nobody.

    Raises Refused for what nobody would believe from its author.
    """
    rows: list[EventRow] = []
    before = stream.unlogged() if stream is not None else ()
    owner = stream.owner if stream is not None else ""
    last = stream.rows[-1].hash if stream is not None and stream.rows else START
    slot, version = (stream.next_slot, stream.version) if stream is not None else (FIRST, 0)
    for event in events:
        kind = kind_of(event)
        actor = actor_in(event)
        author = author_of(actor) if actor is not None else (writer or "")
        owner = owner or author
        version += 1
        row = EventRow(
            pk=f"{shelf_for(kind, author, owner, named=actor is not None)}#{author}",
            sk=sort_key(request_id, slot),
            version=version,
            kind=kind,
            at=format_instant(event.at),
            body=canonical_json(encode_event(event)),
            prev_hash=last,
        )
        fault = authorship_fault(row, event, owner)
        if fault:
            raise Refused(
                f"This would be written and believed by nobody: {fault}.",
                remedy="It is for a reviewer, or for the role that applies grants, to write.",
            )
        rows.append(row)
        last = row.hash
        slot += 1
    if sum(row.asked for row in rows) + len(before) > MOST_ASKED and all(row.asked for row in rows):
        raise Refused(
            f"{request_id} has {MOST_ASKED} events of its requester in a row; no more would count.",
            remedy="It goes on once a reviewer or the reconciler has looked at it.",
        )
    return Addition(owner, tuple(rows), before)


def _log_rows(head: Head, rows: Iterable[EventRow]) -> list[LogRow]:
    made = []
    for row in rows:
        logged = LogRow(*log_key(head.rows + 1), by=row.pk, of=row.sk, hash=row.hash, prev_hash=head.hash)
        made.append(logged)
        head = Head(head.rows + 1, logged.chained)
    return made


def read_stream(
    request_id: str, claim: Item, orders: Mapping[int, Item], event_rows: Mapping[Key, Item]
) -> Stream:
    """The stream that a claim and the places taken after it come to.

    Raises LedgerTampered where a row of a reviewer or reconciler is not what its place says: IAM lets nobody change
    rows, so somebody who administers the table has.
    """
    try:
        claimed = read_row(ClaimRow, claim)
        if claimed.sk != claim_key(request_id)[1]:
            raise ValueError("it is not the first")
    except ValueError as fault:
        return Stream(request_id, "", refused=((key_of(claim), str(fault)),))
    reading = _ChainReading(claimed.owner, event_rows, _decided_on(claimed, orders, event_rows))
    slot = FIRST
    reading.take(key_of(claim), f"{ASK}#{claimed.owner}", sort_key(request_id, slot), claimed.hash)
    slot += 1
    while reading.links and slot in orders:
        try:
            order = read_row(OrderRow, orders[slot])
        except ValueError as fault:
            reading.refused[key_of(orders[slot])] = str(fault)
        else:
            reading.take(key_of(orders[slot]), order.by, order.sk, order.hash)
        slot += 1
    for beyond in orders:
        if beyond >= slot:
            reading.refused[key_of(orders[beyond])] = "it is not the next place"
    return Stream(
        request_id,
        claimed.owner,
        rows=tuple(link.row for link in reading.links),
        events=tuple(link.event for link in reading.links),
        next_slot=slot,
        written=claimed.written,
        refused=tuple(reading.refused.items()),
        judged=frozenset(reading.judged),
    )


@dataclass(frozen=True, slots=True)
class _DecidedOn:
    """What the last row of a reviewer or reconciler knows: the hashes of the rows that lead to it, and its place."""

    hashes: frozenset[str] = frozenset()
    slot: int = 0

    def without(self, row: EventRow) -> bool:
        """Whether it is a requester's row before that place which the decision did not find."""
        return row.asked and row.slot < self.slot and row.hash not in self.hashes


def _decided_on(claim: ClaimRow, orders: Mapping[int, Item], event_rows: Mapping[Key, Item]) -> _DecidedOn:
    """Follow the last decision back to the submission, by what each row says it follows.

    # INVARIANT: a requester takes places, and fills them when they like: what a decision was made on is what it names,
    # not what is found in its order later. Else a place that is filled after a revocation would undo it.
    """
    by_hash: dict[str, EventRow] = {}
    for slot in sorted(orders):
        try:
            order = read_row(OrderRow, orders[slot])
            row: EventRow = read_row(EventRow, event_rows[order.by, order.sk])
        except (KeyError, ValueError):
            continue  # taken up, and named, where the places are gone through
        if row.hash == order.hash and row.slot == slot:
            by_hash[row.hash] = row
    known, last = _DecidedOn(), claim.hash
    for decision in by_hash.values():  # in the order of their places
        if partition_kind(decision.pk) not in (DECIDE, APPLY):
            continue
        hashes, row = {decision.hash, claim.hash}, decision
        while row.prev_hash in by_hash and by_hash[row.prev_hash].slot < row.slot:
            row = by_hash[row.prev_hash]
            hashes.add(row.hash)
        # One that passes over an earlier decision is no decision on this stream.
        if row.prev_hash == claim.hash and last in hashes:
            known, last = _DecidedOn(frozenset(hashes), decision.slot), decision.hash
    return known


@dataclass(frozen=True, slots=True)
class _Link:
    row: EventRow
    event: Event
    state: AccessRequest


class _ChainReading:
    """Takes the places of a stream one after the other."""

    def __init__(self, owner: str, event_rows: Mapping[Key, Item], decided_on: _DecidedOn) -> None:
        self._decided_on = decided_on
        self.links: list[_Link] = []
        self.refused: dict[Key, str] = {}
        self.judged: set[Key] = set()
        self._owner = owner
        self._event_rows = event_rows

    def take(self, place: Key, by: str, sk: str, expected: str) -> None:
        """Add the event that took one place to the chain, or say why it counts for nothing."""
        found = self._sound((by, sk), expected)
        if not isinstance(found, str) and self._decided_on.without(found[0]):
            self.judged.add(found[0].key)
            fault = "a decision made later did not find it: it was put in afterwards"
        else:
            fault = found if isinstance(found, str) else self._follow(*found)
        if fault:
            self.refused[place] = fault

    def _follow(self, row: EventRow, event: Event) -> str:
        after = len(self.links)
        while after and self.links[after - 1].row.hash != row.prev_hash:
            after -= 1
        passed = self.links[after:]
        # INVARIANT: a requester's row is passed over where a decision does not know it, and never the other way round.
        follows = row.prev_hash == (self.links[after - 1].row.hash if after else START)
        if not follows or row.version != after + 1 or any(row.asked or not link.row.asked for link in passed):
            self.judged.add(row.key)
            return "it does not follow on the row before it"
        state, fault = _advanced(self.links[after - 1].state if after else None, row, event)
        if state is None:
            self.judged.add(row.key)
            return fault
        if (
            row.asked
            and len(self.links) >= MOST_ASKED
            and all(link.row.asked for link in self.links[-MOST_ASKED:])
        ):
            self.judged.add(row.key)
            return f"it is one more than {MOST_ASKED} of the requester's in a row"
        for link in passed:
            self.judged.add(link.row.key)
            self.refused[link.row.key] = "a decision made later did not find it: it was put in afterwards"
        del self.links[after:]
        self.links.append(_Link(row, event, state))
        return ""

    def _sound(self, key: Key, expected: str) -> tuple[EventRow, Event] | str:
        """The row and its event; or why it counts for nothing, in words."""
        trusted = partition_kind(key[0]) in (DECIDE, APPLY)
        item = self._event_rows.get(key)
        if item is None:
            return "the event that it names is not there"
        try:
            row: EventRow = read_row(EventRow, item)
        except ValueError as fault:
            if trusted:
                raise _changed(key) from fault
            return str(fault)
        if row.hash != expected:
            if trusted:
                raise _changed(key)
            return "its event is not what its hash says"
        event: Event | None = None
        try:
            body = json.loads(row.body)
            if trusted or not _too_much(row.body, body):
                event = decode_event(row.kind, body)
        except (ValueError, RecursionError):
            pass
        except LedgerUnavailable:
            if trusted:
                raise
        if event is None:
            fault_of = "it is no event that this version can read"
        else:
            fault_of = authorship_fault(row, event, self._owner)
        if event is None or fault_of:
            self.judged.add(key)
            return fault_of
        return row, event


def _advanced(state: AccessRequest | None, row: EventRow, event: Event) -> tuple[AccessRequest | None, str]:
    """The state after one more event; None where the desk would never have written it, and why."""
    if row.asked:
        fault = _unshowable(event)
        if fault:
            return None, fault
    try:
        if state is not None:
            return advance(state, event), ""
        first = fold((event,))
        terms_of(first)
    except SmAccessError as problem:
        return None, f"it cannot have happened: {problem.message}"
    except Exception as problem:
        # What a requester wrote past this package may break, in any way, what the desk would have refused before. It
        # must not hide what everybody else asked for.
        if not row.asked:
            raise
        return None, f"it cannot have happened: {type(problem).__name__}"
    if not _ROLE.fullmatch(first.role_arn):
        return None, "it asks for what is no role"
    return first, ""


def _too_much(text: str, body: object) -> bool:
    """Longer or deeper than any event: what works on it later must not run out of stack."""
    if len(text) > LONGEST_BODY:
        return True
    level, depth = [body], 0
    while level:
        depth += 1
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    return depth > DEEPEST


def _unshowable(event: Event) -> str:
    texts = [getattr(event, name) for name in type(event).__dataclass_fields__]
    for text in texts:
        if isinstance(text, str) and (len(text) > LONGEST_TEXT or not text.replace("\n", "").isprintable()):
            return "a text of it is too long, or has what cannot be seen"
    return ""


def _changed(key: Key) -> LedgerTampered:
    return broken(f"the row {key[1]} of {author_in(key[0])} was changed after it was written")
