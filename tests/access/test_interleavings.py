"""Two approvers, two reconcilers, and one of each, in every order in which their calls to the ports can fall.

A program runs in a thread of its own and stops before each call to a port until the schedule lets it go on, so that one
runs at any time and a schedule is a list of turns. All schedules are gone through, depth first: after each run the last
turn that could have been another's is given to the other. The desk, the reconciler and the ledger are the real ones.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from doubles import ROLE, STEWARD, Roles, StoppedClock, approve, desk, rules, session, submit

from sm_access.access import AccessRequest, Reconciler, Status
from sm_access.access.events import Applied, Approved, Collected, Rejected, Revoked
from sm_access.access.planner import arrange
from sm_access.errors import IllegalTransition, LedgerConflict
from sm_access.stores import MemoryLedger

MOST = 5_000
"""Schedules; a program that has more is to be made smaller."""
OTHER = session("StewardsToo", "bob")
Program = Callable[["Turns", int], None]


class Turns:
    """Lets one of some threads go on at a time, as a schedule says; beyond it, the first that is not done."""

    def __init__(self, schedule: Sequence[int], programs: int) -> None:
        self._schedule = schedule
        self._gates = [threading.Semaphore(0) for _ in range(programs)]
        self._stopped = threading.Semaphore(0)
        self._running = set(range(programs))
        self.taken: list[int] = []
        self.could: list[frozenset[int]] = []

    def wait(self, number: int) -> None:
        """A program is about to make a call."""
        self._stopped.release()
        assert self._gates[number].acquire(timeout=30)

    def done(self, number: int) -> None:
        self._running.discard(number)
        self._stopped.release()

    def conduct(self) -> None:
        for _ in self._gates:
            assert self._stopped.acquire(timeout=30)
        while self._running:
            place = len(self.taken)
            turn = self._schedule[place] if place < len(self._schedule) else min(self._running)
            self.could.append(frozenset(self._running))
            self.taken.append(turn)
            self._gates[turn].release()
            assert self._stopped.acquire(timeout=30)


class Stopping:
    """A port whose every call waits for its turn."""

    def __init__(self, port: Any, turns: Turns, number: int) -> None:
        self._port, self._turns, self._number = port, turns, number

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._port, name)

        def call(*given: Any, **named: Any) -> Any:
            self._turns.wait(self._number)
            return real(*given, **named)

        return call


def run(schedule: Sequence[int], programs: Sequence[Program]) -> Turns:
    turns, faults = Turns(schedule, len(programs)), []

    def whole(number: int, program: Program) -> None:
        try:
            program(turns, number)
        except BaseException as fault:  # noqa: BLE001 - whatever it is, the test fails with it and does not hang
            faults.append(fault)
        finally:
            turns.done(number)

    threads = [threading.Thread(target=whole, args=each, daemon=True) for each in enumerate(programs)]
    for thread in threads:
        thread.start()
    turns.conduct()
    for thread in threads:
        thread.join(30)
    if faults:
        raise faults[0]
    return turns


def schedules(world: Callable[[], Sequence[Program]]) -> Iterator[list[int]]:
    """Every order there is; `world` is made anew for each. Yields each after it was run."""
    prefix: list[int] = []
    for _ in range(MOST):
        turns = run(prefix, world())
        yield turns.taken
        place = len(turns.taken) - 1
        while place >= 0:
            later = [turn for turn in sorted(turns.could[place]) if turn > turns.taken[place]]
            if later:
                break
            place -= 1
        if place < 0:
            return
        prefix = [*turns.taken[:place], later[0]]
    pytest.fail(f"more than {MOST:,} schedules")


class World:
    """What the programs of one run share."""

    def __init__(self) -> None:
        self.ledger, self.clock, self.roles = MemoryLedger(), StoppedClock(), Roles()
        self.desk = desk(self.ledger, self.clock)
        self.won: list[int] = []

    def approver(self, request: AccessRequest, who: Any, verb: str = "approve") -> Program:
        def program(turns: Turns, number: int) -> None:
            at = desk(Stopping(self.ledger, turns, number), self.clock)  # type: ignore[arg-type]
            try:
                if verb == "approve":
                    at.approve(request.id, who, request.terms_sha256)
                elif verb == "reject":
                    at.reject(request.id, who, "no")
                else:
                    at.revoke(request.id, who, "over")
            except (LedgerConflict, IllegalTransition):
                return
            self.won.append(number)

        return program

    def reconciler(self) -> Program:
        def program(turns: Turns, number: int) -> None:
            ledger, roles = Stopping(self.ledger, turns, number), Stopping(self.roles, turns, number)
            Reconciler(ledger, roles, self.clock, rules()).reconcile(ROLE)  # type: ignore[arg-type]

        return program

    def count(self, request: AccessRequest, *kinds: type) -> int:
        return sum(isinstance(event, kinds) for event in self.ledger.events(request.id))


@pytest.mark.parametrize("verbs", [("approve", "approve"), ("approve", "reject"), ("reject", "reject")])
def test_two_who_decide_at_once(verbs: tuple[str, str]) -> None:
    worlds: list[tuple[World, AccessRequest]] = []

    def world() -> Sequence[Program]:
        made = World()
        asked = submit(made.desk)
        worlds.append((made, asked))
        return [made.approver(asked, STEWARD, verbs[0]), made.approver(asked, OTHER, verbs[1])]

    orders = list(schedules(world))
    assert len({tuple(order) for order in orders}) == len(orders) > 5
    winners = set()
    for made, asked in worlds:
        assert len(made.won) == 1
        winners.add(made.won[0])
        assert made.count(asked, Approved, Rejected) == 1
        assert made.desk.get(asked.id).version == 2
    assert winners == {0, 1}


@pytest.mark.parametrize("ended", [False, True])
def test_two_reconcilers_at_once_come_to_one_end(ended: bool) -> None:
    """One grant to put on; or one to take off, put on before."""
    worlds: list[tuple[World, AccessRequest]] = []

    def world() -> Sequence[Program]:
        made = World()
        asked = approve(made.desk, submit(made.desk))
        if ended:
            Reconciler(made.ledger, made.roles, made.clock, rules()).reconcile(ROLE)
            made.clock.forward(days=8)
        worlds.append((made, asked))
        return [made.reconciler(), made.reconciler()]

    assert len(list(schedules(world))) > 20
    for made, asked in worlds:
        assert asked.grant is not None
        assert made.count(asked, Applied) == 1
        assert made.count(asked, Collected) == int(ended)
        assert made.roles.documents == ({} if ended else arrange(ROLE, [asked.grant]).inline)
        assert made.desk.get(asked.id).status is (Status.COLLECTED if ended else Status.APPLIED)


def test_a_revocation_while_it_is_put_on_leaves_nothing_behind_once_it_is_run_again() -> None:
    worlds: list[tuple[World, AccessRequest]] = []

    def world() -> Sequence[Program]:
        made = World()
        asked = approve(made.desk, submit(made.desk))
        worlds.append((made, asked))
        return [made.reconciler(), made.approver(asked, STEWARD, "revoke")]

    orders = list(schedules(world))
    assert len(orders) > 10
    seen = set()
    for made, asked in worlds:
        # Who revokes may come second to `applied` being written down; they are told, and do it again.
        if made.won == []:
            made.desk.revoke(asked.id, STEWARD, "over")
        assert made.count(asked, Revoked) == 1
        seen.add(made.count(asked, Applied))
        Reconciler(made.ledger, made.roles, made.clock, rules()).reconcile(ROLE)
        assert made.roles.documents == {}
        assert made.desk.get(asked.id).status is Status.COLLECTED
    assert seen == {0, 1}


def test_the_scheduler_goes_through_all_orders() -> None:
    """Two programs of three calls each: six over three orders, each once."""

    class Port:
        def call(self) -> None: ...

    def program(turns: Turns, number: int) -> None:
        for _ in range(3):
            Stopping(Port(), turns, number).call()

    found = {tuple(order) for order in schedules(lambda: [program, program])}
    assert len(found) == 20
    assert found == {order for order in itertools.product((0, 1), repeat=6) if sum(order) == 3}
