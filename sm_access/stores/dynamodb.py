"""A ledger for teams, in one DynamoDB table: IAM says who can have written what, and nothing is ever overwritten.

Rows and partitions: `dynamodb_rows`. What they come to: `dynamodb_stream` and `dynamodb_reading`. The table and the
roles' permissions: `dynamodb_table`.

Everything is written with PartiQL's INSERT, several in one ExecuteTransaction, and never with PutItem: an INSERT
fails where the key is taken (Amazon DynamoDB Developer Guide, "PartiQL insert statements for DynamoDB"), and it has an
IAM action of its own, so that a role which may only insert cannot overwrite even what it wrote itself. The condition of
a PutItem is the caller's to leave out, and no policy can ask for it.

The chain of hashes goes through each access request, and, in the log, through everything that was decided or applied.
The log has one next row, so those who decide take turns; requesters, who are many, need not, and cannot write into it.
What a requester does is bound into the log by whoever decides next; until then it is among the head's `pending`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol

from sm_access.access.audit_trail import Audit, Head, actor_in
from sm_access.access.caller import Caller
from sm_access.access.event_codec import kind_of
from sm_access.access.events import Event
from sm_access.errors import AccessDenied, CannotTell, LedgerTampered, LedgerUnavailable
from sm_access.stores import dynamodb_rows as rows
from sm_access.stores.chain import START
from sm_access.stores.dynamodb_reading import Reading, Shelves
from sm_access.stores.dynamodb_rows import Item, Key
from sm_access.stores.dynamodb_stream import Stream, addition_to, read_stream
from sm_access.stores.memory import conflict

BUSY_SECONDS = 20.0
"""How long a writer goes on where others are faster, or DynamoDB asks to wait."""


Inserted = Literal["done", "taken", "busy"]
"""What came of inserting several items at once. taken: a key was there before. busy: others were writing, or DynamoDB
asks to wait. In both cases nothing was inserted."""


class Table(Protocol):
    """The calls of DynamoDB that a ledger needs, on one table with the keys `pk` and `sk`.

    All reads are consistent and go on until the end, however many pages there are. Errors are those of `errors`.
    """

    def insert(self, items: Sequence[Item]) -> Inserted:
        """All of them or none, and only where no key is taken."""

    def get(self, keys: Sequence[Key]) -> list[Item]:
        """Those of these that are there, in any order."""

    def settled(self, keys: Sequence[Key]) -> list[Item]:
        """As `get`, and ordered among inserts: none of one insert is seen without the rest of it."""

    def query(self, pk: str, begins_with: str = "") -> list[Item]:
        """A partition, or what of it begins so, in order of the sort key."""

    def last(self, pk: str) -> Item | None:
        """The last of a partition."""

    def scan(self) -> Iterator[Item]:
        """Everything, in any order and not of one moment."""


class DynamoLedger:
    """A Ledger in a table. Safe among threads, processes and machines.

    writer: who this process is to STS; asked once, and only for events that name nobody.
    """

    def __init__(
        self, table: Table, writer: Callable[[], Caller], *, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self._table = table
        self._writer = writer
        self._author: str | None = None
        self._busy_seconds = busy_seconds

    def append(self, request_id: str, expected_version: int, events: Sequence[Event]) -> None:
        with _unavailable("written to"):
            deadline = time.monotonic() + self._busy_seconds
            attempt = 0
            while True:
                stream = self._stream(request_id)
                version = stream.version if stream is not None else 0
                taken = stream is not None and not stream.rows
                if version != expected_version or taken:
                    raise conflict(request_id)
                if not events:
                    return
                inserted = self._table.insert(self._items(stream, request_id, events))
                if inserted == "done":
                    return
                attempt += 1
                if time.monotonic() > deadline:
                    raise LedgerUnavailable(
                        f"Others kept writing to the ledger for {self._busy_seconds:g} seconds; nothing was written.",
                        remedy="Try again in a moment.",
                    )
                if inserted == "busy" or attempt > 1:
                    time.sleep((5 + secrets.randbelow(20 * min(attempt, 20))) / 1000)

    def events(self, request_id: str) -> tuple[Event, ...]:
        with _unavailable("read"):
            stream = self._stream(request_id)
            if stream is None:
                return ()
            if not stream.rows:
                raise forged(request_id, stream)
            return stream.events

    def requests(self) -> tuple[str, ...]:
        return tuple(self.streams())

    def streams(self) -> Mapping[str, tuple[Event, ...]]:
        return {request_id: stream.events for request_id, stream in self.reading().streams.items()}

    def head(self) -> Head:
        """How far the log is, the hash of its last row, and what is not in it yet."""
        return self.reading().head()

    def verify(self, noted: Head | None = None) -> Head:
        """Check every row. Raises LedgerTampered, naming what is wrong."""
        reading = self.reading()
        reading.check(noted)
        return reading.head()

    def audit(self, *noted: Head) -> Audit:
        """All of it, checked. Raises LedgerTampered."""
        reading = self.reading()
        for earlier in noted:
            reading.check(earlier)
        uncounted = {f"{pk} {sk}": why for (pk, sk), why in reading.refused}
        return Audit(reading.entries(), reading.head(), uncounted)

    def reading(self) -> Reading:
        """Everything, checked: the log follows on itself, and what it speaks of is there. Raises LedgerTampered."""
        with _unavailable("read"):
            shelves = Shelves()
            shelves.add(self._table.scan())
            asked: set[Key] = set()
            while wanted := shelves.missing() - asked:
                # Written while the scan went by, or never.
                asked |= wanted
                if not shelves.add(self._table.settled(sorted(wanted))):
                    break
            reading = shelves.reading()
            reading.check()
            return reading

    def _stream(self, request_id: str) -> Stream | None:
        if not rows.can_be_id(request_id):
            return None
        claims = self._table.get([rows.claim_key(request_id)])
        if not claims:
            return None
        shelves = Shelves()
        shelves.add(claims)
        owner = str(claims[0].get("owner", ""))
        # Places first, then the events in them: what took a place came with its event.
        shelves.add(self._table.query(f"{rows.ORDER}#{owner}", f"{request_id}#"))
        orders = shelves.orders.get(owner, {}).get(request_id, {})
        keys = {(f"{rows.ASK}#{owner}", rows.sort_key(request_id, 1))}
        keys |= {
            (str(item["by"]), rows.sort_key(request_id, slot))
            for slot, item in orders.items()
            if item.get("by") and rows.partition_kind(str(item["by"])) in (rows.ASK, rows.DECIDE, rows.APPLY)
        }
        shelves.add(self._table.get(sorted(keys)))
        # INVARIANT: a place is taken for an empty one only after a read that is ordered among inserts: DynamoDB shows
        # the rows of a transaction one by one while it commits, and what is passed over counts for nothing for ever.
        shelves.add(self._table.settled(sorted(keys - shelves.events.keys())))
        return read_stream(request_id, claims[0], orders, shelves.events)

    def _items(self, stream: Stream | None, request_id: str, events: Sequence[Event]) -> list[Item]:
        if not rows.can_be_id(request_id):
            raise LedgerUnavailable(f"{request_id!r} cannot be the id of an access request in this ledger.")
        for event in events:
            kind_of(event)  # KeyError for what is none, before anything is done
        anonymous = any(actor_in(event) is None for event in events)
        addition = addition_to(stream, request_id, events, self._own() if anonymous else None)
        head = self._logged() if addition.logged else None
        return [rows.item_of(row) for row in addition.inserts(time.time_ns(), head)]

    def _own(self) -> str:
        if self._author is None:
            self._author = rows.author_of(self._writer())
        return self._author

    def _logged(self) -> Head:
        last = self._table.last(rows.LOG)
        if last is None:
            return Head(0, START)
        try:
            row: rows.LogRow = rows.read_row(rows.LogRow, last)
            return Head(row.position, row.chained)
        except ValueError as fault:
            raise LedgerTampered(
                "The last row of the ledger's audit is none.",
                remedy="Name what is wrong: sm-access audit-log verify.",
            ) from fault


def forged(request_id: str, stream: Stream) -> LedgerTampered:
    """The error for an access request of which nothing counts."""
    why = stream.refused[0][1] if stream.refused else "nothing of it is there"
    return LedgerTampered(
        f"Nothing of access request {request_id} counts: {why}.",
        remedy="Nobody can decide on it. All rows that count for nothing: sm-access audit-log verify.",
    )


@contextmanager
def _unavailable(done: str) -> Iterator[None]:
    """What AWS refused or did not answer, as an error of the ledger."""
    try:
        yield
    except LedgerUnavailable:
        raise
    except (AccessDenied, CannotTell) as fault:
        remedy = fault.remedy
        if isinstance(fault, AccessDenied):
            remedy = (
                "The role needs its part of the team's ledger (docs/install.md). Ask whoever administers it."
            )
        raise LedgerUnavailable(f"The ledger could not be {done}: {fault.message}", remedy=remedy) from fault
