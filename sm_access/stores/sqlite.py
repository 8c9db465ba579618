"""A ledger in one SQLite file, for the people and processes of one machine.

A write is one transaction that holds SQLite's write lock from its first read on, so the version it saw is
the version it extends; a process killed at any moment leaves all of its events or none. Write-ahead logging
needs memory that all writers share: do not put the file on a network file system.

The file is readable and writable by its owner alone, and so is the directory when it is made here. Whoever
can write the file can write the whole of it anew: between people who must not forge each other's decisions,
use a store in which IAM decides who writes what.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple
from pathlib import Path

from sm_access.access.audit_trail import Audit, Head
from sm_access.access.events import Event
from sm_access.errors import LedgerUnavailable
from sm_access.stores.chain import START, Row, audit_of, broken, event_in, read_rows, row_after, streams_of
from sm_access.stores.memory import conflict

BUSY_SECONDS = 10.0
"""How long a writer waits for another before it gives up."""

FORMAT = 1
"""What `PRAGMA user_version` says of the table below."""

_TABLE = """
CREATE TABLE events (
    position INTEGER NOT NULL UNIQUE,
    request_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    body TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (request_id, version)
) WITHOUT ROWID
"""
_STREAM = "SELECT * FROM events WHERE request_id = ? ORDER BY version"
_ALL = "SELECT * FROM events ORDER BY position"


class SqliteLedger:
    """A Ledger in a file. Nothing is opened or made before it is used; a connection lives for one call, so
    an instance may be shared among threads and survives a fork."""

    def __init__(self, path: str | os.PathLike[str], *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = Path(path)
        self._busy_seconds = busy_seconds

    @property
    def path(self) -> Path:
        """Where the file is, or will be after the first append."""
        return self._path

    def append(self, request_id: str, expected_version: int, events: Sequence[Event]) -> None:
        with self._transaction(writing=True) as connection:
            (version,) = connection.execute(
                "SELECT count(*) FROM events WHERE request_id = ?", (request_id,)
            ).fetchone()
            if version != expected_version:
                raise conflict(request_id)
            head = _head(connection)
            for number, event in enumerate(events, version + 1):
                row = row_after(head, request_id, number, event)
                connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(row))
                head = Head(row.position, row.hash)

    def events(self, request_id: str) -> tuple[Event, ...]:
        rows = self._rows(_STREAM, request_id)
        if [row.version for row in rows] != list(range(1, len(rows) + 1)):
            raise broken(f"an event of access request {request_id} is missing")
        return tuple(event_in(row) for row in rows)

    def requests(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.request_id for row in self._rows(_ALL)))

    def streams(self) -> Mapping[str, tuple[Event, ...]]:
        return streams_of(self._rows(_ALL))

    def head(self) -> Head:
        """How long the ledger is, and the hash of its last row."""
        if not self._exists():
            return Head(0, START)
        with self._transaction() as connection:
            return _head(connection)

    def verify(self, noted: Head | None = None) -> Head:
        """Check every row. Raises LedgerTampered, naming what is wrong."""
        return read_rows(self._rows(_ALL), noted)[0]

    def audit(self, *noted: Head) -> Audit:
        """All of it, checked. Whatever is in here counts, or stops everything. Raises LedgerTampered."""
        return audit_of(self._rows(_ALL), noted)

    def _rows(self, query: str, *values: str) -> list[Row]:
        if not self._exists():
            return []
        with self._transaction() as connection:
            return [Row(*found) for found in connection.execute(query, values)]

    def _exists(self) -> bool:
        try:
            return self._path.exists()
        except OSError as fault:
            raise self._unavailable(str(fault)) from fault

    @contextmanager
    def _transaction(self, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            if writing:
                self._make()
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=self._busy_seconds,
                isolation_level=None,
            )
            try:
                self._prepare(connection)
                connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
                yield connection
                connection.execute("COMMIT")
            finally:
                connection.close()  # Rolls back what was not committed.
        except (sqlite3.Error, OSError) as fault:
            raise self._unavailable(str(fault)) from fault

    def _make(self) -> None:
        """The directory and the file, each for its owner alone from the first moment on."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        if _format(connection) == 0:
            if _tables(connection) and _format(connection) == 0:
                raise self._unavailable("it is a database of another program")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            if not _tables(connection):  # Another process may have made it meanwhile.
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.execute("COMMIT")
        if _format(connection) != FORMAT:
            raise LedgerUnavailable(
                f"The ledger {self._path} was written by a newer version of sm-access.",
                remedy="Upgrade: pip install --upgrade sm-access.",
            )

    def _unavailable(self, why: str) -> LedgerUnavailable:
        if "locked" in why or "busy" in why:
            remedy = "Another process is writing to it; try again in a moment."
        elif "not a database" in why or "malformed" in why:
            remedy = "The file is damaged: put a backup in its place, or name another file in the settings."
        elif "full" in why or "disk I/O" in why:
            remedy = "Nothing of this was kept. Make room on the disk, and try again."
        else:
            remedy = "Check who owns it and its directory, or name another file in the settings."
        return LedgerUnavailable(f"The ledger {self._path} cannot be used: {why}.", remedy=remedy)


def _format(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def _tables(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return int(found)


def _head(connection: sqlite3.Connection) -> Head:
    last = connection.execute("SELECT position, hash FROM events ORDER BY position DESC LIMIT 1").fetchone()
    return Head(*last) if last else Head(0, START)
