from __future__ import annotations

import dataclasses
import multiprocessing
import os
import resource
import signal
import sqlite3
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from doubles import KEY, STEWARD, approve, desk, rules, submit

from sm_access.access import Reconciler
from sm_access.access.canonical import canonical_json
from sm_access.errors import LedgerUnavailable, SmAccessError
from sm_access.stores import Head, SqliteLedger
from sm_access.stores.chain import START, Row, read_rows, row_after

AT = desk()
EVENTS = approve(AT, submit(AT, key=KEY)).events


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "private" / "ledger.sqlite"
    ledger = SqliteLedger(path)
    for request_id in ("r-1", "r-2", "r-3"):
        ledger.append(request_id, 0, EVENTS)
    return path


def test_nothing_is_made_before_the_first_append(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "a" / "b" / "ledger.sqlite")
    assert ledger.requests() == ()
    assert list(tmp_path.iterdir()) == []
    assert ledger.path == tmp_path / "a" / "b" / "ledger.sqlite"


def test_for_its_owner_alone(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    connection = sqlite3.connect(path)
    connection.execute("SELECT count(*) FROM events").fetchone()
    try:
        for beside in path.parent.iterdir():
            assert stat.S_IMODE(beside.stat().st_mode) == 0o600
    finally:
        connection.close()


def test_a_path_with_characters_of_its_own(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "größe ?mode=ro#50%" / "l.sqlite")
    ledger.append("r-1", 0, EVENTS)
    assert ledger.path.is_file()
    assert ledger.events("r-1") == EVENTS


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET body = replace(body, 'raw', 'ram') WHERE position = 3",
        "UPDATE events SET body = replace(body, '604800', '604801') WHERE position = 3",
        "UPDATE events SET at = '2026-11-23T17:00:01Z' WHERE position = 4",
        "UPDATE events SET kind = 'rejected' WHERE position = 4",
        "UPDATE events SET request_id = 'r-9' WHERE position = 3",
        "UPDATE events SET prev_hash = hash WHERE position = 3",
        "UPDATE events SET hash = prev_hash WHERE position = 3",
        "UPDATE events SET version = 3 WHERE position = 4",
        "DELETE FROM events WHERE position = 1",
        "DELETE FROM events WHERE position = 4",
        "DELETE FROM events WHERE request_id = 'r-2'",
        "INSERT INTO events SELECT 7, 'r-4', 1, kind, at, body, prev_hash, hash FROM events WHERE position = 1",
    ],
)
def test_what_was_tampered_with_is_seen_and_nothing_is_applied_from_it(path: Path, statement: str) -> None:
    change(path, statement)
    ledger = SqliteLedger(path)
    for use in (
        ledger.verify,
        ledger.streams,
        lambda: Reconciler(ledger, None, AT._clock, rules()).reconcile("x"),
    ):  # type: ignore[arg-type]
        with pytest.raises(LedgerUnavailable, match="row") as refused:
            use()
        assert "backup" in refused.value.remedy


def test_swapped_rows_are_seen(path: Path) -> None:
    change(
        path,
        "UPDATE events SET position = 99 WHERE position = 1",
        "UPDATE events SET position = 1 WHERE position = 3",
        "UPDATE events SET position = 3 WHERE position = 99",
    )
    with pytest.raises(LedgerUnavailable):
        SqliteLedger(path).verify()


def chained(rows: list[Row], prev_hash: str) -> list[Row]:
    made = []
    for row in rows:
        linked = dataclasses.replace(row, prev_hash=prev_hash)
        made.append(dataclasses.replace(linked, hash=linked.expected_hash()))
        prev_hash = made[-1].hash
    return made


@pytest.mark.parametrize(
    ("first", "rows", "words"),
    [
        (1, [(1, 1), (2, 2)], None),
        (1, [(2, 1), (3, 2)], "row 1 "),
        (1, [(1, 1), (2, 3)], "row 2 "),
        (2, [(1, 1), (2, 2)], "row 1 "),
    ],
)
def test_whoever_computes_hashes_as_well_still_has_to_keep_the_order(
    first: int, rows: list[tuple[int, int]], words: str | None
) -> None:
    bare = row_after(Head(0, START), "r-1", 1, EVENTS[0])
    made = [dataclasses.replace(bare, position=position, version=version) for position, version in rows]
    forged = chained(made, START if first == 1 else "1" * 64)
    if words is None:
        assert read_rows(forged)[0] == Head(2, forged[-1].hash)
    else:
        with pytest.raises(LedgerUnavailable, match=words):
            read_rows(forged)


