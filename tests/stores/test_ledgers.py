"""What every ledger does. A new one is added to LEDGERS and to nothing else."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import pytest
from doubles import KEY, SCIENTIST, STEWARD, approve, desk, submit

from sm_access.access import Event
from sm_access.errors import LedgerConflict, LedgerUnavailable
from sm_access.stores import Head, MemoryLedger, SqliteLedger

AT = desk()
EVENTS = approve(AT, submit(AT, key=KEY)).events
SUBMITTED, APPROVED = EVENTS
EVENTS = (dataclasses.replace(SUBMITTED, id="r-1"), APPROVED)
SUBMITTED = EVENTS[0]
SECOND = (dataclasses.replace(SUBMITTED, id="r-2"), APPROVED)

LEDGERS: dict[str, Callable[[pytest.FixtureRequest], Any]] = {
    "memory": lambda _: MemoryLedger(),
    "sqlite": lambda asked: SqliteLedger(asked.getfixturevalue("tmp_path") / "new" / "ledger.sqlite"),
    "dynamodb": lambda asked: asked.getfixturevalue("dynamo"),
}


@pytest.fixture(params=LEDGERS)
def ledger(request: pytest.FixtureRequest) -> Any:
    return LEDGERS[request.param](request)


def test_an_empty_ledger(ledger: Any) -> None:
    assert ledger.requests() == ()
    assert ledger.events("r-1") == ()
    assert ledger.streams() == {}
    assert ledger.head() == ledger.verify() == Head(0, "0" * 64)


def test_what_is_appended_comes_back_as_it_was(ledger: Any) -> None:
    ledger.append("r-2", 0, SECOND)
    ledger.append("r-1", 0, (SUBMITTED,))
    ledger.append("r-1", 1, (APPROVED,))
    assert ledger.events("r-1") == EVENTS
    assert ledger.events("r-2") == SECOND
    assert ledger.requests() == ("r-2", "r-1")
    assert ledger.streams() == {"r-2": SECOND, "r-1": EVENTS}
    assert list(ledger.streams()) == ["r-2", "r-1"]
    assert ledger.verify() == ledger.head()
    assert ledger.head().rows == 4


@pytest.mark.parametrize("expected", [0, 2, -1])
def test_an_append_to_another_version_keeps_nothing(ledger: Any, expected: int) -> None:
    ledger.append("r-1", 0, (SUBMITTED,))
    before = ledger.head()
    with pytest.raises(LedgerConflict, match="r-1") as refused:
        ledger.append("r-1", expected, (APPROVED, APPROVED))
    assert refused.value.remedy
    assert ledger.head() == before


def test_what_cannot_be_stored_in_whole_is_not_stored_in_part(ledger: Any) -> None:
    with pytest.raises(KeyError):
        ledger.append("r-1", 0, (SUBMITTED, "not an event"))
    assert ledger.events("r-1") == ()
    ledger.append("r-1", 0, (SUBMITTED,))


def test_a_value_read_from_the_ledger_changes_nothing_in_it(ledger: Any) -> None:
    ledger.append("r-1", 0, EVENTS)
    ledger.events("r-1")[1].statements[0]["Resource"] = "*"
    assert ledger.events("r-1") == EVENTS


def test_a_head_noted_earlier_is_found_again(ledger: Any) -> None:
    empty = ledger.head()
    ledger.append("r-1", 0, (SUBMITTED,))
    noted = ledger.head()
    ledger.append("r-1", 1, (APPROVED,))
    assert ledger.verify(noted) == ledger.verify(empty) == ledger.head()
    with pytest.raises(LedgerUnavailable, match="noted earlier"):
        ledger.verify(Head(3, noted.hash))
    with pytest.raises(LedgerUnavailable, match="noted earlier"):
        ledger.verify(Head(1, "f" * 64))


def test_among_threads_one_decision_wins(ledger: Any) -> None:
    asked = submit(desk(ledger))
    won: list[str] = []
    lost: list[BaseException] = []
    barrier = threading.Barrier(8)

    def decide(number: int) -> None:
        at = desk(ledger)
        request = at.get(asked.id)
        barrier.wait()
        try:
            if number % 2:
                at.approve(request.id, STEWARD)
            else:
                at.reject(request.id, STEWARD, "no")
            won.append(str(number))
        except BaseException as fault:  # noqa: BLE001
            lost.append(fault)

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert {type(fault).__name__ for fault in lost} <= {"LedgerConflict", "IllegalTransition"}
    assert len(ledger.events(asked.id)) == 2
    ledger.verify()


def test_a_whole_story(ledger: Any) -> None:
    at = desk(ledger)
    asked = submit(at)
    assert approve(at, asked) == desk(ledger).get(asked.id)
    assert at.release(asked.id, SCIENTIST).version == 3
    events: tuple[Event, ...] = ledger.events(asked.id)
    assert [type(event).__name__ for event in events] == ["Submitted", "Approved", "Released"]
