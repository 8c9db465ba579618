"""How long it takes until a request is durable, beside what the disk takes at least; and eight processes at once.

    python benchmarks/ledger.py [--table]    --table: the race on DynamoDB (embedded) as well, which takes minutes

The floor is one INSERT into a SQLite file of the same settings, in a transaction of its own: what is above it is ours.
Both sides are timed in turns and by their median, because what a disk takes differs from one moment to the next.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests" / "stores"), str(HERE.parent / "tests" / "access")]

from doubles import SCIENTIST, StoppedClock, desk, rules, submit  # noqa: E402
from test_ledger_races import race  # noqa: E402

from sm_access.access import Desk  # noqa: E402
from sm_access.stores import SqliteLedger  # noqa: E402

ROUNDS = 300
TARGET_MS = 20.0
REQUESTS = 2_000
TABLES = 10
"""Among which the race on DynamoDB goes, one after the other."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--table", action="store_true", help="the race on DynamoDB as well")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=HERE) as directory:
        floor, ours, full = measure(Path(directory))
        print(f"one INSERT, durable (the floor)              {floor:8.2f} ms")
        print(
            f"a request submitted, durable                 {ours:8.2f} ms   {ours / floor:5.1f} x the floor"
        )
        print(
            f"... into a ledger of {REQUESTS:,} requests        {full:8.2f} ms   {full / floor:5.1f} x the floor"
        )
        print(f"target: < {TARGET_MS:g} ms - {'met' if max(ours, full) < TARGET_MS else 'MISSED'}")
        began = time.perf_counter()
        race({"path": Path(directory) / "race.sqlite"}, REQUESTS)
        print(f"8 processes, {REQUESTS:,} requests, on SQLite: one winner each, none lost "
              f"({time.perf_counter() - began:.1f} s)")  # fmt: skip
    if arguments.table:
        with ExitStack() as stack:
            seconds = race_in_a_table(stack)
        print(
            f"8 processes, {REQUESTS:,} requests, on DynamoDB (embedded): one winner each, none lost ({seconds:.0f} s)"
        )
    load = os.getloadavg()[0]
    print(
        f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores, load {load:.1f}."
    )
    return 0 if max(ours, full) < TARGET_MS else 1


def measure(directory: Path) -> tuple[float, float, float]:
    """Milliseconds: the floor, a submission into an empty ledger, and into a full one."""
    bare = sqlite3.connect(directory / "bare.sqlite", isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    bare.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
    body = "x" * 700
    empty = desk(SqliteLedger(directory / "ledger.sqlite"), StoppedClock())
    ledger = SqliteLedger(directory / "full.sqlite")
    fill(ledger)
    numbers = itertools.count(REQUESTS + 1)
    full = Desk(ledger, rules(), StoppedClock(), new_id=lambda: f"r-{next(numbers):08d}")
    times: tuple[list[float], ...] = ([], [], [])
    works: tuple[Callable[[], object], ...] = (
        lambda: bare.execute("INSERT INTO t (body) VALUES (?)", (body,)),
        lambda: submit(empty, requester=SCIENTIST),
        lambda: submit(full, requester=SCIENTIST),
    )
    for _ in range(ROUNDS):
        for found, work in zip(times, works, strict=True):
            began = time.perf_counter()
            work()
            found.append((time.perf_counter() - began) * 1000)
    bare.close()
    floor, ours, later = (statistics.median(found) for found in times)
    return floor, ours, later


def fill(ledger: SqliteLedger) -> None:
    at = desk(ledger)
    for _ in range(REQUESTS):
        submit(at)


def race_in_a_table(stack: ExitStack) -> float:
    from sm_access.sandbox.world import Sandbox
    from sm_access.stores.dynamodb_table import table_parameters

    sandbox = stack.enter_context(Sandbox())
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = sandbox.state.enforcer_url
    began = time.perf_counter()
    for number in range(TABLES):
        # The embedded DynamoDB copies a table for each transaction on it, so that a large one is slow there.
        name = f"sm-access-race-{number}"
        sandbox.root_session.client("dynamodb").create_table(**table_parameters(name))
        race({"table": name}, REQUESTS // TABLES)
        print(f"  {number + 1} of {TABLES} tables", file=sys.stderr, flush=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main())
