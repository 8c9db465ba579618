"""Two reviewers approve the same requests while two reconcilers put them on the role, for real: in a file and a table.

Whatever the order: one approval and one "applied" of each, and the role carries exactly what was approved. All orders
of smaller programs are gone through in tests/access/test_interleavings.py; here it is the stores' locks that decide.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from doubles import ROLE, STEWARD, Roles, StoppedClock, desk, rules, session, submit

from sm_access.access import Caller, Reconciler, Status
from sm_access.access.events import Applied, Approved
from sm_access.access.planner import arrange
from sm_access.errors import IllegalTransition, LedgerConflict
from sm_access.stores import DynamoLedger, SqliteLedger

OTHER = session("StewardsToo", "bob")
RECONCILER = session("Reconciler")
Open = Callable[[Caller], Any]


def race(open_as: Open, count: int) -> None:
    clock, roles, faults = StoppedClock(), Roles(), []
    at = desk(open_as(session("notebooks")), clock)
    asked = [submit(at, f"s3://lake/{number}/") for number in range(count)]
    start, approved = threading.Barrier(4), threading.Event()
    won: list[str] = []

    def approver(who: Caller) -> None:
        mine = desk(open_as(who), clock)
        start.wait(60)
        for request in asked:
            with suppress(LedgerConflict, IllegalTransition):
                mine.approve(request.id, who, request.terms_sha256)
                won.append(request.id)

    def reconciler() -> None:
        own = Reconciler(open_as(RECONCILER), roles, clock, rules())
        start.wait(60)
        last = False
        while not last:
            last = approved.is_set()
            try:
                own.reconcile(ROLE)
            except LedgerConflict:
                last = False

    def kept(work: Callable[..., None], *given: Caller) -> threading.Thread:
        def run() -> None:
            try:
                work(*given)
            except BaseException as fault:  # noqa: BLE001 - told by the test, whatever it is
                faults.append(fault)
                start.abort()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    deciding = [kept(approver, who) for who in (STEWARD, OTHER)]
    applying = [kept(reconciler) for _ in range(2)]
    for thread in deciding:
        thread.join(120)
    approved.set()
    for thread in applying:
        thread.join(120)
    assert faults == []
    assert sorted(won) == sorted(request.id for request in asked)
    at = desk(open_as(RECONCILER), clock)
    grants = []
    for request in asked:
        found = at.get(request.id)
        assert [type(event) for event in found.events[1:]] == [Approved, Applied]
        assert found.status is Status.APPLIED
        assert found.grant is not None
        grants.append(found.grant)
    assert roles.documents == arrange(ROLE, grants).documents


def test_in_a_file(tmp_path: Path) -> None:
    race(lambda _: SqliteLedger(tmp_path / "ledger.sqlite", busy_seconds=60), 12)


def test_in_a_table(sandbox: Any, new_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    from sm_access.aws.dynamodb import DynamoTable
    from sm_access.aws.session import Aws

    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", sandbox.state.enforcer_url)

    def open_as(caller: Caller) -> DynamoLedger:
        made = boto3.Session("111122223333", "test", region_name="us-east-1")
        table = DynamoTable(Aws(made, timeout_seconds=60), new_table)
        return DynamoLedger(table, lambda: caller, busy_seconds=60)

    race(open_as, 4)