def test_a_row_that_was_changed_with_its_hash_is_seen_by_the_next(path: Path) -> None:
    row = row_after(Head(0, START), "r-1", 1, dataclasses.replace(EVENTS[0], reason="another"))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE events SET body = ?, hash = ? WHERE position = 1", (row.body, row.hash))
    connection.close()
    with pytest.raises(LedgerUnavailable, match="row 2 does not follow"):
        SqliteLedger(path).streams()


def test_a_truncated_ledger_is_seen_against_a_head_noted_elsewhere(path: Path) -> None:
    ledger = SqliteLedger(path)
    noted = ledger.head()
    change(path, "DELETE FROM events WHERE position > 4")
    assert ledger.verify().rows == 4
    with pytest.raises(LedgerUnavailable, match="row 6"):
        ledger.verify(noted)


def test_one_stream_is_checked_when_it_is_read_alone(path: Path) -> None:
    change(path, "UPDATE events SET body = replace(body, 'raw', 'ram') WHERE position = 3")
    ledger = SqliteLedger(path)
    assert ledger.events("r-1") == EVENTS
    with pytest.raises(LedgerUnavailable, match="row 3"):
        ledger.events("r-2")
    change(path, "DELETE FROM events WHERE position = 5")
    with pytest.raises(LedgerUnavailable, match="r-3 is missing"):
        ledger.events("r-3")


@pytest.mark.parametrize(
    ("body", "words"),
    [("{", "not JSON"), (canonical_json({}), "kind 'submitted'"), (None, "two dates")],
)
def test_a_row_that_hashes_well_and_is_no_event(path: Path, body: str | None, words: str) -> None:
    row = row_after(Head(0, START), "r-1", 1, EVENTS[0])
    other = (
        dataclasses.replace(row, body=body) if body else dataclasses.replace(row, at="2026-01-01T00:00:00Z")
    )
    other = dataclasses.replace(other, hash=other.expected_hash())
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "UPDATE events SET at = ?, body = ?, hash = ? WHERE position = 1",
            (other.at, other.body, other.hash),
        )
    connection.close()
    with pytest.raises(LedgerUnavailable, match=words):
        SqliteLedger(path).events("r-1")


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    content = b"not a database, but long enough to look like a file of some kind" * 20
    path.write_bytes(content)
    for use in (SqliteLedger(path).requests, lambda: SqliteLedger(path).append("r-1", 0, EVENTS)):
        with pytest.raises(LedgerUnavailable) as refused:
            use()
        assert str(path) in refused.value.message
        assert "damaged" in refused.value.remedy
    assert path.read_bytes() == content


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    change(path, "CREATE TABLE history (line TEXT)")
    content = path.read_bytes()
    with pytest.raises(LedgerUnavailable, match="another program"):
        SqliteLedger(path).append("r-1", 0, EVENTS)
    assert path.read_bytes() == content


def test_a_damaged_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(bytes(content))
    with pytest.raises(LedgerUnavailable):
        SqliteLedger(path).verify()


def test_a_newer_ledger_is_left_alone(path: Path) -> None:
    change(path, "PRAGMA user_version = 2")
    with pytest.raises(LedgerUnavailable, match="newer") as refused:
        SqliteLedger(path).requests()
    assert "pip install" in refused.value.remedy


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "ledger.sqlite", tmp_path):
        with pytest.raises(LedgerUnavailable, match="cannot be used") as refused:
            SqliteLedger(path).append("r-1", 0, EVENTS)
        assert "settings" in refused.value.remedy


def test_a_path_that_no_file_can_have() -> None:
    with pytest.raises(LedgerUnavailable):
        SqliteLedger("x" * 300).requests()


