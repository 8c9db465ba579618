"""A ledger that lasts as long as its process: for tests, and for trying things out."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from sm_access.access.audit_trail import Audit, Head
from sm_access.access.events import Event
from sm_access.errors import LedgerConflict
from sm_access.stores.chain import START, Row, audit_of, event_in, read_rows, row_after, streams_of


class MemoryLedger:
    """A Ledger in memory, safe among threads. Holds rows as the durable stores do, so it answers as they
    do."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._lock = threading.Lock()

    def append(self, request_id: str, expected_version: int, events: Sequence[Event]) -> None:
        with self._lock:
            version = sum(row.request_id == request_id for row in self._rows)
            if version != expected_version:
                raise conflict(request_id)
            head, rows = self._head(), []
            for number, event in enumerate(events, version + 1):
                rows.append(row_after(head, request_id, number, event))
                head = Head(rows[-1].position, rows[-1].hash)
            self._rows.extend(rows)

    def events(self, request_id: str) -> tuple[Event, ...]:
        with self._lock:
            return tuple(event_in(row) for row in self._rows if row.request_id == request_id)

    def requests(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(dict.fromkeys(row.request_id for row in self._rows))

    def streams(self) -> Mapping[str, tuple[Event, ...]]:
        with self._lock:
            return streams_of(self._rows)

    def head(self) -> Head:
        """How long the ledger is, and the hash of its last row."""
        with self._lock:
            return self._head()

    def verify(self, noted: Head | None = None) -> Head:
        """Check every row. Raises LedgerTampered, naming what is wrong."""
        with self._lock:
            return read_rows(self._rows, noted)[0]

    def audit(self, *noted: Head) -> Audit:
        """All of it, checked. Whatever is in here counts, or stops everything. Raises LedgerTampered."""
        with self._lock:
            return audit_of(self._rows, noted)

    def _head(self) -> Head:
        return Head(self._rows[-1].position, self._rows[-1].hash) if self._rows else Head(0, START)


def conflict(request_id: str) -> LedgerConflict:
    """The error of a writer who came second."""
    return LedgerConflict(
        f"Somebody else wrote to access request {request_id} first; nothing of this was kept.",
        remedy=f"Look at it again: sm-access show {request_id}.",
    )
