"""Eight processes submit and approve at once: exactly one decision on each request, and none lost.

On SQLite in full; on DynamoDB with fewer, because the embedded one copies its whole table for each transaction. There
the full number, 200 to a table, is in `benchmarks/ledger.py`.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from doubles import STEWARD, approve, desk, session, submit

from sm_access.access import Event, fold
from sm_access.access.events import Rejected
from sm_access.access.model import advance
from sm_access.errors import IllegalTransition, LedgerConflict
from sm_access.stores import SqliteLedger

PROCESSES = multiprocessing.get_context("spawn")
WORKERS = 8
SUBMITTED, APPROVED = approve(AT := desk(), submit(AT)).events
REJECTED = Rejected(APPROVED.at, STEWARD, "no")


def open_ledger(place: dict[str, Any]) -> Any:
    if "path" in place:
        return SqliteLedger(place["path"], busy_seconds=60)
    import boto3

    from sm_access.aws.dynamodb import DynamoTable
    from sm_access.aws.session import Aws
    from sm_access.stores import DynamoLedger

    made = boto3.Session("111122223333", "test", region_name="us-east-1")
    table = DynamoTable(Aws(made, timeout_seconds=60), place["table"])
    return DynamoLedger(table, lambda: session("Reconciler"), busy_seconds=100)


def work(place: dict[str, Any], number: int, requests: int, start: Any, answers: Any) -> None:
    """Submit a share of the requests; then decide on two shares, each of which somebody else decides on as well."""
    try:
        ledger = open_ledger(place)
        start.wait(100)
        own = [f"r-{number}-{count}" for count in range(requests // WORKERS)]
        for id in own:
            ledger.append(id, 0, (dataclasses.replace(SUBMITTED, id=id),))
        answers.put(("submitted", own))
        start.wait(400)
        everyone = sorted(ledger.requests())
        won = [
            id
            for id in everyone[number::WORKERS] + everyone[(number + 1) % WORKERS :: WORKERS]
            if decide(ledger, id, APPROVED if number % 2 else REJECTED)
        ]
        answers.put(("decided", won))
    except BaseException as fault:
        answers.put(("failed", f"{type(fault).__name__}: {fault}"))
        raise


def decide(ledger: Any, id: str, event: Event) -> bool:
    """As the desk does: look, see that it may be decided on, and append to what was seen."""
    try:
        request = fold(ledger.events(id))
        advance(request, event)
        ledger.append(id, request.version, (event,))
    except (LedgerConflict, IllegalTransition):
        return False
    return True


def race(place: dict[str, Any], requests: int) -> None:
    start, answers = PROCESSES.Barrier(WORKERS), PROCESSES.Queue()
    workers = [
        PROCESSES.Process(target=work, args=(place, number, requests, start, answers))
        for number in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    try:
        told = [answers.get(timeout=500) for _ in range(2 * WORKERS)]
    finally:
        for worker in workers:
            worker.join(30)
            worker.kill()
    assert [answer for kind, answer in told if kind == "failed"] == []
    submitted = [id for kind, ids in told if kind == "submitted" for id in ids]
    winners = Counter(id for kind, ids in told if kind == "decided" for id in ids)
    ledger = open_ledger(place)
    ledger.verify()
    streams = ledger.streams()
    assert sorted(streams) == sorted(submitted)
    assert len(set(submitted)) == requests
    assert set(winners) == set(submitted)
    assert set(winners.values()) == {1}
    assert all(len(stream) == 2 and fold(stream).version == 2 for stream in streams.values())


@pytest.mark.timeout(600)
def test_two_thousand_requests_in_a_file(tmp_path: Path) -> None:
    race({"path": tmp_path / "ledger.sqlite"}, 2000)


@pytest.mark.timeout(600)
def test_eighty_requests_in_a_table(sandbox: Any, new_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", sandbox.state.enforcer_url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    race({"table": new_table}, 80)