def test_a_writer_that_never_ends(path: Path) -> None:
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(LedgerUnavailable, match="locked") as refused:
            SqliteLedger(path, busy_seconds=0.1).append("r-9", 0, EVENTS)
        assert "try again" in refused.value.remedy
        assert SqliteLedger(path, busy_seconds=0.1).events("r-1") == EVENTS
    finally:
        blocker.close()


# --- among processes ------------------------------------------------------------------------------------------------

PROCESSES = multiprocessing.get_context("spawn")


def _decide(path: Path, request_id: str, start: Any, answers: Any) -> None:
    start.wait()
    try:
        desk(SqliteLedger(path)).approve(request_id, STEWARD)
        answers.put("won")
    except SmAccessError as fault:
        answers.put(type(fault).__name__)


def test_eight_processes_race_and_one_wins(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    asked = submit(desk(SqliteLedger(path)))
    start, answers = PROCESSES.Barrier(8), PROCESSES.Queue()
    racers = [PROCESSES.Process(target=_decide, args=(path, asked.id, start, answers)) for _ in range(8)]
    for racer in racers:
        racer.start()
    told = sorted(answers.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join()
    assert told.count("won") == 1
    assert set(told) <= {"won", "LedgerConflict", "IllegalTransition"}
    assert SqliteLedger(path).verify().rows == 2


def _write(path: Path, number: int, ready: Any) -> None:
    ledger = SqliteLedger(path)
    for count in range(100_000):
        ledger.append(f"r-{number}-{count}", 0, EVENTS)
        ready.set()


def test_killed_while_writing_it_holds_all_of_an_append_or_none(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.sqlite"
    for number in range(5):
        ready = PROCESSES.Event()
        writer = PROCESSES.Process(target=_write, args=(path, number, ready))
        writer.start()
        assert ready.wait(60)
        time.sleep(0.01 * number)
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
        ledger = SqliteLedger(path)
        assert ledger.verify().rows == 2 * len(ledger.requests())
        assert all(events == EVENTS for events in ledger.streams().values())


def _first(path: Path, number: int, start: Any) -> None:
    start.wait()
    SqliteLedger(path).append(f"r-{number}", 0, EVENTS)


def test_several_first_appends_make_one_ledger(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.sqlite"
    start = PROCESSES.Barrier(4)
    writers = [PROCESSES.Process(target=_first, args=(path, number, start)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert SqliteLedger(path).verify().rows == 8


def _read(ledger: SqliteLedger) -> int | None:
    """How many requests are read; None where even reading needs room, for the index beside a write-ahead log."""
    try:
        return len(ledger.streams())
    except LedgerUnavailable:
        return None


def _fill(path: Path, room: int, told: Any) -> None:
    """Append until the file may not grow any more, as on a full disk."""
    ledger = SqliteLedger(path)
    ledger.append("r-first", 0, EVENTS)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    count = 0
    try:
        while count < 10_000:
            ledger.append(f"r-{count}", 0, EVENTS)
            count += 1
    except LedgerUnavailable as fault:
        told.put((count, fault.message, fault.remedy))
        still = _read(ledger)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        ledger.append("r-last", 0, EVENTS)  # and so does writing, once there is room
        told.put((still, "", ""))


@pytest.mark.parametrize("room", [1, 20_000, 100_000, 300_000])
def test_on_a_full_disk_it_holds_all_of_an_append_or_none(tmp_path: Path, room: int) -> None:
    path = tmp_path / "ledger.sqlite"
    told = PROCESSES.Queue()
    writer = PROCESSES.Process(target=_fill, args=(path, room, told))
    writer.start()
    count, message, remedy = told.get(timeout=60)
    still, _, _ = told.get(timeout=60)
    writer.join()
    assert "cannot be used" in message
    assert str(path) in message
    assert remedy
    assert still in {count + 1, None}
    assert still is not None or room < 32_768
    ledger = SqliteLedger(path)
    assert ledger.verify().rows == 2 * (count + 2)
    assert set(ledger.requests()) == {"r-first", "r-last", *(f"r-{number}" for number in range(count))}
